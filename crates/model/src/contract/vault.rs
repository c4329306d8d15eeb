//! Third parties' secrets, as runs need them.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, OpenCredential, TenantId};

/// Opens credentials for the roles that call third parties and check their signatures. Nothing that a script or a caller reads may hold
/// what it answers.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Finds the tenant's credential of this name as it is now, with its secrets.
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error>;
}
