//! Appending records, many in one commit: what waits while one batch is written is the next batch. No timer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_model::contract::Recorder;
use tidegate_model::{Error, Execution};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::contract::Store;

/// What may wait: a few batches. More would only make every answer later, and memory is not where records are kept.
const QUEUE: usize = 1024;

/// The most that one transaction holds; a commit costs the same for one and for these.
const BATCH: usize = 256;

/// How long a caller waits for a place in the queue before it is told to come again.
const PATIENCE: Duration = Duration::from_millis(500);

type Answer = oneshot::Sender<Result<(), Error>>;

/// Appends to a store. Its one task ends when it is dropped, after what waits is written.
pub(crate) struct GroupRecorder {
    queue: Sender<(Execution, Answer)>,
    _tasks: TaskTracker,
}

impl GroupRecorder {
    /// Starts the task that writes.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let tasks = TaskTracker::new();
        tasks.spawn(write(store, waiting));
        tasks.close();
        Self { queue, _tasks: tasks }
    }
}

#[async_trait]
impl Recorder for GroupRecorder {
    async fn append(&self, execution: Execution) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let full = |_| Error::Unavailable("the recorder");
        self.queue.send_timeout((execution, answer), PATIENCE).await.map_err(full)?;
        answered.await.map_err(|_| Error::Unavailable("the recorder"))?
    }
}

async fn write(store: Arc<dyn Store>, mut waiting: Receiver<(Execution, Answer)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (executions, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let written = store.append_executions(&executions).await;
        let alone = executions.len() > 1 && matches!(written, Err(Error::Internal { .. } | Error::InvalidData(_)));
        for (execution, answer) in executions.iter().zip(answers) {
            // One record that cannot be stored must not take the others with it.
            let result =
                if alone { store.append_executions(std::slice::from_ref(execution)).await } else { written.clone() };
            // Who waited may have gone; the record is kept all the same.
            let _gone = answer.send(result);
        }
    }
}
