//! [`Repeats`] over a store, many steps in one commit.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Claim, Claimed, Repeats};
use tidegate_model::{Error, Json, Timestamp};

use crate::contract::{RepeatStep, Store};
use crate::group::Group;

/// Asks a store. What was claimed for a caller that has gone ends with its time.
pub(crate) struct GroupRepeats(Group<RepeatStep, Claimed>);

impl GroupRepeats {
    /// Starts the task that writes.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        Self(Group::start("what is known of repeated calls", move |steps| take(store.clone(), steps)))
    }
}

#[async_trait]
impl Repeats for GroupRepeats {
    async fn claim(&self, claim: &Claim, now: Timestamp, until: Timestamp) -> Result<Claimed, Error> {
        self.0.write(RepeatStep::Claim { claim: claim.clone(), now, until }).await
    }

    async fn settle(&self, claim: &Claim, answer: &Json, until: Timestamp) -> Result<(), Error> {
        self.0.write(RepeatStep::Settle { claim: claim.clone(), answer: answer.clone(), until }).await.map(|_| ())
    }

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        self.0.write(RepeatStep::Release { claim: claim.clone() }).await.map(|_| ())
    }
}

async fn take(store: Arc<dyn Store>, steps: Vec<RepeatStep>) -> Vec<Result<Claimed, Error>> {
    match store.take_repeat_steps(&steps).await {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); steps.len()],
    }
}
