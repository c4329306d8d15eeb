//! A director with its work in the background.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::desk::Desk;

/// A director that works, until it is stopped.
pub(crate) struct Working(CancellationToken, TaskTracker);

impl Working {
    pub(crate) fn start(desk: &Desk) -> Self {
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (director, token) = (desk.director.clone(), shutdown.clone());
        tasks.spawn(async move { director.run(token).await });
        tasks.close();
        Self(shutdown, tasks)
    }

    pub(crate) async fn stop(self) {
        self.0.cancel();
        self.1.wait().await;
    }
}
