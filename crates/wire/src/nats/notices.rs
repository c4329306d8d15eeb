//! [`Notices`] over plain NATS messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use tidegate_model::contract::Notices;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Link, NatsFault};

/// What this process has noticed.
pub(super) struct Changes {
    revision: AtomicU64,
    connections: watch::Sender<u64>,
    doubts: Notify,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self { revision: AtomicU64::new(0), connections: watch::Sender::new(0), doubts: Notify::new() }
    }

    /// The connection is there again: what was said meanwhile was not heard.
    pub(super) fn reconnected(&self) {
        self.noticed();
        self.connections.send_modify(|count| *count += 1);
    }

    /// Returns when the connection has been made anew.
    pub(super) async fn reconnection(&self) {
        let mut connections = self.connections.subscribe();
        if connections.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The connections from now on.
    pub(super) fn connections(&self) -> watch::Receiver<u64> {
        self.connections.subscribe()
    }

    /// The broker did not do what it was asked for: perhaps what it was asked about is gone.
    pub(super) fn doubt(&self) {
        self.doubts.notify_one();
    }

    /// Returns when somebody doubts, or has since this returned last.
    pub(super) async fn doubted(&self) {
        self.doubts.notified().await;
    }

    fn noticed(&self) {
        self.revision.fetch_add(1, Ordering::AcqRel);
    }
}

/// Counts what is said on the subject.
pub(super) struct NatsNotices(Link);

/// A notice is a hint: it is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

impl NatsNotices {
    /// Listens from when this returns.
    pub(super) async fn subscribe(link: Link, tasks: &TaskTracker, stop: CancellationToken) -> Result<Self, NatsFault> {
        let fault = |source: async_nats::Error| NatsFault::Subscribe { subject: link.names.notices.clone(), source };
        let mut said = link.client.subscribe(link.names.notices.clone()).await.map_err(|e| fault(Box::new(e)))?;
        link.client.flush().await.map_err(|e| fault(Box::new(e)))?;
        let changes = Arc::clone(&link.changes);
        tasks.spawn(stop.run_until_cancelled_owned(async move {
            while said.next().await.is_some() {
                changes.noticed();
            }
        }));
        Ok(Self(link))
    }
}

#[async_trait]
impl Notices for NatsNotices {
    fn revision(&self) -> u64 {
        self.0.changes.revision.load(Ordering::Acquire)
    }

    async fn announce(&self) {
        self.0.changes.noticed();
        let said = async {
            self.0.client.publish(self.0.names.notices.clone(), bytes::Bytes::new()).await.ok()?;
            self.0.client.flush().await.ok()
        };
        if !matches!(tokio::time::timeout(PATIENCE, said).await, Ok(Some(()))) {
            tracing::debug!("a change could not be announced; others learn of it by the age of what they hold");
        }
    }
}
