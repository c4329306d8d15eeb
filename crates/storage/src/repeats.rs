//! [`Repeats`] over a store, many steps in one commit: what waits while one batch is written is the next batch. No timer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_model::contract::{Claim, Claimed, Repeats};
use tidegate_model::{Error, Json, Timestamp};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::contract::{RepeatStep, Store};

/// What may wait: a few batches. More would only make every answer later.
const QUEUE: usize = 1024;

/// The most that one transaction holds; a commit costs the same for one and for these.
const BATCH: usize = 256;

/// How long a caller waits for a place in the queue before it is told to come again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is missing when nothing can be told.
const REPEATS: &str = "what is known of repeated calls";

type Answer = oneshot::Sender<Result<Claimed, Error>>;

/// Asks a store. Its one task ends when it is dropped, after what waits is written.
pub(crate) struct GroupRepeats {
    queue: Sender<(RepeatStep, Answer)>,
    _tasks: TaskTracker,
}

impl GroupRepeats {
    /// Starts the task that writes.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let tasks = TaskTracker::new();
        tasks.spawn(write(store, waiting));
        tasks.close();
        Self { queue, _tasks: tasks }
    }

    async fn take(&self, step: RepeatStep) -> Result<Claimed, Error> {
        let (answer, answered) = oneshot::channel();
        self.queue.send_timeout((step, answer), PATIENCE).await.map_err(|_| Error::Unavailable(REPEATS))?;
        answered.await.map_err(|_| Error::Unavailable(REPEATS))?
    }
}

#[async_trait]
impl Repeats for GroupRepeats {
    async fn claim(&self, claim: &Claim, now: Timestamp, until: Timestamp) -> Result<Claimed, Error> {
        self.take(RepeatStep::Claim { claim: claim.clone(), now, until }).await
    }

    async fn settle(&self, claim: &Claim, answer: &Json, until: Timestamp) -> Result<(), Error> {
        self.take(RepeatStep::Settle { claim: claim.clone(), answer: answer.clone(), until }).await.map(|_| ())
    }

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        self.take(RepeatStep::Release { claim: claim.clone() }).await.map(|_| ())
    }
}

async fn write(store: Arc<dyn Store>, mut waiting: Receiver<(RepeatStep, Answer)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (steps, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let found = store.take_repeat_steps(&steps).await;
        let results: Vec<Result<Claimed, Error>> = match found {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); steps.len()],
        };
        for (result, answer) in results.into_iter().zip(answers) {
            // Who waited may have gone; what was claimed for it ends with its time.
            let _gone = answer.send(result);
        }
    }
}
