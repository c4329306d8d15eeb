//! A registry that remembers: what makes the data plane fast, and what keeps it going while the control plane is away.

mod flights;
mod shelf;

use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tidegate_model::contract::{Notices, Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Clock, Error, EventType, IntegrationId, Runnable, TenantId, Timestamp, TypeName};
use tokio::time::timeout;

use self::shelf::Shelf;

/// How much a [`CachedRegistry`] holds, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    /// Answers held of each kind of question. One is as large as its scripts.
    pub entries: usize,
    /// "There is none" answers held of each kind: apart, so that a stranger who guesses keys pushes out no real one.
    pub absences: usize,
    /// An answer is used this long without asking again, unless a notice comes sooner.
    pub fresh_for: Duration,
    /// While the registry is away, an answer of this age is still used. An absence never is.
    pub usable_for: Duration,
    /// How long a registry that may be away is waited for when there is an answer that can still be used.
    pub patience: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            entries: 10_000,
            absences: 10_000,
            fresh_for: Duration::from_secs(1),
            usable_for: Duration::from_hours(1),
            patience: Duration::from_secs(1),
        }
    }
}

type Kind = (TenantId, TypeName, EventType);
type Subscribers = Arc<[Arc<Runnable>]>;
type Found = Option<Arc<Runnable>>;

/// A [`Registry`] in front of another one.
///
/// An answer is fresh while no change was noticed since *before* it was asked for, and while it is young; concurrent questions about
/// one thing ask once. When the inner registry is `Unavailable`, an older answer serves.
pub struct CachedRegistry {
    inner: Arc<dyn Registry>,
    notices: Arc<dyn Notices>,
    clock: Arc<dyn Clock>,
    options: CacheOptions,
    keys: Arc<Shelf<WebhookKeyHash, Resolved>>,
    subscribers: Arc<Shelf<Kind, Subscribers>>,
    integrations: Arc<Shelf<(TenantId, IntegrationId), Found>>,
    away: Mutex<Option<Away>>,
}

/// The inner registry was just found to be away; whoever has something to use does not ask until then, or until a notice comes.
#[derive(Clone, Copy)]
struct Away {
    until: Timestamp,
    revision: u64,
}

impl CachedRegistry {
    /// Begins empty.
    pub fn new(
        inner: Arc<dyn Registry>,
        notices: Arc<dyn Notices>,
        clock: Arc<dyn Clock>,
        options: CacheOptions,
    ) -> Self {
        let CacheOptions { entries, absences, .. } = options;
        Self {
            inner,
            notices,
            clock,
            options,
            keys: Shelf::new(entries, absences, |resolved| *resolved == Resolved::None),
            subscribers: Shelf::new(entries, absences, |subscribers| subscribers.is_empty()),
            integrations: Shelf::new(entries, absences, Option::is_none),
            away: Mutex::new(None),
        }
    }

    async fn through<K, V, F>(
        &self,
        kept_in: &Arc<Shelf<K, V>>,
        key: K,
        ask: impl FnOnce(Arc<dyn Registry>) -> F + Send,
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
        if self.is_away(revision, now) {
            return Ok(usable.value);
        }
        let asked = kept_in.ask(key, revision, now, ask(self.inner.clone()));
        match timeout(self.options.patience, asked).await {
            Err(_) | Ok(Err(Error::Unavailable(_))) => {
                self.note_away(revision, now);
                Ok(usable.value)
            }
            Ok(answer) => answer,
        }
    }

    fn is_away(&self, revision: u64, now: Timestamp) -> bool {
        let away = *self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.is_some_and(|away| away.revision == revision && now < away.until)
    }

    fn note_away(&self, revision: u64, now: Timestamp) {
        tracing::warn!("the registry is away: older answers serve");
        let until = now + TimeDelta::from_std(self.options.fresh_for).unwrap_or_default();
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(Away { until, revision });
    }
}

/// Whether what was read then is younger than that now. A clock that was set back makes nothing younger.
fn is_younger(read_at: Timestamp, now: Timestamp, than: Duration) -> bool {
    (now - read_at).to_std().is_ok_and(|age| age < than)
}

#[async_trait]
impl Registry for CachedRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        self.through(&self.keys, key, |inner| async move { inner.resolve(key).await }).await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        let key = (tenant.clone(), object_type.clone(), event_type);
        let (tenant, object_type) = (tenant.clone(), object_type.clone());
        self.through(&self.subscribers, key, |inner| async move {
            inner.subscribers(&tenant, &object_type, event_type).await
        })
        .await
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        let tenant = tenant.clone();
        self.through(&self.integrations, (tenant.clone(), id), |inner| async move { inner.find(&tenant, id).await })
            .await
    }
}
