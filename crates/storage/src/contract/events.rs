use async_trait::async_trait;
use tidegate_model::{Error, Event};

/// Events of committed changes, on their way to the bus. The order of one object's events is the order of its changes.
#[async_trait]
pub trait Outbox {
    /// Returns when something was committed to the outbox by this process, or after at most a second: others write to it too.
    async fn outbox_wake(&self);
    /// The oldest entries, in order, while no other process is relaying (`None` then). `holder` keeps the right to relay for ten
    /// seconds from `now`; asking again renews it.
    async fn outbox_claim(
        &self,
        holder: uuid::Uuid,
        now: tidegate_model::Timestamp,
        max: u32,
    ) -> Result<Option<Vec<(i64, Event)>>, Error>;
    /// Removes what the bus has accepted.
    async fn outbox_done(&self, ids: &[i64]) -> Result<(), Error>;
}
