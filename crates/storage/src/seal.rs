//! Sealing: what must be read again (webhook keys, signing keys, data keys) is encrypted before it is stored, so that a dump of the
//! database gives none of it.
//!
//! The operator gives a list of keys: the first one seals, each one opens. So a new key is put in front, everything is sealed anew under it
//! ([`rotate`](crate::rotate)), and then the old one is dropped, while the process runs all the time.

use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tidegate_model::{Error, Randomness};

/// Encrypts with AES-256-GCM, bound to the place where the ciphertext is stored. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    /// Never empty; the first one seals.
    keys: Arc<[LessSafeKey]>,
    randomness: Arc<dyn Randomness>,
}

impl Sealer {
    /// Takes the operator's 32-byte key.
    pub fn new(key: &[u8; 32], randomness: Arc<dyn Randomness>) -> Result<Self, Error> {
        Self::with_former(key, &[], randomness)
    }

    /// Takes the operator's key, and former ones that still open what was sealed under them.
    pub fn with_former(key: &[u8; 32], former: &[[u8; 32]], randomness: Arc<dyn Randomness>) -> Result<Self, Error> {
        let keys = [key].into_iter().chain(former).map(usable).collect::<Result<_, _>>()?;
        Ok(Self { keys, randomness })
    }

    /// Encrypts `plain`; only [`Sealer::open`] with the same `place` (table, column and id) reads it.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        self.randomness.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        let associated = Aad::from(place.as_bytes());
        self.keys[0]
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), associated, &mut sealed)
            .map_err(|_| broken(place))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts what was sealed for `place`; fails when it was changed, moved from elsewhere, or sealed under another key.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.try_open(place, sealed).ok_or_else(|| broken(place))
    }

    /// Does the same for what a caller hands back (a cursor): that it cannot be opened is then no failure of ours.
    pub fn try_open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.keys.iter().find_map(|key| opened(key, place, sealed))
    }

    /// Seals anew under the first key what is sealed under another one; `None` when it is under the first key already.
    pub fn reseal(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if opened(&self.keys[0], place, sealed).is_some() {
            return Ok(None);
        }
        self.seal(place, &self.open(place, sealed)?).map(Some)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

fn usable(key: &[u8; 32]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| broken("key"))
}

/// What stands before a ciphertext is its nonce alone: which key it is under is found by trying, and an operator has few.
fn opened(key: &LessSafeKey, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut buffer = rest.to_vec();
    let associated = Aad::from(place.as_bytes());
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), associated, &mut buffer).ok()?;
    Some(plain.to_vec())
}

fn broken(place: &str) -> Error {
    tracing::error!(place, "a sealed value cannot be opened: another key, or the value was changed");
    Error::Internal { id: format!("seal:{place}") }
}

/// The places that sealed values are bound to: tenant, table, id and column, so that none can be put in another's place.
pub mod place {
    use std::fmt::Display;

    use tidegate_model::{CredentialId, IntegrationId, TenantId};
    use uuid::Uuid;

    /// Of `webhook_key.sealed`; the Integration's id is unique over all tenants.
    pub fn webhook_key(integration: IntegrationId) -> String {
        format!("webhook_key/{integration}")
    }

    /// Of `signing_key.sealed`.
    pub fn signing_key(id: impl Display) -> String {
        format!("signing_key.sealed:{id}")
    }

    /// Of `data_key.sealed`.
    pub fn data_key(tenant: &TenantId, id: Uuid) -> String {
        format!("{tenant}/data_key/{id}/sealed")
    }

    /// Of `credential.sealed`. The name is bound as well: what is asked for by name cannot be another credential's.
    pub fn credential(tenant: &TenantId, id: CredentialId, name: &str) -> String {
        format!("{tenant}/credential/{id}/sealed/{name}")
    }
}
