//! Retention: records, events, entries of the audit log and answers to repeated calls that are older than they are kept for are deleted, a small batch at a time.
//! Deliveries that a deleted Integration has left end here too. Where the database keeps each day's records apart, days are made ahead here, and dropped as a whole.

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
/// How often it looks for deliveries that a deleted Integration has left.
const ORPHANS_EVERY: Duration = Duration::from_mins(1);
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
    /// Keeps house until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        tokio::join!(self.end_orphans(&shutdown), self.keep_days(&shutdown));
    }

    /// Ends what deleted Integrations have left, at once and then every minute.
    async fn end_orphans(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            // The store tells of what fails.
            while self.store.end_orphans(self.clock.now(), BATCH).await.is_ok_and(|ended| ended >= u64::from(BATCH))
                && !shutdown.is_cancelled()
            {
                sleep(BREATH).await;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(ORPHANS_EVERY) => {}
            }
        }
    }

    /// Makes days and prunes at once, then every ten minutes.
    async fn keep_days(&self, shutdown: &CancellationToken) {
        let (mut not_made, mut not_pruned) = (false, false);
        while !shutdown.is_cancelled() {
            let made = self.store.make_days(self.clock.now()).await.map(drop);
            tell(&mut not_made, made, "no room was made for the records of the next days");
            tell(&mut not_pruned, self.prune(shutdown).await, "old records cannot be deleted");
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    async fn prune(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(before) = earlier(now, self.records) {
            self.store.drop_days(before).await?;
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

/// Tells of a failure when it begins, not each time that it goes on.
fn tell(failing: &mut bool, done: Result<(), Error>, what: &str) {
    let went_on = std::mem::replace(failing, done.is_err());
    if let Err(error) = done
        && !went_on
    {
        tracing::warn!(%error, "{what}; tried again in ten minutes");
    }
}

/// The instant that long ago; `None` when that is before time began.
fn earlier(now: Timestamp, by: Duration) -> Option<Timestamp> {
    now.checked_sub_signed(chrono::TimeDelta::from_std(by).ok()?)
}
