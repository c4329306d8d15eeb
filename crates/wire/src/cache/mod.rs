//! A registry and a vault that remember: what makes the data plane fast, and what keeps it going while the control plane is away.

mod asking;
mod flights;
mod shelf;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_model::contract::{Notices, Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Clock, Error, EventType, IntegrationId, Runnable, TenantId, TypeName};

use self::asking::Asking;
use self::shelf::Shelf;
pub use self::vault::CachedVault;

/// How much a [`CachedRegistry`] or a [`CachedVault`] holds, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    /// Answers held of each kind of question. One is as large as its scripts.
    pub entries: usize,
    /// "There is none" answers held of each kind: apart, so that a stranger who guesses keys pushes out no real one.
    pub absences: usize,
    /// An answer is used this long without asking again, unless a notice comes sooner.
    pub fresh_for: Duration,
    /// While the inner one is away, an answer of this age is still used. An absence never is.
    pub usable_for: Duration,
    /// How long an inner one that may be away is waited for when there is an answer that can still be used.
    pub patience: Duration,
    /// Once it was found to be away, one caller in this time asks it again; the others use the answer that they have.
    pub away_for: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            entries: 10_000,
            absences: 10_000,
            fresh_for: Duration::from_secs(1),
            usable_for: Duration::from_hours(1),
            patience: Duration::from_secs(1),
            away_for: Duration::from_secs(2),
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
    asking: Asking<dyn Registry>,
    keys: Arc<Shelf<WebhookKeyHash, Resolved>>,
    subscribers: Arc<Shelf<Kind, Subscribers>>,
    integrations: Arc<Shelf<(TenantId, IntegrationId), Found>>,
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
            asking: Asking::new("the registry", inner, notices, clock, options),
            keys: Shelf::new(entries, absences, |resolved| *resolved == Resolved::None),
            subscribers: Shelf::new(entries, absences, |subscribers| subscribers.is_empty()),
            integrations: Shelf::new(entries, absences, Option::is_none),
        }
    }
}

#[async_trait]
impl Registry for CachedRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        self.asking.through(&self.keys, key, |inner| async move { inner.resolve(key).await }).await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        let key = (tenant.clone(), object_type.clone(), event_type);
        let (tenant, object_type) = (tenant.clone(), object_type.clone());
        self.asking
            .through(&self.subscribers, key, |inner| async move {
                inner.subscribers(&tenant, &object_type, event_type).await
            })
            .await
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        let tenant = tenant.clone();
        self.asking
            .through(&self.integrations, (tenant.clone(), id), |inner| async move { inner.find(&tenant, id).await })
            .await
    }
}
