//! Slack: `X-Slack-Signature: v0=<hex>`, over `v0:timestamp:body`. The first call of all is a challenge, which the platform answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidegate_model::{Json, OpenCredential};

use super::keys::{Keys, hex};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let keys = Keys::sha256(credentials)?;
    let (timestamp, signature) = (call.header(TIMESTAMP)?, call.header(SIGNATURE)?);
    call.check_time(timestamp, || Place::header(TIMESTAMP))?;
    let place = || Place::header(SIGNATURE);
    let signature = signature.strip_prefix("v0=").and_then(hex).ok_or_else(|| Unverified::Malformed(place()))?;
    keys.check(&[b"v0:", timestamp.as_bytes(), b":", call.body], &[signature], place())?;
    Ok(Verified { delivery: delivery(call.body), answer: answer(call.body) })
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    challenge: String,
}

#[derive(Deserialize)]
struct Callback {
    event_id: String,
}

/// The id of an event; what is no event, such as a command, has none.
fn delivery(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Callback>(body).ok().map(|callback| callback.event_id)
}

#[derive(Serialize)]
struct Answer {
    challenge: String,
}

/// What Slack wants to hear before it sends events.
fn answer(body: &[u8]) -> Option<Json> {
    let event: Event = serde_json::from_slice(body).ok()?;
    (event.r#type == "url_verification").then(|| Json::of(&Answer { challenge: event.challenge }))
}
