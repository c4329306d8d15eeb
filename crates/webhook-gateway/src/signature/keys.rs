//! Secrets, and whether what was presented was made with one of them. What takes time does not depend on how much of it is right.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;
use tidegate_model::{Material, OpenCredential};

use super::{Place, Unverified};

/// How many signatures one call may carry: a sender that rotates its secrets sends two.
const MAX_SIGNATURES: usize = 16;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keys of one HMAC.
pub(super) struct Keys(Vec<hmac::Key>);

impl Keys {
    /// Keys of these bytes.
    pub(super) fn new<T: AsRef<[u8]>>(algorithm: hmac::Algorithm, secrets: impl IntoIterator<Item = T>) -> Self {
        Self(secrets.into_iter().map(|secret| hmac::Key::new(algorithm, secret.as_ref())).collect())
    }

    /// HMAC-SHA256 with signing secrets as the text that they are.
    pub(super) fn sha256(credentials: &[Arc<OpenCredential>]) -> Result<Self, Unverified> {
        Self::of_texts(hmac::HMAC_SHA256, credentials)
    }

    /// An HMAC with signing secrets as the text that they are.
    pub(super) fn of_texts(
        algorithm: hmac::Algorithm,
        credentials: &[Arc<OpenCredential>],
    ) -> Result<Self, Unverified> {
        let keys = Self::new(algorithm, signing(credentials));
        if keys.is_empty() { Err(Unverified::NoSecret) } else { Ok(keys) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the signatures is that of one of the keys over these parts, one after the other.
    pub(super) fn signed(&self, parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
        self.0.iter().any(|key| {
            let mut context = hmac::Context::with_key(key);
            for part in parts {
                context.update(part);
            }
            let expected = context.sign();
            signatures.iter().any(|signature| equal(key, expected.as_ref(), signature))
        })
    }

    /// As [`Keys::signed`], as a verdict on what stands in `place`.
    pub(super) fn check(&self, parts: &[&[u8]], signatures: &[Vec<u8>], place: Place) -> Result<(), Unverified> {
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(Unverified::Malformed(place));
        }
        if self.signed(parts, signatures) { Ok(()) } else { Err(Unverified::Mismatch(place)) }
    }
}

/// Compares the tags of both under a key that the caller does not have: whatever the comparison tells, it tells of tags.
fn equal(key: &hmac::Key, expected: &[u8], presented: &[u8]) -> bool {
    hmac::verify(key, expected, hmac::sign(key, presented).as_ref()).is_ok()
}

/// Whether this text is one of the secrets.
pub(super) fn is_one_of<T: AsRef<[u8]>>(secrets: impl IntoIterator<Item = T>, presented: &[u8]) -> bool {
    secrets.into_iter().any(|secret| {
        let secret = secret.as_ref();
        equal(&hmac::Key::new(hmac::HMAC_SHA256, secret), secret, presented)
    })
}

/// The signing secrets of all of them.
pub(super) fn signing(credentials: &[Arc<OpenCredential>]) -> impl Iterator<Item = &str> {
    credentials.iter().flat_map(|open| open.material.signing_secrets()).map(|one| one.secret.reveal())
}

/// The bearer tokens among them.
pub(super) fn bearer(credentials: &[Arc<OpenCredential>]) -> impl Iterator<Item = &str> {
    credentials.iter().filter_map(|open| match &open.material {
        Material::Bearer { token } => Some(token.reveal()),
        _ => None,
    })
}

/// Bytes in base64.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// Bytes in hexadecimal.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if text.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
