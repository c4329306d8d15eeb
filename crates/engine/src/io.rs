//! Waiting for the outside, on the runtime that does I/O: a connection must not stand still because a script is busy.

use std::future::Future;

use tokio::runtime::Handle;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Where futures that do I/O run.
#[derive(Clone, Debug)]
pub(crate) struct Io {
    handle: Handle,
    tracker: TaskTracker,
}

impl Io {
    /// Uses the runtime that this is called on.
    pub(crate) fn here() -> Self {
        Self { handle: Handle::current(), tracker: TaskTracker::new() }
    }

    /// Waits for `work`, done elsewhere; gives it up when dropped. `None` when it panicked.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        AbortOnDropHandle::new(self.tracker.spawn_on(work, &self.handle)).await.ok()
    }

    /// Waits until nothing is under way any more.
    pub(crate) async fn drain(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
