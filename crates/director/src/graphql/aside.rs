use async_graphql::{Context, ID, Object, Result};
use tidegate_storage::contract::AsideEntry;

use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, PageCursor};
use crate::shown::{MAX_PAYLOAD, payload};

/// An entry of the bus that became no event. It holds up none, and is kept as long as records are.
pub(super) struct AsideEvent(pub(super) AsideEntry);

#[Object]
impl AsideEvent {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where it was published.
    async fn subject(&self) -> &str {
        &self.0.entry.subject
    }

    /// What was expected, and where.
    async fn reason(&self) -> &str {
        &self.0.entry.reason
    }

    /// When it came.
    async fn time(&self) -> DateTime {
        self.0.entry.time.into()
    }

    /// Text up to 64 KiB; other bytes as base64. What came in binary mode is shown in structured mode.
    async fn payload(&self) -> String {
        payload(&self.0.entry.payload)
    }

    /// Whether the payload was cut.
    async fn payload_truncated(&self) -> bool {
        self.0.entry.payload.len() > MAX_PAYLOAD
    }
}

#[derive(Default)]
pub(super) struct AsideQuery;

#[Object]
impl AsideQuery {
    /// What the bus had for this tenant that is no event, newest first. Without a tenant, for the operator: what is for no tenant that there is.
    async fn aside_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<AsideEvent>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.aside_events(access, asked(first, after)).await?, AsideEvent))
    }

    async fn aside_event(&self, ctx: &Context<'_>, id: ID) -> Result<Option<AsideEvent>> {
        let (services, access) = of(ctx)?;
        Ok(services.aside_event(access, &id).await?.map(AsideEvent))
    }
}

#[derive(Default)]
pub(super) struct AsideMutation;

#[Object]
impl AsideMutation {
    /// Publishes it again: as it is, or corrected, as a CloudEvent in structured mode. It is forgotten then. Answers the event's id.
    async fn resend_aside_event(&self, ctx: &Context<'_>, id: ID, payload: Option<String>) -> Result<ID> {
        let (services, access) = of(ctx)?;
        Ok(ID::from(services.resend_aside_event(access, &id, payload.as_deref()).await?))
    }

    async fn delete_aside_event(&self, ctx: &Context<'_>, id: ID) -> Result<AsideEvent> {
        let (services, access) = of(ctx)?;
        Ok(AsideEvent(services.delete_aside_event(access, &id).await?))
    }
}
