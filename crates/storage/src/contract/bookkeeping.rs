use async_trait::async_trait;
use tidegate_model::{Error, Timestamp};
use uuid::Uuid;

/// The store's own health and housekeeping.
#[async_trait]
pub trait Bookkeeping {
    /// Whether the database answers, and takes changes; bounded in time.
    async fn ping(&self) -> Result<(), Error>;

    /// The time of the database's server, where several processes may use it (PostgreSQL).
    async fn time(&self) -> Result<Option<Timestamp>, Error>;

    /// Makes room for the records of the day of `now`, counted in UTC, and of the three after it, where the database keeps each day's apart
    /// (PostgreSQL); answers how many days it made. One that cannot be made at once, because somebody else is at work there, is left for
    /// the next call: until then its records have another place.
    async fn make_days(&self, now: Timestamp) -> Result<u64, Error>;

    /// Drops the days that are kept apart and whose every record began before `before`; answers how many. Nobody waits long for it: a day
    /// that somebody reads is left for the next call.
    async fn drop_days(&self, before: Timestamp) -> Result<u64, Error>;

    /// Deletes up to `max` execution records that began before `before`; answers how many. Called until it answers less than `max`. Those
    /// of a day that is kept apart go with it ([`Bookkeeping::drop_days`]); one by one, if it could have been dropped a day ago and was not.
    async fn prune_executions(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Ends up to `max` deliveries whose Integration was deleted, and that nobody has a lease of: as FAILED, each in a record. Answers how many.
    /// Called until it answers less than `max`.
    async fn end_orphans(&self, now: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` events (the seen ones that no open delivery needs) and entries of the local log from before `before`.
    async fn prune_events(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` entries of the log that were kept aside and came before `before`.
    async fn prune_aside(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Deletes up to `max` replays that ended before `before`.
    async fn prune_replays(&self, before: Timestamp, max: u32) -> Result<u64, Error>;

    /// Gives the right to do `what`, which one process at a time may do, to `holder` until `until`; it may be given again to who has it. Whether
    /// it did: somebody else can have it at `now`.
    async fn lease(&self, what: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool, Error>;

    /// By what this database is told from others: `candidate`, where it has no name of its own yet. It keeps it for good.
    async fn installation(&self, candidate: Uuid) -> Result<Uuid, Error>;

    /// Closes connections after what is under way.
    async fn close(&self);
}
