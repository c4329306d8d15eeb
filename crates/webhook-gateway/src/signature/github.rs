//! GitHub: `X-Hub-Signature-256: sha256=<hex>`, over the body.

use std::sync::Arc;

use tidegate_model::OpenCredential;

use super::keys::{Keys, hex};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "x-hub-signature-256";
const DELIVERY: &str = "x-github-delivery";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let keys = Keys::sha256(credentials)?;
    let place = || Place::header(SIGNATURE);
    let signature = call.header(SIGNATURE)?.strip_prefix("sha256=").and_then(hex);
    let signature = signature.ok_or_else(|| Unverified::Malformed(place()))?;
    keys.check(&[call.body], &[signature], place())?;
    Ok(Verified { delivery: call.optional_header(DELIVERY)?.map(str::to_owned), answer: None })
}
