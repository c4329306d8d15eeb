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
#[async_trait]
pub trait ScriptCheck: Send + Sync {
    /// Compiles without running.
    fn check(&self, source: &str) -> Result<(), ScriptFault>;

    /// Tells what is doubtful in a script that compiles, in its order; never more than a hundred things, and within seconds whatever the
    /// script is. One that cannot be judged has the one warning that says so.
    async fn lint(&self, source: &str) -> Vec<ScriptWarning>;
}

/// Where a script does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ScriptFault {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

/// Something doubtful in a script, which may be saved all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptWarning {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// What it breaks.
    pub rule: ScriptRule,
    /// What is doubtful.
    pub message: String,
}

/// What scripts are looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptRule {
    /// It reads a name that neither it nor the platform defines.
    UnknownGlobal,
    /// It never reads a local.
    UnusedLocal,
    /// It can end without having returned anything.
    MissingReturn,
    /// It was not looked at.
    NotLinted,
}

impl ScriptRule {
    /// The name that GraphQL uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownGlobal => "UNKNOWN_GLOBAL",
            Self::UnusedLocal => "UNUSED_LOCAL",
            Self::MissingReturn => "MISSING_RETURN",
            Self::NotLinted => "NOT_LINTED",
        }
    }
}
