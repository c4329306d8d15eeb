//! Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64> v1a,<base64>`, over `id.timestamp.body`.

use std::sync::Arc;

use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use tidegate_model::OpenCredential;

use super::keys::{Keys, base64, signing};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "webhook-signature";
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";

/// How many signatures with keys in pairs are looked at: each costs as much as an HMAC over a large body.
const MAX_ASYMMETRIC: usize = 4;

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let (secret, public) = keys(credentials);
    if secret.is_empty() && public.is_empty() {
        return Err(Unverified::NoSecret);
    }
    let (id, timestamp) = (call.header(ID)?, call.header(TIMESTAMP)?);
    if id.trim().is_empty() {
        return Err(Unverified::Malformed(Place::header(ID)));
    }
    let signatures = call.header(SIGNATURE)?;
    call.check_time(timestamp, || Place::header(TIMESTAMP))?;
    let of = |version: &str| -> Vec<Vec<u8>> {
        let all = signatures.split(' ').filter_map(|one| one.split_once(','));
        all.filter(|(is, _)| *is == version).filter_map(|(_, text)| base64(text)).collect()
    };
    let (symmetric, asymmetric) = (of("v1"), of("v1a"));
    let place = || Place::header(SIGNATURE);
    if (symmetric.is_empty() && asymmetric.is_empty()) || asymmetric.len() > MAX_ASYMMETRIC {
        return Err(Unverified::Malformed(place()));
    }
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", call.body];
    let verified = Verified { delivery: Some(id.to_owned()), answer: None };
    if !asymmetric.is_empty() && !public.is_empty() {
        let signed = parts.concat();
        let is_signed = |key: &UnparsedPublicKey<Vec<u8>>| asymmetric.iter().any(|s| key.verify(&signed, s).is_ok());
        if public.iter().any(is_signed) {
            return Ok(verified);
        }
    }
    if symmetric.is_empty() {
        return Err(Unverified::Mismatch(place()));
    }
    secret.check(&parts, &symmetric, place()).map(|()| verified)
}

/// Secrets in base64, and public keys: these are known to everybody, and must never be taken for secrets.
fn keys(credentials: &[Arc<OpenCredential>]) -> (Keys, Vec<UnparsedPublicKey<Vec<u8>>>) {
    let is_public = |text: &&str| text.starts_with("whpk_");
    let (public, secret): (Vec<&str>, Vec<&str>) = signing(credentials).partition(is_public);
    let public = public.iter().filter_map(|text| base64(text.strip_prefix("whpk_")?));
    let secret = secret.iter().filter_map(|text| base64(text.strip_prefix("whsec_").unwrap_or(text)));
    (Keys::new(hmac::HMAC_SHA256, secret), public.map(|key| UnparsedPublicKey::new(&ED25519, key)).collect())
}
