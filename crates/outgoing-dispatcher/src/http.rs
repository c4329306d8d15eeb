//! One call of a third party: the planned one with the headers that every attempt carries.

use std::time::Duration;

use bytes::Bytes;
use tidegate_engine::{NotSent, Request, Response};
use tidegate_model::{ExecutionId, HttpMethod, PlannedCall, Randomness, Timestamp};

use crate::credential;
use crate::signing::Keys;

pub(crate) const SIGNATURE: &str = "webhook-signature";
const USER_AGENT: &str = concat!("Tidegate/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum NoAnswer {
    /// It is never made: the reason is in the call itself.
    Refused(String),
    /// Another time it may be answered.
    Away(String),
    /// It was not made, for a reason of ours: another time.
    NotMade,
}

/// The answer's `Retry-After`.
pub(crate) fn retry_after(answer: &Response) -> Option<&str> {
    answer.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.as_str())
}

/// The headers of one attempt: the script's, and the platform's.
///
/// `webhook-id` is the delivery's id, the same over all attempts; so is the trace, in which each attempt is a span of its own.
pub(crate) fn headers(
    call: &PlannedCall,
    delivery: ExecutionId,
    keys: &Keys,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Vec<(String, String)> {
    let planned = call.headers.attributes().unwrap_or_default();
    let mut headers: Vec<(String, String)> =
        planned.into_iter().filter_map(|(name, value)| Some((name, value.to_value().as_str()?.to_owned()))).collect();
    let mut unless_given = |name: &str, value: &str| {
        if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    if call.method == HttpMethod::Post {
        unless_given("content-type", "application/json");
    }
    unless_given("user-agent", USER_AGENT);
    let (id, timestamp) = (delivery.to_string(), now.timestamp());
    let body = call.body.as_ref().map_or("", |body| body.as_str());
    if let Some(signatures) = keys.sign(&id, timestamp, body) {
        headers.push((SIGNATURE.to_owned(), signatures));
    }
    headers.push(("webhook-id".to_owned(), id));
    headers.push(("webhook-timestamp".to_owned(), timestamp.to_string()));
    headers.push(("traceparent".to_owned(), traceparent(delivery, randomness)));
    headers
}

/// W3C Trace Context, sampled: the record is there to be found.
fn traceparent(delivery: ExecutionId, randomness: &dyn Randomness) -> String {
    let mut span = [0u8; 8];
    randomness.fill(&mut span);
    let span = u64::from_be_bytes(span).max(1);
    format!("00-{}-{span:016x}-01", delivery.0.simple())
}

/// The call as the client sends it.
pub(crate) fn request(
    call: &PlannedCall,
    headers: Vec<(String, String)>,
    timeout: Duration,
    max_response: usize,
) -> Request {
    let method = match call.method {
        HttpMethod::Get => ::http::Method::GET,
        HttpMethod::Post => ::http::Method::POST,
    };
    let body = call.body.as_ref().map(|body| Bytes::copy_from_slice(body.as_str().as_bytes()));
    Request { method, url: call.url.clone(), headers, body, timeout, max_response }
}

/// What it means that nothing came back. What is amiss with a credential is tried again: somebody can set it right meanwhile.
pub(crate) fn no_answer(why: &NotSent) -> NoAnswer {
    match why {
        _ if credential::is_vaults(why) => NoAnswer::NotMade,
        NotSent::Egress(error) if !error.is_transient() => NoAnswer::Refused(why.to_string()),
        _ => NoAnswer::Away(why.to_string()),
    }
}

/// Why a call whose token was refused was not made once more, or had no answer then.
pub(crate) fn unrenewed(why: &NotSent) -> String {
    match why {
        NotSent::Egress(error) => format!("with a new token: {error}"),
        NotSent::NotAttached(error) => error.to_string(),
    }
}
