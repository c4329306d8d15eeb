//! Asking another one, unless what it said before still holds.

use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::contract::Notices;
use tidegate_model::{Clock, Error, Timestamp};
use tokio::time::timeout;

use super::CacheOptions;
use super::shelf::Shelf;

/// A contract that is carried out elsewhere, with what is needed to tell whether an answer of it still holds.
pub(super) struct Asking<C: ?Sized> {
    whose: &'static str,
    inner: Arc<C>,
    notices: Arc<dyn Notices>,
    clock: Arc<dyn Clock>,
    options: CacheOptions,
    away: Mutex<Option<Away>>,
}

/// The inner one was just found to be away; whoever has something to use does not ask until then, or until a notice comes.
#[derive(Clone, Copy)]
struct Away {
    until: Timestamp,
    revision: u64,
}

impl<C: ?Sized + Send + Sync> Asking<C> {
    pub(super) fn new(
        whose: &'static str,
        inner: Arc<C>,
        notices: Arc<dyn Notices>,
        clock: Arc<dyn Clock>,
        options: CacheOptions,
    ) -> Self {
        Self { whose, inner, notices, clock, options, away: Mutex::new(None) }
    }

    pub(super) async fn through<K, V, F>(
        &self,
        kept_in: &Arc<Shelf<K, V>>,
        key: K,
        ask: impl FnOnce(Arc<C>) -> F + Send,
    ) -> Result<V, Error>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
        F: Future<Output = Result<V, Error>> + Send + 'static,
    {
        // Before asking: what changes while the answer is under way makes it stale.
        let (revision, now) = (self.notices.revision(), self.clock.now());
        let held = kept_in.get(&key);
        if let Some(entry) = &held
            && entry.revision == revision
            && is_younger(entry.read_at, now, self.options.fresh_for)
        {
            return Ok(entry.value.clone());
        }
        let usable = held.filter(|entry| {
            !kept_in.is_absence(&entry.value) && is_younger(entry.read_at, now, self.options.usable_for)
        });
        let Some(usable) = usable else {
            return kept_in.ask(key, revision, now, ask(self.inner.clone())).await;
        };
        if self.is_left_alone(revision, now) {
            return Ok(usable.value);
        }
        let asked = kept_in.ask(key, revision, now, ask(self.inner.clone()));
        match timeout(self.options.patience, asked).await {
            Err(_) | Ok(Err(Error::Unavailable(_))) => {
                self.note_away(revision);
                Ok(usable.value)
            }
            Ok(answer) => {
                self.note_there();
                answer
            }
        }
    }

    /// Whether it was just found to be away. When that is over, one caller asks, and the others go on meanwhile.
    fn is_left_alone(&self, revision: u64, now: Timestamp) -> bool {
        let mut away = self.away();
        match away.as_mut().filter(|away| away.revision == revision) {
            Some(away) if now < away.until => true,
            Some(away) => {
                away.until = now + self.away_for();
                false
            }
            // Something changed: older answers serve only where it was away since.
            None => false,
        }
    }

    /// The time that was waited for an answer counts for nothing: the next one asks when more has passed.
    fn note_away(&self, revision: u64) {
        let until = self.clock.now() + self.away_for();
        if self.away().replace(Away { until, revision }).is_none() {
            tracing::warn!(whose = self.whose, "it is away: older answers serve");
        }
    }

    fn note_there(&self) {
        if self.away().take().is_some() {
            tracing::info!(whose = self.whose, "it answers again");
        }
    }

    fn away(&self) -> MutexGuard<'_, Option<Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away_for(&self) -> TimeDelta {
        TimeDelta::from_std(self.options.away_for).unwrap_or_default()
    }
}

/// Whether what was read then is younger than that now. A clock that was set back makes nothing younger.
fn is_younger(read_at: Timestamp, now: Timestamp, than: Duration) -> bool {
    (now - read_at).to_std().is_ok_and(|age| age < than)
}
