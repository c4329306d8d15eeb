//! What is kept of a call: everything but secrets, up to a limit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_model::{Attempt, Json, PlannedCall, Timestamp};

use crate::http::Answer;

const MASKED: &str = "***";
const OUTCOME_UNKNOWN: &str = "outcome unknown";

/// The attempt as it is on record before the call is made.
pub(crate) fn begun(
    number: u32,
    started_at: Timestamp,
    call: &PlannedCall,
    headers: &[(String, String)],
    limit: usize,
) -> Attempt {
    Attempt {
        number,
        started_at,
        duration_us: None,
        url: call.url.clone(),
        method: call.method,
        request_headers: masked(headers),
        request_body: call.body.as_ref().map(|body| start_of(body.as_str(), limit)),
        status: None,
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    }
}

/// Completes an attempt by the answer.
pub(crate) fn answered(attempt: &mut Attempt, answer: &Answer) {
    attempt.status = Some(answer.status);
    attempt.response_headers = Some(masked(&answer.headers));
    attempt.response_body = Some(text_or_base64(&answer.body, answer.truncated));
    attempt.response_truncated = answer.truncated;
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
pub(crate) fn masked_result(result: &Json) -> Json {
    let Some(mut attributes) = result.attributes() else { return result.clone() };
    for (name, value) in &mut attributes {
        if name == "headers"
            && let Some(mut headers) = value.attributes()
        {
            for (header, text) in &mut headers {
                if is_secret(header) {
                    *text = Json::of(&MASKED);
                }
            }
            *value = Json::object(headers.iter().map(|(header, text)| (header.as_str(), text)));
        }
    }
    Json::object(attributes.iter().map(|(name, value)| (name.as_str(), value)))
}

/// Name to value; repeated ones are joined, secret ones masked.
fn masked(headers: &[(String, String)]) -> Json {
    let mut joined: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let value = if is_secret(&name) { MASKED } else { value };
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = format!("{known}, {value}"),
            None => joined.push((name, value.to_owned())),
        }
    }
    let joined: Vec<_> = joined.into_iter().map(|(name, value)| (name, Json::of(&value))).collect();
    Json::object(joined.iter().map(|(name, value)| (name.as_str(), value)))
}

/// Headers that let somebody in, by the names that are in use for them.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 7] = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"];
    let name = name.to_ascii_lowercase().replace('_', "-");
    PARTS.iter().any(|part| name.contains(part))
}

/// Text as it is; other bytes, and text that no database keeps, as base64. A character that the limit cut in two is left out.
fn text_or_base64(body: &[u8], truncated: bool) -> String {
    let whole = match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(e) if truncated && e.error_len().is_none() => std::str::from_utf8(&body[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    whole.filter(|text| !text.contains('\0')).map_or_else(|| STANDARD.encode(body), str::to_owned)
}

fn start_of(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… ({} bytes in all)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_repeated_headers_joined() {
        let headers = [("Authorization", "Bearer x"), ("X-Api-Key", "k"), ("Vary", "a"), ("vary", "b"), ("X-A", "1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = r#"{"authorization":"***","x-api-key":"***","vary":"a, b","x-a":"1"}"#;
        assert_eq!(masked(&headers).as_str(), expected);
    }

    #[test]
    fn a_core_result_keeps_all_but_its_secret_headers() {
        let result = Json::parse(r#"{"body":{"token":"t"},"headers":{"Authorization":"Basic x","X-A":1}}"#).unwrap();
        let expected = r#"{"body":{"token":"t"},"headers":{"Authorization":"***","X-A":1}}"#;
        assert_eq!(masked_result(&result).as_str(), expected);
    }

    #[test]
    fn text_stays_text_and_other_bytes_become_base64() {
        assert_eq!(text_or_base64("grüß".as_bytes(), false), "grüß");
        assert_eq!(text_or_base64(&[0xff, 0x00], false), "/wA=");
        assert_eq!(text_or_base64(b"a\0b", false), "YQBi");
        assert_eq!(text_or_base64(&"aé".as_bytes()[..2], true), "a");
        assert_eq!(text_or_base64(&"aé".as_bytes()[..2], false), "YcM=");
    }

    #[test]
    fn a_long_request_body_is_cut_and_says_so() {
        assert_eq!(start_of("aéb", 2), "a… (4 bytes in all)");
        assert_eq!(start_of("aéb", 4), "aéb");
    }
}
