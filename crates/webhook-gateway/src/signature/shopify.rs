//! Shopify: `X-Shopify-Hmac-Sha256: <base64>`, over the body.

use std::sync::Arc;

use tidegate_model::OpenCredential;

use super::keys::{Keys, base64};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "x-shopify-hmac-sha256";
const DELIVERY: &str = "x-shopify-webhook-id";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let keys = Keys::sha256(credentials)?;
    let place = || Place::header(SIGNATURE);
    let signature = base64(call.header(SIGNATURE)?).ok_or_else(|| Unverified::Malformed(place()))?;
    keys.check(&[call.body], &[signature], place())?;
    Ok(Verified { delivery: call.optional_header(DELIVERY)?.map(str::to_owned), answer: None })
}
