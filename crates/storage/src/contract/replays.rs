use async_trait::async_trait;
use tidegate_model::{Delivery, Error, ExecutionId, Page, PageOf, Replay, ReplayId, TenantId, Timestamp};

/// How far a replay came in one step.
#[derive(Clone, Debug)]
pub struct ReplayStep {
    /// The last record that it looked at before this step.
    pub from: ExecutionId,
    /// The last one now.
    pub to: ExecutionId,
    /// What is replayed. Those whose Integration has gone meanwhile are refused.
    pub deliveries: Vec<Delivery>,
    /// How many could not be.
    pub refused: u64,
    /// When the next step is due; `None` when this was the last one, and it ended at `now`.
    pub next_at: Option<Timestamp>,
    /// When this is.
    pub now: Timestamp,
}

/// Replays by filter.
#[async_trait]
pub trait Replays {
    /// Begins one; its first step is due at once.
    async fn insert_replay(&self, replay: &Replay) -> Result<(), Error>;

    /// Finds one.
    async fn replay(&self, tenant: &TenantId, id: ReplayId) -> Result<Option<Replay>, Error>;

    /// The newest first.
    async fn replays(&self, tenant: &TenantId, page: PageOf<ReplayId>) -> Result<Page<Replay>, Error>;

    /// Ends one that runs, and answers it; one that has ended stays as it is.
    async fn stop_replay(&self, tenant: &TenantId, id: ReplayId, now: Timestamp) -> Result<Option<Replay>, Error>;

    /// Of all tenants' the one whose next step is due first, with the last record that it looked at and when it is due; `None` when none runs.
    async fn next_replay(&self) -> Result<Option<(Replay, ExecutionId, Timestamp)>, Error>;

    /// Adds deliveries and remembers how far it came, in one transaction. `false` when somebody else made this step, or it was stopped:
    /// then nothing was stored.
    async fn take_replay_step(&self, replay: &Replay, step: &ReplayStep) -> Result<bool, Error>;
}
