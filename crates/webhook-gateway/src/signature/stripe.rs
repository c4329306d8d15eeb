//! Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>,v1=<hex>`, over `t.body`. The secret is text, its `whsec_` included.

use std::sync::Arc;

use serde::Deserialize;
use tidegate_model::OpenCredential;

use super::keys::{Keys, hex};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "stripe-signature";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let keys = Keys::sha256(credentials)?;
    let header = call.header(SIGNATURE)?;
    let place = || Place::header(SIGNATURE);
    let of = |name: &str| -> Vec<&str> {
        let all = header.split(',').filter_map(|one| one.trim().split_once('='));
        all.filter(|(is, _)| *is == name).map(|(_, value)| value).collect()
    };
    let &[timestamp] = of("t").as_slice() else { return Err(Unverified::Malformed(place())) };
    call.check_time(timestamp, place)?;
    let signatures: Vec<_> = of("v1").into_iter().filter_map(hex).collect();
    keys.check(&[timestamp.as_bytes(), b".", call.body], &signatures, place())?;
    Ok(Verified { delivery: delivery(call.body), answer: None })
}

#[derive(Deserialize)]
struct Event {
    id: String,
}

/// The event's id, which is the same each time that it is delivered.
fn delivery(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Event>(body).ok().map(|event| event.id)
}
