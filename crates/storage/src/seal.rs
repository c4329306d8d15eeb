//! Sealing: what must be read again (webhook keys, signing keys) is encrypted before it is stored, so that a dump of the database gives none of it.

use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tidegate_model::{Error, Randomness};

/// Encrypts with AES-256-GCM under the operator's key, bound to the place where the ciphertext is stored. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    randomness: Arc<dyn Randomness>,
}

impl Sealer {
    /// Takes the operator's 32-byte key.
    pub fn new(key: &[u8; 32], randomness: Arc<dyn Randomness>) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| broken("key"))?;
        Ok(Self { key: Arc::new(LessSafeKey::new(key)), randomness })
    }

    /// Encrypts `plain`; only [`Sealer::open`] with the same `place` (table, column and id) reads it.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        self.randomness.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        let associated = Aad::from(place.as_bytes());
        self.key
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
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut buffer = rest.to_vec();
        let associated = Aad::from(place.as_bytes());
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), associated, &mut buffer).ok()?;
        Some(plain.to_vec())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

fn broken(place: &str) -> Error {
    tracing::error!(place, "a sealed value cannot be opened: another key, or the value was changed");
    Error::Internal { id: format!("seal:{place}") }
}
