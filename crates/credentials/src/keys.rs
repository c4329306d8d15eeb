//! The keys that tokens are signed with: made once, sealed, stored; their public halves published.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use tidegate_model::contract::KeySet;
use tidegate_model::{Clock, Error, Json, Randomness};
use tidegate_storage::contract::SigningKeyRow;
use tidegate_storage::{Sealer, place};

use crate::ClientStore;
use crate::claims::{ACCESS_TOKEN_TYPE, Claims};

/// What precedes the 32 bytes of a P-256 private key in PKCS #8 (RFC 5958, RFC 5915): versions, id-ecPublicKey, prime256v1.
const PKCS8_PREFIX: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

/// The key in use, and the public halves of all whose tokens may still live.
pub(crate) struct SigningKeys {
    newest: SigningKey,
    public: KeySet,
}

struct SigningKey {
    private: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKeys {
    pub(crate) async fn load_or_make(
        store: &ClientStore,
        sealer: &Sealer,
        clock: &dyn Clock,
        randomness: &dyn Randomness,
    ) -> Result<Self, Error> {
        let mut rows = store.signing_keys().await?;
        if rows.is_empty() {
            store.insert_first_signing_key(&make(sealer, clock, randomness)?).await?;
            rows = store.signing_keys().await?;
        }
        let keys = rows.iter().map(|row| open(row, sealer)).collect::<Result<Vec<_>, _>>()?;
        let public = KeySet(Json::of(&JwkSet { keys: keys.iter().map(|key| key.public.clone()).collect() }));
        let newest = keys.into_iter().next().ok_or_else(|| broken("none is stored"))?;
        Ok(Self { newest, public })
    }

    /// The public halves, as a JWK set.
    pub(crate) fn public(&self) -> &KeySet {
        &self.public
    }

    /// Signs claims into an access token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(self.newest.id.clone());
        jsonwebtoken::encode(&header, claims, &self.newest.private).map_err(|_| broken("it does not sign"))
    }
}

impl SigningKey {
    /// Takes a private key in PKCS #8; `None` when it is no P-256 key.
    fn of(pkcs8: &[u8]) -> Option<Self> {
        let private = EncodingKey::from_ec_der(pkcs8);
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).ok()?;
        let id = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { private, public, id })
    }
}

fn make(sealer: &Sealer, clock: &dyn Clock, randomness: &dyn Randomness) -> Result<SigningKeyRow, Error> {
    let mut pkcs8 = [0; PKCS8_PREFIX.len() + 32];
    pkcs8[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
    // Of all 256-bit numbers one in 2^32 is no P-256 key; a source that gives three of these is broken.
    for _ in 0..3 {
        randomness.fill(&mut pkcs8[PKCS8_PREFIX.len()..]);
        if let Some(key) = SigningKey::of(&pkcs8) {
            let private = sealer.seal(&place::signing_key(&key.id), &pkcs8)?;
            return Ok(SigningKeyRow { id: key.id, sealed: private, created_at: clock.now() });
        }
    }
    Err(broken("none can be drawn"))
}

fn open(row: &SigningKeyRow, sealer: &Sealer) -> Result<SigningKey, Error> {
    let pkcs8 = sealer.open(&place::signing_key(&row.id), &row.sealed)?;
    SigningKey::of(&pkcs8).filter(|key| key.id == row.id).ok_or_else(|| broken("the stored one is no P-256 key"))
}

fn broken(reason: &'static str) -> Error {
    tracing::error!(reason, "the signing key cannot be used");
    Error::Internal { id: "signing-key".to_owned() }
}
