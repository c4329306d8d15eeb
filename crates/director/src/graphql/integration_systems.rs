use async_graphql::{Context, ID, InputObject, Object, Result};
use tidegate_model::ClientOwner;

use super::of;
use super::page::{Page, asked};
use super::scalars::PageCursor;
use super::system_auths::SystemAuth;
use crate::service::{self, Owner};

/// A global system that manages Applications and Runtimes in many tenants.
pub(super) struct IntegrationSystem(tidegate_model::IntegrationSystem);

#[Object]
impl IntegrationSystem {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    #[graphql(deprecation = "spelling of the original design; use description")]
    async fn desciption(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Its credentials, oldest first, without their secrets. Needs `integration_system.auths:read`.
    async fn auths(&self, ctx: &Context<'_>) -> Result<Vec<SystemAuth>> {
        let (services, access) = of(ctx)?;
        let auths = services.system_auths(access, ClientOwner::IntegrationSystem(self.0.id)).await?;
        Ok(SystemAuth::all(services, auths)?)
    }
}

#[derive(InputObject)]
pub(super) struct IntegrationSystemInput {
    /// Globally unique: 1 to 36 characters, a lower-case DNS-1123 subdomain without a leading digit.
    name: String,
    /// At most 2000 characters.
    description: Option<String>,
}

impl From<IntegrationSystemInput> for service::IntegrationSystemInput {
    fn from(input: IntegrationSystemInput) -> Self {
        Self { name: input.name, description: input.description }
    }
}

#[derive(Default)]
pub(super) struct IntegrationSystemQuery;

#[Object]
impl IntegrationSystemQuery {
    async fn integration_systems(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<IntegrationSystem>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.integration_systems(access, asked(first, after)).await?, IntegrationSystem))
    }

    async fn integration_system(&self, ctx: &Context<'_>, id: ID) -> Result<Option<IntegrationSystem>> {
        let (services, access) = of(ctx)?;
        Ok(services.integration_system(access, &id).await?.map(IntegrationSystem))
    }
}

#[derive(Default)]
pub(super) struct IntegrationSystemMutation;

#[Object]
impl IntegrationSystemMutation {
    async fn register_integration_system(
        &self,
        ctx: &Context<'_>,
        r#in: IntegrationSystemInput,
    ) -> Result<IntegrationSystem> {
        let (services, access) = of(ctx)?;
        Ok(IntegrationSystem(services.register_integration_system(access, r#in.into()).await?))
    }

    /// Replaces name and description; an omitted description becomes null.
    async fn update_integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
        r#in: IntegrationSystemInput,
    ) -> Result<IntegrationSystem> {
        let (services, access) = of(ctx)?;
        Ok(IntegrationSystem(services.update_integration_system(access, &id, r#in.into()).await?))
    }

    /// Ends it with its credentials; refused while an Application or Runtime is linked to it.
    async fn unregister_integration_system(&self, ctx: &Context<'_>, id: ID) -> Result<IntegrationSystem> {
        let (services, access) = of(ctx)?;
        Ok(IntegrationSystem(services.unregister_integration_system(access, &id).await?))
    }

    /// Makes a credential. Its secret is in this answer and in no other.
    async fn request_client_credentials_for_integration_system(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.request_client_credentials(access, Owner::IntegrationSystem(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Gives a credential, by its own id, a second secret; both open until one is removed. The new one is in this answer and in no other.
    async fn add_client_secret_for_integration_system(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.add_client_secret(access, Owner::IntegrationSystem(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Withdraws one of a credential's two secrets; the other one stays.
    async fn remove_client_secret_for_integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "secretID")] secret_id: ID,
    ) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.remove_client_secret(access, Owner::IntegrationSystem(&id), &secret_id).await?;
        Ok(SystemAuth::of(services, auth)?)
    }

    /// Deletes a credential by its own id.
    async fn delete_system_auth_for_integration_system(&self, ctx: &Context<'_>, id: ID) -> Result<SystemAuth> {
        let (services, access) = of(ctx)?;
        let auth = services.delete_system_auth(access, Owner::IntegrationSystem(&id)).await?;
        Ok(SystemAuth::of(services, auth)?)
    }
}
