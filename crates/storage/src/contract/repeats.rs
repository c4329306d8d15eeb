use async_trait::async_trait;
use tidegate_model::contract::{Claim, Claimed};
use tidegate_model::{Error, Json, Timestamp};

/// What is done with the key of a repeated call; [`tidegate_model::contract::Repeats`] tells what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepeatStep {
    /// Takes it, unless another call has it at `now`.
    Claim {
        /// Of this call.
        claim: Claim,
        /// At this instant.
        now: Timestamp,
        /// Until this one.
        until: Timestamp,
    },
    /// Keeps the answer.
    Settle {
        /// Of this call.
        claim: Claim,
        /// The answer.
        answer: Json,
        /// Until this instant.
        until: Timestamp,
    },
    /// Lets it go.
    Release {
        /// By this call.
        claim: Claim,
    },
}

/// Which calls came, in batches.
#[async_trait]
pub trait RepeatedCalls {
    /// Takes these steps in one change, those with the same key in their order. Answers what each claim found; other steps, and claims of a tenant
    /// that is gone, find [`Claimed::First`].
    async fn take_repeat_steps(&self, steps: &[RepeatStep]) -> Result<Vec<Claimed>, Error>;

    /// Deletes up to `max` entries whose time is over at `now`; answers how many. Called until it answers less than `max`.
    async fn prune_repeats(&self, now: Timestamp, max: u32) -> Result<u64, Error>;
}
