//! Replays by filter, worked off step by step: bounded reads, one transaction each, at the rate that was asked for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{Clock, Delivery, Error, ExecutionId, Randomness, Replay, Timestamp};
use tidegate_storage::Store;
use tidegate_storage::contract::ReplayStep;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many records one step looks at, at most.
const STEP: u16 = 100;
/// How often it looks for what another process began, and how long it waits after a failure.
const POLL: Duration = Duration::from_secs(1);

/// Works replays off.
pub(crate) struct Replays {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Hears when one was begun in this process.
    pub(crate) begun: Arc<Notify>,
}

impl Replays {
    /// Makes step after step until shutdown. Several processes may do so at once: of those who make the same step one stores it.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let mut failing = false;
        while !shutdown.is_cancelled() {
            let wait = match self.turn().await {
                Ok(wait) => {
                    failing = false;
                    wait
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "replays wait: they cannot be worked off now");
                    }
                    failing = true;
                    POLL
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(wait) => {}
                () = self.begun.notified() => {}
            }
        }
    }

    /// Makes the step that is due, and answers how long there is none.
    async fn turn(&self) -> Result<Duration, Error> {
        let Some((replay, from, due)) = self.store.next_replay().await? else { return Ok(POLL) };
        let now = self.clock.now();
        if let Ok(wait) = (due - now).to_std()
            && !wait.is_zero()
        {
            return Ok(wait.min(POLL));
        }
        let step = self.step(&replay, from, now).await?;
        if self.store.take_replay_step(&replay, &step).await? && step.next_at.is_none() {
            tracing::info!(tenant = %replay.tenant, replay = %replay.id, "a replay has ended");
        }
        Ok(Duration::ZERO)
    }

    async fn step(&self, replay: &Replay, from: ExecutionId, now: Timestamp) -> Result<ReplayStep, Error> {
        let max = u16::try_from(replay.rate_per_second).unwrap_or(STEP).min(STEP);
        let until = ExecutionId(replay.id.0);
        let records = self.store.ended_executions(&replay.tenant, &replay.filter, from, until, max).await?;
        let last = records.len() < usize::from(max);
        let to = records.last().map_or(from, |record| record.id);
        let (mut deliveries, mut refused) = (Vec::new(), 0);
        let mut integrations = HashMap::new();
        for record in &records {
            // Runs of INCOMING Integrations cannot be replayed, and are not counted either.
            let Some(about) = &record.event else { continue };
            let integration = match integrations.entry(record.integration) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(self.store.integration(&replay.tenant, record.integration).await?)
                }
            };
            let event = self.store.event(&replay.tenant, &about.id).await?;
            let (Some(integration), Some(event)) = (integration, event) else {
                refused += 1;
                continue;
            };
            let id = ExecutionId::generate(&*self.clock, &*self.randomness);
            deliveries.push(Delivery::open(event, integration, id, now).replay_of(record.id));
        }
        let pace = i64::try_from(deliveries.len()).unwrap_or(0) * 1_000_000 / i64::from(replay.rate_per_second.max(1));
        let next_at = (!last).then(|| now + TimeDelta::microseconds(pace));
        Ok(ReplayStep { from, to, deliveries, refused, next_at, now })
    }
}
