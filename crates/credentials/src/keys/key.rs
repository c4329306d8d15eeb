//! One key that tokens are signed with: drawn, sealed, opened.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use tidegate_model::{Error, Randomness, Timestamp};
use tidegate_storage::contract::SigningKeyRow;
use tidegate_storage::{Sealer, place};

use super::broken;
use crate::claims::{ACCESS_TOKEN_TYPE, Claims};

/// What precedes the 32 bytes of a P-256 private key in PKCS #8 (RFC 5958, RFC 5915): versions, id-ecPublicKey, prime256v1.
const PKCS8_PREFIX: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

/// A key with both halves.
pub(super) struct SigningKey {
    private: EncodingKey,
    pub(super) public: Jwk,
    pub(super) id: String,
    pub(super) created_at: Timestamp,
}

impl SigningKey {
    /// Takes a private key in PKCS #8; `None` when it is no P-256 key.
    fn of(pkcs8: &[u8], created_at: Timestamp) -> Option<Self> {
        let private = EncodingKey::from_ec_der(pkcs8);
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).ok()?;
        let id = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { private, public, id, created_at })
    }

    /// Opens a stored one.
    pub(super) fn open(row: &SigningKeyRow, sealer: &Sealer) -> Result<Self, Error> {
        let pkcs8 = sealer.open(&place::signing_key(&row.id), &row.sealed)?;
        let key = Self::of(&pkcs8, row.created_at);
        key.filter(|key| key.id == row.id).ok_or_else(|| broken("the stored one is no P-256 key"))
    }

    /// Signs claims into an access token.
    pub(super) fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.private).map_err(|_| broken("it does not sign"))
    }
}

/// Draws a new key, sealed.
pub(super) fn draw(
    sealer: &Sealer,
    randomness: &dyn Randomness,
    created_at: Timestamp,
) -> Result<SigningKeyRow, Error> {
    let mut pkcs8 = [0; PKCS8_PREFIX.len() + 32];
    pkcs8[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
    // Of all 256-bit numbers one in 2^32 is no P-256 key; a source that gives three of these is broken.
    for _ in 0..3 {
        randomness.fill(&mut pkcs8[PKCS8_PREFIX.len()..]);
        if let Some(key) = SigningKey::of(&pkcs8, created_at) {
            let private = sealer.seal(&place::signing_key(&key.id), &pkcs8)?;
            return Ok(SigningKeyRow { id: key.id, sealed: private, created_at });
        }
    }
    Err(broken("none can be drawn"))
}
