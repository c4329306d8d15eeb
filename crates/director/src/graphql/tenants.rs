use async_graphql::{Context, ID, InputObject, Object, Result};

use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, PageCursor};
use crate::service;

/// An organization whose data is isolated from every other one.
pub(super) struct Tenant(tidegate_model::Tenant);

#[Object]
impl Tenant {
    /// Chosen at creation: a DNS label; the header `Tenant`, subjects and scripts use it.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

#[derive(InputObject)]
pub(super) struct TenantInput {
    /// A DNS label: 1 to 63 of a-z, 0-9 and -.
    id: ID,
    name: String,
}

#[derive(Default)]
pub(super) struct TenantQuery;

#[Object]
impl TenantQuery {
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Tenant>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.tenants(access, asked(first, after)).await?, Tenant))
    }

    async fn tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Tenant>> {
        let (services, access) = of(ctx)?;
        Ok(services.tenant(access, &id).await?.map(Tenant))
    }
}

#[derive(Default)]
pub(super) struct TenantMutation;

#[Object]
impl TenantMutation {
    async fn create_tenant(&self, ctx: &Context<'_>, r#in: TenantInput) -> Result<Tenant> {
        let (services, access) = of(ctx)?;
        let input = service::TenantInput { id: r#in.id.0, name: r#in.name };
        Ok(Tenant(services.create_tenant(access, input).await?))
    }

    /// Deletes it with everything that is its.
    async fn delete_tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Tenant> {
        let (services, access) = of(ctx)?;
        Ok(Tenant(services.delete_tenant(access, &id).await?))
    }
}
