//! What the data plane asks of the registry.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, EventType, IntegrationId, Runnable, TenantId, TypeName};

/// The SHA-256 of a webhook key: all that is stored of it in the clear, and all that crosses between services.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WebhookKeyHash(pub [u8; 32]);

impl WebhookKeyHash {
    /// Hashes the key as it stands in the URL. Keys are 256 random bits, so a plain hash cannot be reversed by trying.
    pub fn of(key: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        Self(hash)
    }
}

impl fmt::Debug for WebhookKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKeyHash(..)")
    }
}

/// What stands behind a webhook key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Nothing: unknown, regenerated away, deleted, or not INCOMING.
    None,
    /// One INCOMING Integration.
    One(Arc<Runnable>),
    /// More than one; the schema forbids it, the contract has an answer (500, no script runs).
    Many,
}

/// The definitions, as runs need them.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Finds the INCOMING Integration behind a key.
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error>;

    /// Lists the OUTGOING Integrations that listen to this, inactive ones included, in a stable order.
    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error>;

    /// Finds an Integration as it is now.
    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error>;
}

/// Tells caches that definitions changed.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Grows with every change that this process has heard of. What was read under a smaller revision is stale.
    fn revision(&self) -> u64;

    /// Says that definitions changed. In this process [`Notices::revision`] has grown when it returns; elsewhere usually at once.
    /// It never fails: who misses it learns by the age of what it holds.
    async fn announce(&self);
}

/// Whether a script may be saved.
pub trait ScriptCheck: Send + Sync {
    /// Compiles without running.
    fn check(&self, source: &str) -> Result<(), ScriptFault>;
}

/// Where a script does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptFault {
    /// Counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub message: String,
}
