//! The tenant's credentials; may be away.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_model::contract::Vault;
use tidegate_model::{
    Credential, CredentialId, Error, Material, OpenCredential, Secret, SigningSecret, SigningSecretId, SystemClock,
    SystemRandomness, TenantId, Timestamp,
};

use super::tenant;

#[derive(Default)]
pub(crate) struct MemoryVault {
    known: Mutex<HashMap<String, Arc<OpenCredential>>>,
    pub(crate) away: AtomicBool,
}

impl MemoryVault {
    /// Keeps a credential for calls of this machine.
    pub(crate) fn keep(&self, name: &str, material: Material) {
        let credential = Credential {
            id: CredentialId::generate(&SystemClock, &SystemRandomness),
            tenant: tenant(),
            name: name.to_owned(),
            kind: material.kind(),
            description: None,
            allowed_hosts: vec!["127.0.0.1".parse().unwrap()],
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        let open = OpenCredential { credential, material };
        self.known.lock().unwrap().insert(name.to_owned(), Arc::new(open));
    }

    /// Keeps secrets to sign with, the newest first.
    pub(crate) fn keep_signing(&self, name: &str, secrets: &[&str]) {
        let secret = |text: &&str| SigningSecret {
            id: SigningSecretId::generate(&SystemClock, &SystemRandomness),
            secret: Secret::new(*text),
            created_at: Timestamp::UNIX_EPOCH,
        };
        self.keep(name, Material::Signing { secrets: secrets.iter().map(secret).collect() });
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn credential(&self, of: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the vault"));
        }
        Ok(self.known.lock().unwrap().get(name).filter(|_| *of == tenant()).cloned())
    }
}
