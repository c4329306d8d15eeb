//! What is kept of a call: everything but secrets, up to a limit.

use std::time::Duration;

use tidegate_engine::Response;
use tidegate_model::kept::{self, MASK, is_masked};
use tidegate_model::{Attempt, HttpMethod, Json, PlannedCall, Timestamp};

use crate::http::SIGNATURE;

const OUTCOME_UNKNOWN: &str = "outcome unknown";

/// So many headers of an answer are kept,
const HEADERS: usize = 256;

/// none longer than this,
const HEADER: usize = 8 << 10;

/// and no more of them all.
const HEADERS_LENGTH: usize = 64 << 10;

/// The attempt as it is on record before the call is made; the headers that its Integration has `masked` are not kept.
pub(crate) fn begun(
    number: u32,
    started_at: Timestamp,
    call: &PlannedCall,
    headers: &[(String, String)],
    masked: &[String],
    limit: usize,
) -> Attempt {
    Attempt {
        number,
        started_at,
        duration_us: None,
        url: call.url.clone(),
        method: call.method,
        request_headers: kept_headers(&without_signature(headers), masked),
        request_body: call.body.as_ref().map(|body| kept::start_of(body.as_str(), limit)),
        status: None,
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    }
}

/// Stands for an attempt that could not be made, so that it counts and can be seen.
pub(crate) fn never_made(
    number: u32,
    started_at: Timestamp,
    took: Duration,
    (method, url): (HttpMethod, &str),
    reason: String,
) -> Attempt {
    Attempt {
        number,
        started_at,
        duration_us: Some(micros(took)),
        url: url.to_owned(),
        method,
        request_headers: Json::empty_object(),
        request_body: None,
        status: None,
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: Some(reason),
    }
}

pub(crate) fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// Takes back what was on record as sent: nothing was.
pub(crate) fn never_sent(attempt: &mut Attempt) {
    attempt.request_headers = Json::empty_object();
    attempt.request_body = None;
}

/// Completes an attempt by the answer; one that broke off says so.
pub(crate) fn answered(attempt: &mut Attempt, answer: &Response, masked: &[String]) {
    let (headers, cut) = start_of_headers(&answer.headers);
    attempt.status = Some(answer.status);
    attempt.response_headers = Some(kept_headers(&headers, masked));
    attempt.response_body = Some(kept::body(&answer.body, answer.truncated));
    attempt.response_truncated = answer.truncated || cut;
    attempt.error = answer.broken.as_ref().map(ToString::to_string);
}

/// Marks the attempt whose end nobody saw: the process was gone before it could be stored.
pub(crate) fn close_unknown(attempts: &mut [Attempt]) {
    for attempt in attempts {
        if attempt.duration_us.is_none() && attempt.status.is_none() && attempt.error.is_none() {
            attempt.error = Some(OUTCOME_UNKNOWN.to_owned());
        }
    }
}

/// A core result as it is stored: its headers are masked like those of the call that they became.
pub(crate) fn masked_result(result: &Json, masked: &[String]) -> Json {
    let Some(mut attributes) = result.attributes() else { return result.clone() };
    for (name, value) in &mut attributes {
        if name == "headers"
            && let Some(mut headers) = value.attributes()
        {
            for (header, text) in &mut headers {
                if is_masked(header, masked) {
                    *text = Json::of(&MASK);
                }
            }
            *value = Json::object(headers.iter().map(|(header, text)| (header.as_str(), text)));
        }
    }
    Json::object(attributes.iter().map(|(name, value)| (name.as_str(), value)))
}

/// Who has a signature could make the call again.
fn without_signature(headers: &[(String, String)]) -> Vec<(String, String)> {
    let kept = |(name, value): &(String, String)| {
        let value = if name == SIGNATURE { MASK } else { value };
        (name.clone(), value.to_owned())
    };
    headers.iter().map(kept).collect()
}

/// As many headers as are kept, none longer than its bound; and whether that is not all.
fn start_of_headers(all: &[(String, String)]) -> (Vec<(String, String)>, bool) {
    let (mut room, mut cut) = (HEADERS_LENGTH, all.len() > HEADERS);
    let mut kept = Vec::with_capacity(all.len().min(HEADERS));
    for (name, value) in all.iter().take(HEADERS) {
        cut |= name.len().max(value.len()) > HEADER;
        let (name, value) = (kept::start_of(name, HEADER), kept::start_of(value, HEADER));
        let Some(rest) = room.checked_sub(name.len() + value.len()) else {
            cut = true;
            break;
        };
        room = rest;
        kept.push((name, value));
    }
    (kept, cut)
}

fn kept_headers(headers: &[(String, String)], masked: &[String]) -> Json {
    kept::but_named(&kept::headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))), masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_result_keeps_all_but_its_secret_headers() {
        let result = r#"{"body":{"token":"t"},"headers":{"Authorization":"Basic x","X-A":1,"X-Pin":"1"}}"#;
        let expected = r#"{"body":{"token":"t"},"headers":{"Authorization":"***","X-A":1,"X-Pin":"***"}}"#;
        assert_eq!(masked_result(&Json::parse(result).unwrap(), &["x-pin".to_owned()]).as_str(), expected);
    }
}
