use async_trait::async_trait;
use tidegate_model::{Error, Event, IntegrationId, Pause, TenantId, Timestamp};

/// Integrations whose deliveries wait, and those that are on the way there.
#[async_trait]
pub trait Pauses {
    /// Pauses it, and stores the event of that. `false`, and nothing is stored, when it is paused already or is not there.
    async fn pause(&self, tenant: &TenantId, id: IntegrationId, pause: Pause, event: &Event) -> Result<bool, Error>;

    /// Ends the pause, stores the event of that, and forgets since when its calls fail. `false`, and nothing is stored, when it is not
    /// paused.
    async fn resume(&self, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<bool, Error>;

    /// Notes that a call failed at `at`. Answers since when no call has arrived; `None` when the Integration is not there.
    async fn note_failure(
        &self,
        tenant: &TenantId,
        id: IntegrationId,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, Error>;

    /// Notes that a call arrived.
    async fn note_arrival(&self, tenant: &TenantId, id: IntegrationId) -> Result<(), Error>;

    /// Which of these are paused.
    async fn paused(&self, ids: &[IntegrationId]) -> Result<Vec<IntegrationId>, Error>;
}
