//! Retention: records, events, entries of the audit log and answers to repeated calls that are older than they are kept for are deleted, a small batch at a time.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{Clock, Error, Timestamp};
use tidegate_storage::Store;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many rows one statement deletes: others wait for the database no longer than that takes.
const BATCH: u32 = 500;
/// How often it looks.
const EVERY: Duration = Duration::from_mins(10);
/// Between two batches, so that others come in between.
const BREATH: Duration = Duration::from_millis(20);

/// Deletes what is too old.
pub(crate) struct Retention {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) records: Duration,
    pub(crate) events: Duration,
    pub(crate) audit: Duration,
}

impl Retention {
    /// Prunes at once, then every ten minutes, until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let mut failing = false;
        while !shutdown.is_cancelled() {
            match self.prune(&shutdown).await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "old records cannot be deleted; tried again in ten minutes");
                    }
                    failing = true;
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    async fn prune(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(before) = earlier(now, self.records) {
            while self.store.prune_executions(before, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
                sleep(BREATH).await;
            }
            while self.store.prune_aside(before, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
                sleep(BREATH).await;
            }
            while self.store.prune_replays(before, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
                sleep(BREATH).await;
            }
        }
        if let Some(before) = earlier(now, self.events) {
            while self.store.prune_events(before, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
                sleep(BREATH).await;
            }
        }
        if let Some(before) = earlier(now, self.audit) {
            while self.store.prune_audit_entries(before, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
                sleep(BREATH).await;
            }
        }
        while self.store.prune_repeats(now, BATCH).await? >= u64::from(BATCH) && !shutdown.is_cancelled() {
            sleep(BREATH).await;
        }
        Ok(())
    }
}

/// The instant that long ago; `None` when that is before time began.
fn earlier(now: Timestamp, by: Duration) -> Option<Timestamp> {
    now.checked_sub_signed(chrono::TimeDelta::from_std(by).ok()?)
}
