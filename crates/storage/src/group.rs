//! Many small writes in one commit: what waits while one batch is written is the next batch. No timer.

use std::time::Duration;

use tidegate_model::Error;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// What may wait: a few batches. More would only make every answer later, and memory is not where things are kept.
const QUEUE: usize = 1024;

/// The most that one transaction holds; a commit costs the same for one and for these.
const BATCH: usize = 256;

/// How long a caller waits for a place in the queue before it is told to come again.
const PATIENCE: Duration = Duration::from_millis(500);

type Waiting<T, R> = (T, oneshot::Sender<Result<R, Error>>);

/// What writes together. Its one task ends when it is dropped, after what waits is written.
pub(crate) struct Group<T, R> {
    queue: Sender<Waiting<T, R>>,
    /// What a caller is told to be missing when it cannot be served.
    what: &'static str,
    _tasks: TaskTracker,
}

impl<T: Send + 'static, R: Send + 'static> Group<T, R> {
    /// Starts the task; `write` answers one result for each of its batch.
    pub(crate) fn start<F>(what: &'static str, write: impl Fn(Vec<T>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<Result<R, Error>>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let tasks = TaskTracker::new();
        tasks.spawn(run(waiting, write));
        tasks.close();
        Self { queue, what, _tasks: tasks }
    }

    /// Answers when it is written.
    pub(crate) async fn write(&self, one: T) -> Result<R, Error> {
        let (answer, answered) = oneshot::channel();
        self.queue.send_timeout((one, answer), PATIENCE).await.map_err(|_| Error::Unavailable(self.what))?;
        answered.await.map_err(|_| Error::Unavailable(self.what))?
    }
}

async fn run<T, R, F>(mut waiting: Receiver<Waiting<T, R>>, write: impl Fn(Vec<T>) -> F)
where
    F: Future<Output = Vec<Result<R, Error>>>,
{
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (batch, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        for (result, answer) in write(batch).await.into_iter().zip(answers) {
            // Who waited may have gone; what was written stays all the same.
            let _gone = answer.send(result);
        }
    }
}
