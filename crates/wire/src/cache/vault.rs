use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Notices, Vault};
use tidegate_model::{Clock, Error, OpenCredential, TenantId};

use super::CacheOptions;
use super::asking::Asking;
use super::shelf::Shelf;

/// A tenant, and a name in it.
type Named = (TenantId, String);

type Found = Option<Arc<OpenCredential>>;

/// A [`Vault`] in front of another one, by the rules of a [`CachedRegistry`](super::CachedRegistry): a change is in force as soon as it
/// is noticed, and at the latest when the answer is no longer fresh.
///
/// It holds secrets in memory, in the clear: so do the calls that they are for.
pub struct CachedVault {
    asking: Asking<dyn Vault>,
    credentials: Arc<Shelf<Named, Found>>,
}

impl CachedVault {
    /// Begins empty.
    pub fn new(inner: Arc<dyn Vault>, notices: Arc<dyn Notices>, clock: Arc<dyn Clock>, options: CacheOptions) -> Self {
        let CacheOptions { entries, absences, .. } = options;
        Self {
            asking: Asking::new("the vault", inner, notices, clock, options),
            credentials: Shelf::new(entries, absences, Option::is_none),
        }
    }
}

#[async_trait]
impl Vault for CachedVault {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        let key = (tenant.clone(), name.to_owned());
        let (tenant, name) = key.clone();
        self.asking.through(&self.credentials, key, |inner| async move { inner.credential(&tenant, &name).await }).await
    }
}
