//! One call of a third party: the planned one with the headers that every attempt carries.

use std::time::Duration;

use bytes::Bytes;
use tidegate_engine::{Egress, EgressError, Request};
use tidegate_model::{ExecutionId, HttpMethod, PlannedCall, Randomness, Timestamp};

const USER_AGENT: &str = concat!("Tidegate/", env!("CARGO_PKG_VERSION"));

/// What a destination answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lower-case name to value.
    pub(crate) headers: Vec<(String, String)>,
    /// Up to the limit.
    pub(crate) body: Bytes,
    pub(crate) truncated: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum NoAnswer {
    /// It is never made: the reason is in the call itself.
    Refused(String),
    /// Another time it may be answered.
    Away(String),
}

impl Answer {
    pub(crate) fn retry_after(&self) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.as_str())
    }
}

/// The headers of one attempt: the script's, and the platform's.
///
/// `webhook-id` is the delivery's id, the same over all attempts; so is the trace, in which each attempt is a span of its own.
pub(crate) fn headers(
    call: &PlannedCall,
    delivery: ExecutionId,
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
    headers.push(("webhook-id".to_owned(), delivery.to_string()));
    headers.push(("webhook-timestamp".to_owned(), now.timestamp().to_string()));
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

/// Makes the call.
pub(crate) async fn send(
    egress: &Egress,
    call: &PlannedCall,
    headers: Vec<(String, String)>,
    timeout: Duration,
    max_response: usize,
) -> Result<Answer, NoAnswer> {
    let method = match call.method {
        HttpMethod::Get => ::http::Method::GET,
        HttpMethod::Post => ::http::Method::POST,
    };
    let body = call.body.as_ref().map(|body| Bytes::copy_from_slice(body.as_str().as_bytes()));
    let request = Request { method, url: call.url.clone(), headers, body, timeout, max_response };
    match egress.send(request).await {
        Ok(response) => Ok(Answer {
            status: response.status,
            headers: response.headers,
            body: response.body,
            truncated: response.truncated,
        }),
        Err(e) => Err(no_answer(&e)),
    }
}

fn no_answer(error: &EgressError) -> NoAnswer {
    if error.is_transient() { NoAnswer::Away(error.to_string()) } else { NoAnswer::Refused(error.to_string()) }
}
