//! Replays by filter: many runs of the past again, one by one, at a rate.

use crate::{ExecutionFilter, ReplayId, TenantId, Timestamp};

/// A replay of all that a filter finds, worked off in steps, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Sorts by when it was begun; only runs with smaller ids are replayed, so it never meets its own.
    pub id: ReplayId,
    /// Whose.
    pub tenant: TenantId,
    /// How it stands.
    pub state: ReplayState,
    /// What is replayed.
    pub filter: ExecutionFilter,
    /// How many in a second, at most.
    pub rate_per_second: u32,
    /// How many there were when it was begun.
    pub count: u64,
    /// How many have been replayed.
    pub replayed: u64,
    /// How many could not be: their Integration is deleted, or their event is no longer kept.
    pub refused: u64,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayState {
    /// More is to come.
    Running,
    /// Everything was replayed.
    Done,
    /// Somebody stopped it.
    Stopped,
}

impl ReplayState {
    /// The name that GraphQL and the tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Stopped => "STOPPED",
        }
    }
}
