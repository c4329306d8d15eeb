use async_graphql::{Context, ID, InputObject, Object, Result};

use super::enums::AuditFace;
use super::of;
use super::page::{Page, asked, told};
use super::scalars::{DateTime, Json, PageCursor};
use crate::service;

/// One change that was made, or calls that were refused: who, when, from where, what. It holds no secret.
pub(super) struct AuditEntry(tidegate_model::AuditEntry);

#[Object]
impl AuditEntry {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// When it happened; of several calls, when the last one did.
    async fn time(&self) -> DateTime {
        self.0.at.into()
    }

    /// `client:<id>`, `user:<username>` (a script's), `system`, or `stranger` for who showed no good token.
    async fn actor(&self) -> &str {
        &self.0.trace.actor
    }

    /// Whose client it is: `administrator`, `integration_system:<id>`, `application:<id>`, `runtime:<id>`.
    async fn owner(&self) -> Option<&str> {
        self.0.trace.owner.as_deref()
    }

    /// Which way it came in.
    async fn face(&self) -> AuditFace {
        self.0.trace.face.into()
    }

    /// The address that called, behind trusted proxies.
    async fn address(&self) -> Option<String> {
        self.0.trace.address.map(|address| address.to_string())
    }

    /// By its name here.
    async fn operation(&self) -> &str {
        &self.0.trace.operation
    }

    /// The kind of thing that it was done to.
    async fn kind(&self) -> &str {
        &self.0.made.kind
    }

    /// Which one.
    async fn object_id(&self) -> Option<ID> {
        self.0.made.id.clone().map(ID)
    }

    /// Of an update the attributes that changed, with their former values; of a deletion all.
    async fn before(&self) -> Option<Json> {
        self.0.made.before.clone().map(Json)
    }

    /// Of an update the attributes that changed, with their new values; of a creation all.
    async fn after(&self) -> Option<Json> {
        self.0.made.after.clone().map(Json)
    }

    /// The name of the error, where it was refused.
    async fn error(&self) -> Option<&str> {
        self.0.refused.as_deref()
    }

    /// How many calls it tells of: several only where calls were refused.
    async fn count(&self) -> i32 {
        told(self.0.count)
    }
}

/// Every field narrows.
#[derive(InputObject)]
pub(super) struct AuditFilter {
    /// Who did it.
    actor: Option<String>,
    /// What it was done to.
    kind: Option<String>,
    /// Which one.
    object_id: Option<ID>,
    /// Whether it was refused.
    refused: Option<bool>,
    /// At or after.
    from: Option<DateTime>,
    /// Before.
    to: Option<DateTime>,
}

impl From<AuditFilter> for service::AuditFilterInput {
    fn from(filter: AuditFilter) -> Self {
        Self {
            actor: filter.actor,
            kind: filter.kind,
            object_id: filter.object_id.map(|id| id.0),
            refused: filter.refused,
            from: filter.from.map(|t| t.0),
            to: filter.to.map(|t| t.0),
        }
    }
}

#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who changed what in this tenant, when and from where, and who was refused; newest first. Without a tenant, for the operator: the
    /// platform's own log, of tenants, Integration Systems and what else is no tenant's.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<AuditEntry>> {
        let (services, access) = of(ctx)?;
        let filter = filter.map(Into::into).unwrap_or_default();
        let counted = ctx.look_ahead().field("totalCount").exists();
        Ok(Page::of(services.audit_log(access, filter, asked(first, after), counted).await?, AuditEntry))
    }

    async fn audit_entry(&self, ctx: &Context<'_>, id: ID) -> Result<Option<AuditEntry>> {
        let (services, access) = of(ctx)?;
        Ok(services.audit_entry(access, &id).await?.map(AuditEntry))
    }
}
