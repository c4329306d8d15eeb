use async_trait::async_trait;
use tidegate_model::{Error, Timestamp};

/// The store's own health and housekeeping.
#[async_trait]
pub trait Bookkeeping {
    /// Whether the database answers; bounded in time.
    async fn ping(&self) -> Result<(), Error>;

    /// Deletes up to `max` execution records that began before `before`; answers how many. Called until it answers less than `max`.
    async fn prune_executions(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` events (the seen ones that no open delivery needs) and entries of the local log from before `before`.
    async fn prune_events(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` entries of the log that were kept aside and came before `before`.
    async fn prune_aside(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` replays that ended before `before`.
    async fn prune_replays(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Closes connections after what is under way.
    async fn close(&self);
}
