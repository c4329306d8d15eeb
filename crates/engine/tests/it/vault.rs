//! Credentials in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_model::contract::Vault;
use tidegate_model::{
    Credential, CredentialId, Error, Material, OpenCredential, SystemClock, SystemRandomness, TenantId,
};

use crate::harness::noon;

/// The credentials of the tenant `acme`.
#[derive(Default)]
pub(crate) struct Kept {
    all: Mutex<HashMap<String, Arc<OpenCredential>>>,
    asked: AtomicUsize,
    away: bool,
}

impl Kept {
    /// Keeps it in the place of what has the name.
    pub(crate) fn keep(&self, name: &str, hosts: &[&str], material: Material) {
        let mut all = self.all.lock().unwrap();
        let known = all.get(name).map(|known| known.credential.id);
        let credential = Credential {
            id: known.unwrap_or_else(|| CredentialId::generate(&SystemClock, &SystemRandomness)),
            tenant: "acme".parse().unwrap(),
            name: name.to_owned(),
            kind: material.kind(),
            description: None,
            allowed_hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            created_at: noon(),
            updated_at: noon(),
        };
        all.insert(name.to_owned(), Arc::new(OpenCredential { credential, material }));
    }

    /// A vault that cannot be reached.
    pub(crate) fn that_is_away() -> Self {
        Self { away: true, ..Self::default() }
    }

    /// How often somebody asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Vault for Kept {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.away {
            return Err(Error::Unavailable("the vault"));
        }
        Ok(self.all.lock().unwrap().get(name).filter(|_| tenant.as_str() == "acme").cloned())
    }
}
