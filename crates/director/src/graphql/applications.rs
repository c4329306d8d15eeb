use async_graphql::{Context, ID, InputObject, Object, Result};
use tidegate_model::ClientOwner;

use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, Json, PageCursor};
use super::system_auths::SystemAuth;
use crate::service::{self, Owner};

/// A tenant's application.
pub(super) struct Application(tidegate_model::Application);

#[Object]
impl Application {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> &str {
        &self.0.details.name
    }

    async fn description(&self) -> Option<&str> {
        self.0.details.description.as_deref()
    }

    async fn provider_name(&self) -> Option<&str> {
        self.0.provider_name.as_deref()
    }

    async fn base_url(&self) -> Option<&str> {
        self.0.base_url.as_deref()
    }

    async fn labels(&self) -> Json {
        self.0.details.labels.clone().into()
    }

    /// The Integration System that manages it.
    #[graphql(name = "integrationSystemID")]
    async fn integration_system_id(&self) -> Option<ID> {
        self.0.details.integration_system.map(ID::from)
    }

    async fn created_at(&self) -> DateTime {
        self.0.details.created_at.into()
    }

    async fn updated_at(&self) -> DateTime {
        self.0.details.updated_at.into()
    }

    /// Its credentials, oldest first, without their secrets. Needs `credential:read`.
    async fn auths(&self, ctx: &Context<'_>) -> Result<Vec<SystemAuth>> {
        let (services, access) = of(ctx)?;
        let owner = ClientOwner::Application(self.0.tenant.clone(), self.0.id);
        let auths = services.system_auths(access, owner).await?;
        Ok(SystemAuth::all(services, auths)?)
    }
}

#[derive(InputObject)]
pub(super) struct ApplicationInput {
    /// Unique among the tenant's applications.
    name: String,
    description: Option<String>,
    provider_name: Option<String>,
    base_url: Option<String>,
    /// An object; absent is `{}`.
    labels: Option<Json>,
    #[graphql(name = "integrationSystemID")]
    integration_system_id: Option<ID>,
}

impl From<ApplicationInput> for service::ApplicationInput {
    fn from(input: ApplicationInput) -> Self {
        Self {
            name: input.name,
            description: input.description,
            provider_name: input.provider_name,
            base_url: input.base_url,
            labels: input.labels.map(|l| l.0),
            integration_system_id: input.integration_system_id.map(|id| id.0),
        }
    }
}

#[derive(Default)]
pub(super) struct ApplicationQuery;

#[Object]
impl ApplicationQuery {
    async fn applications(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Application>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.applications(access, asked(first, after)).await?, Application))
    }

    async fn application(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Application>> {
        let (services, access) = of(ctx)?;
        Ok(services.application(access, &id).await?.map(Application))
    }
}

#[derive(Default)]
pub(super) struct ApplicationMutation;

#[Object]
impl ApplicationMutation {
    async fn register_application(&self, ctx: &Context<'_>, r#in: ApplicationInput) -> Result<Application> {
        let (services, access) = of(ctx)?;
        Ok(Application(services.register_application(access, r#in.into()).await?))
    }

    /// Replaces everything that the input can say.
    async fn update_application(&self, ctx: &Context<'_>, id: ID, r#in: ApplicationInput) -> Result<Application> {
        let (services, access) = of(ctx)?;
        Ok(Application(services.update_application(access, &id, r#in.into()).await?))
    }

    /// Ends it with its credentials.
    async fn unregister_application(&self, ctx: &Context<'_>, id: ID) -> Result<Application> {
        let (services, access) = of(ctx)?;
        Ok(Application(services.unregister_application(access, &id).await?))
    }

    /// Makes a credential. Its secret is in this answer and in no other.
    async fn request_client_credentials_for_application(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.request_client_credentials(access, Owner::Application(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Gives a credential, by its own id, a second secret; both open until one is removed. The new one is in this answer and in no other.
    async fn add_client_secret_for_application(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.add_client_secret(access, Owner::Application(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Withdraws one of a credential's two secrets; the other one stays.
    async fn remove_client_secret_for_application(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "secretID")] secret_id: ID,
    ) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.remove_client_secret(access, Owner::Application(&id), &secret_id).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Deletes a credential by its own id.
    async fn delete_system_auth_for_application(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.delete_system_auth(access, Owner::Application(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }
}
