//! The outbox relay: what was committed reaches the bus, in order, however often the bus is away.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::contract::EventLog;
use tidegate_model::{Clock, Error, Event};
use tidegate_storage::Store;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many entries are claimed at once.
const BATCH: u32 = 200;
/// How many are published at once: a commit of the local log costs the same for one and for these. A bus that takes a quarter of a second for
/// each keeps within the limit.
const TOGETHER: usize = 16;
/// A claim lasts ten seconds: no publish is begun after this long, and none takes longer than the limit.
const CLAIM_USED: TimeDelta = TimeDelta::seconds(5);
const PUBLISH_LIMIT: Duration = Duration::from_secs(4);
/// How long it waits after a failure: doubled with each, up to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Takes events from the outbox to the bus.
pub(crate) struct Relay {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who claims.
    pub(crate) holder: Uuid,
}

impl Relay {
    /// Relays until shutdown. An event is repeated with its id until the bus has accepted it; an outage is one line in the log.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            let pause = match self.relay_once().await {
                Ok(relayed) => {
                    if failures > 0 {
                        tracing::info!(failures, "events reach the bus again");
                    }
                    failures = 0;
                    if relayed {
                        continue;
                    }
                    None
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "events cannot be relayed to the bus; they wait in the outbox");
                    }
                    failures += 1;
                    Some(backoff(failures))
                }
            };
            let wait = async {
                match pause {
                    Some(pause) => sleep(pause).await,
                    None => self.store.outbox_wake().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = wait => {}
            }
        }
    }

    /// Relays one batch; `false` when there was nothing to do, or another process relays.
    async fn relay_once(&self) -> Result<bool, Error> {
        let began = self.clock.now();
        let Some(entries) = self.store.outbox_claim(self.holder, began, BATCH).await? else { return Ok(false) };
        let mut accepted = Vec::with_capacity(entries.len());
        let mut failed = None;
        let (ids, events): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        for (ids, events) in ids.chunks(TOGETHER).zip(events.chunks(TOGETHER)) {
            if self.clock.now() - began > CLAIM_USED {
                break;
            }
            if let Err(error) = self.publish(events).await {
                failed = Some(error);
                break;
            }
            accepted.extend_from_slice(ids);
        }
        if !accepted.is_empty() {
            self.store.outbox_done(&accepted).await?;
        }
        failed.map_or(Ok(!accepted.is_empty()), Err)
    }

    async fn publish(&self, events: &[Event]) -> Result<(), Error> {
        match timeout(PUBLISH_LIMIT, self.events.publish_all(events)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Unavailable("the bus")),
        }
    }
}

fn backoff(failures: u32) -> Duration {
    BACKOFF.0.saturating_mul(1 << failures.min(10)).min(BACKOFF.1)
}
