//! The GraphQL face: types and resolvers, one file per noun. A resolver translates and calls a service; it decides nothing.

mod applications;
mod aside;
mod audit;
mod credentials;
mod enums;
mod events;
mod executions;
mod integration_systems;
mod integrations;
pub(crate) mod limits;
mod logics;
mod nulls;
mod object_types;
mod objects;
mod outgoing;
mod page;
mod replays;
mod runtimes;
mod scalars;
mod settings;
mod signatures;
mod system_auths;
mod tenants;
mod trial_calls;
mod trials;

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, MergedObject, Request, Response, SchemaBuilder};
use tidegate_model::Error;

use crate::access::Access;
use crate::graphql::nulls::FieldTypes;
use crate::service::Services;

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    integration_systems::IntegrationSystemQuery,
    tenants::TenantQuery,
    applications::ApplicationQuery,
    runtimes::RuntimeQuery,
    logics::LogicQuery,
    integrations::IntegrationQuery,
    credentials::CredentialQuery,
    executions::ExecutionQuery,
    replays::ReplayQuery,
    aside::AsideQuery,
    audit::AuditQuery,
    object_types::ObjectTypeQuery,
    objects::ObjectQuery,
);

/// Everything that can be changed.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    integration_systems::IntegrationSystemMutation,
    tenants::TenantMutation,
    applications::ApplicationMutation,
    runtimes::RuntimeMutation,
    logics::LogicMutation,
    integrations::IntegrationMutation,
    credentials::CredentialMutation,
    executions::ExecutionMutation,
    replays::ReplayMutation,
    aside::AsideMutation,
    object_types::ObjectTypeMutation,
    objects::ObjectMutation,
    events::EventMutation,
    trials::TrialMutation,
);

type Executor = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The schema over the services: what answers requests.
pub(crate) struct Schema {
    executor: Executor,
    fields: FieldTypes,
}

/// The schema's text, as `crates/director/schema.graphql` holds it.
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Executor::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<page::Pageable>()
        .limit_directives(8)
}

impl Schema {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        let executor = builder().data(services).finish();
        let fields = FieldTypes::read(&executor.sdl());
        Self { executor, fields }
    }

    /// Executes a request that [`limits`] let through.
    ///
    /// Every error carries its kind: what a service refused says which, and what is left broke the schema's own rules.
    pub(crate) async fn answer(&self, request: Request, access: Access) -> Response {
        let (query, operation) = (request.query.clone(), request.operation_name.clone());
        let mut response = self.executor.execute(request.data(access)).await;
        if response.errors.is_empty() {
            return response;
        }
        for error in &mut response.errors {
            let (name, code) = if let Some(refused) = error.source::<Error>() {
                refused.code()
            } else {
                error.message = scalars::explained(std::mem::take(&mut error.message));
                ("InvalidData", 22)
            };
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("error", name);
            extensions.set("error_code", code);
        }
        self.fields.settle(&query, operation.as_deref(), &mut response);
        response
    }
}

/// The services, and who is calling.
fn of<'a>(ctx: &Context<'a>) -> async_graphql::Result<(&'a Services, &'a Access)> {
    Ok((ctx.data::<Arc<Services>>()?, ctx.data::<Access>()?))
}
