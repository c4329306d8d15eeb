//! From what core logic returned to the call that the platform makes (CONTRACT section 4). Pure.

use http::{HeaderName, HeaderValue};
use tidegate_model::{HttpMethod, Json, PlannedCall, Reserved};

use crate::egress::MAX_HEADERS;
use crate::query;

/// What the result table of an OUTGOING Integration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// `requestNeeded` is `false`: the script made its own calls.
    NoCall,
    /// Call this.
    Call(PlannedCall),
}

/// Why the result table is no plan; the text goes into the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("core logic must return a table with headers and body")]
    NoTable,
    #[error("requestNeeded must be true, false or absent, not {0}")]
    RequestNeeded(String),
    #[error("headers must be a table of names and values, not {0}")]
    Headers(String),
    #[error("at most 128 headers are sent, not {0}")]
    ManyHeaders(usize),
    #[error("header name {0:?} is not one that HTTP allows")]
    HeaderName(String),
    #[error("header {0:?} holds a control character, such as a line break")]
    HeaderLine(String),
    #[error("header {0:?} must be a string, a number or a boolean, not {1}")]
    HeaderValue(String, String),
    #[error("header {0:?} is given twice, in different cases")]
    HeaderTwice(String),
    #[error("body must be a table with named fields, not {0}")]
    Body(String),
    #[error("the URL of a GET, with the body in its query, has at most 61440 bytes, not {0}")]
    LongUrl(usize),
}

/// No URL of a GET is longer: none of the clients and servers that are common takes one of 64 KiB.
const MAX_URL: usize = 60 << 10;

/// The result table is no plan; the text, for the record, says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Unplanned(#[from] Fault);

/// Reads the result table of an OUTGOING Integration; `method` and `url` are the Integration's.
pub fn plan(result: &Json, method: HttpMethod, url: &str) -> Result<Plan, Unplanned> {
    read(result, method, url).map_err(Unplanned)
}

fn read(result: &Json, method: HttpMethod, url: &str) -> Result<Plan, Fault> {
    let attributes = result.attributes().ok_or(Fault::NoTable)?;
    let find = |name| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match find("requestNeeded").map(|value| value.as_str().trim()) {
        None | Some("true") => {}
        Some("false") => return Ok(Plan::NoCall),
        Some(other) => return Err(Fault::RequestNeeded(shown(other))),
    }
    let headers = headers(find("headers"))?;
    let body = body(find("body"))?;
    Ok(Plan::Call(match method {
        HttpMethod::Get => {
            let url = query::appended(url, &body);
            if url.len() > MAX_URL {
                return Err(Fault::LongUrl(url.len()));
            }
            PlannedCall { method, url, headers, body: None }
        }
        HttpMethod::Post => PlannedCall { method, url: url.to_owned(), headers, body: Some(body) },
    }))
}

fn body(given: Option<&Json>) -> Result<Json, Fault> {
    match given {
        None => Ok(Json::empty_object()),
        Some(body) if body.is_object() => Ok(body.clone()),
        Some(nothing) if is_nothing(nothing) => Ok(Json::empty_object()),
        Some(other) => Err(Fault::Body(shown(other.as_str()))),
    }
}

/// Name to text, without what is the platform's.
fn headers(given: Option<&Json>) -> Result<Json, Fault> {
    let Some(given) = given.filter(|given| !is_nothing(given)) else { return Ok(Json::empty_object()) };
    let attributes = given.attributes().ok_or_else(|| Fault::Headers(shown(given.as_str())))?;
    if attributes.len() > MAX_HEADERS {
        return Err(Fault::ManyHeaders(attributes.len()));
    }
    let mut kept: Vec<(HeaderName, Json)> = Vec::with_capacity(attributes.len());
    for (name, value) in attributes {
        let text = query::scalar(&value).ok_or_else(|| Fault::HeaderValue(name.clone(), shown(value.as_str())))?;
        if [name.as_str(), &text].iter().any(|part| part.contains(['\r', '\n', '\0'])) {
            return Err(Fault::HeaderLine(name));
        }
        let Ok(parsed) = HeaderName::try_from(name.as_str()) else { return Err(Fault::HeaderName(name)) };
        if HeaderValue::from_str(&text).is_err() && HeaderValue::from_bytes(text.as_bytes()).is_err() {
            return Err(Fault::HeaderLine(name));
        }
        if kept.iter().any(|(known, _)| *known == parsed) {
            return Err(Fault::HeaderTwice(name));
        }
        // Left out: the connection's own headers, and those by which receivers recognise and verify a delivery. Those of a metadata
        // service are refused when they are sent, as they are to a script's own calls.
        if !matches!(Reserved::of(parsed.as_str()), Some(Reserved::Connection | Reserved::Delivery)) {
            kept.push((parsed, Json::of(&text)));
        }
    }
    kept.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    Ok(Json::object(kept.iter().map(|(name, text)| (name.as_str(), text))))
}

/// An empty Lua table may come as an empty array; `json.null` says that there is none.
fn is_nothing(value: &Json) -> bool {
    let text = value.as_str().trim();
    text == "null" || text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).is_some_and(|t| t.trim().is_empty())
}

/// Enough of a value for an author to recognise it.
fn shown(text: &str) -> String {
    const ENOUGH: usize = 60;
    let mut start: String = text.trim().chars().take(ENOUGH).collect();
    if start.len() < text.trim().len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn post(result: &str) -> Result<Plan, Fault> {
        read(&Json::parse(result).unwrap(), HttpMethod::Post, "https://x.example/in")
    }

    fn call(result: &str) -> PlannedCall {
        match post(result).unwrap() {
            Plan::Call(call) => call,
            Plan::NoCall => panic!("a call was expected"),
        }
    }

    #[test]
    fn request_needed_is_absent_true_or_false_and_nothing_else() {
        assert!(matches!(post("{}"), Ok(Plan::Call(_))));
        assert!(matches!(post(r#"{"requestNeeded": true}"#), Ok(Plan::Call(_))));
        assert_eq!(post(r#"{"requestNeeded":false,"headers":7,"body":"x"}"#), Ok(Plan::NoCall));
        for other in ["null", "0", "1", "\"false\"", "{}", "[]"] {
            let refused = post(&format!("{{\"requestNeeded\":{other}}}"));
            assert_eq!(refused, Err(Fault::RequestNeeded(other.to_owned())), "{other}");
        }
    }

    #[test]
    fn a_result_that_is_no_table_is_no_plan() {
        for result in ["null", "true", "7", "\"text\"", "[1]"] {
            assert_eq!(post(result), Err(Fault::NoTable), "{result}");
        }
    }

    #[test]
    fn a_body_is_an_object_and_an_empty_one_is_sent_as_such() {
        assert_eq!(call(r#"{"body":{"n":9007199254740993}}"#).body.unwrap().as_str(), r#"{"n":9007199254740993}"#);
        for nothing in ["{}", r#"{"body":{}}"#, r#"{"body":[]}"#, r#"{"body":null}"#] {
            assert_eq!(call(nothing).body.unwrap().as_str(), "{}", "{nothing}");
        }
        for other in ["\"text\"", "7", "[1]", "true"] {
            assert_eq!(post(&format!("{{\"body\":{other}}}")), Err(Fault::Body(other.to_owned())), "{other}");
        }
    }

    #[test]
    fn header_values_are_strings_numbers_and_booleans() {
        let headers = call(r#"{"headers":{"X-S":"a b","X-N":12.50,"X-B":false,"x-u":"é"}}"#).headers;
        assert_eq!(headers.as_str(), r#"{"x-b":"false","x-n":"12.50","x-s":"a b","x-u":"é"}"#);
        for other in ["null", "{}", "[\"a\"]"] {
            let refused = post(&format!("{{\"headers\":{{\"X-A\":{other}}}}}"));
            assert!(matches!(refused, Err(Fault::HeaderValue(..))), "{other}");
        }
        assert!(matches!(post(r#"{"headers":"X-A: b"}"#), Err(Fault::Headers(_))));
        let many: Vec<_> = (0..=MAX_HEADERS).map(|n| format!("\"x-{n}\":1")).collect();
        assert_eq!(post(&format!("{{\"headers\":{{{}}}}}", many.join(","))), Err(Fault::ManyHeaders(MAX_HEADERS + 1)));
        assert!(matches!(post(r#"{"headers":{"X-A":"1","x-a":"2"}}"#), Err(Fault::HeaderTwice(_))));
        assert!(matches!(post(r#"{"headers":{"X A":"1"}}"#), Err(Fault::HeaderName(_))));
        assert!(matches!(post(r#"{"headers":{"":"1"}}"#), Err(Fault::HeaderName(_))));
    }

    #[test]
    fn the_platforms_own_headers_are_left_out() {
        for name in ["Host", "Content-Length", "Transfer-Encoding", "Connection", "webhook-id", "Webhook-Signature"] {
            assert_eq!(call(&format!("{{\"headers\":{{\"{name}\":\"1\"}}}}")).headers.as_str(), "{}", "{name}");
        }
    }

    #[test]
    fn a_get_is_as_long_as_its_bound_and_no_longer() {
        let get = |value: usize| {
            let result = Json::parse(format!(r#"{{"body":{{"a":"{}"}}}}"#, "x".repeat(value))).unwrap();
            read(&result, HttpMethod::Get, "https://x.example/in")
        };
        let longest = MAX_URL - "https://x.example/in?a=".len();
        assert!(matches!(get(longest), Ok(Plan::Call(_))));
        assert_eq!(get(longest + 1), Err(Fault::LongUrl(MAX_URL + 1)));
        assert!(Fault::LongUrl(7).to_string().contains(&MAX_URL.to_string()));
    }

    proptest! {
        #[test]
        fn a_post_sends_the_body_to_the_letter_and_leaves_the_url_alone(
            members in prop::collection::btree_map(any::<String>(), any::<Option<(String, i64)>>(), 0..5),
            url in "https://x\\.example/[a-z?&=#%]{0,10}",
        ) {
            let body = Json::of(&members);
            let result = Json::object([("body", &body)]);
            let Ok(Plan::Call(call)) = read(&result, HttpMethod::Post, &url) else { panic!("a call was expected") };
            let sent = call.body.unwrap();
            prop_assert_eq!(sent.to_value(), serde_json::to_value(&members).unwrap());
            prop_assert_eq!(call.url, url);
        }

        #[test]
        fn a_line_break_or_nul_anywhere_in_a_header_fails_the_run(
            before in "[a-z-]{0,8}", bad in "[\r\n\0]", after in "[a-z-]{0,8}", in_name: bool
        ) {
            let crooked = format!("{before}{bad}{after}");
            let (name, value) = if in_name { (crooked.as_str(), "v") } else { ("x-name", crooked.as_str()) };
            let headers = Json::object([(name, &Json::of(&value))]);
            let result = Json::object([("headers", &headers)]);
            let planned = read(&result, HttpMethod::Post, "https://x.example/");
            prop_assert!(matches!(planned, Err(Fault::HeaderLine(_))), "{planned:?}");
        }

        #[test]
        fn no_plan_holds_a_header_that_http_refuses(name in "\\PC{0,12}", value in any::<String>()) {
            let headers = Json::object([(name.as_str(), &Json::of(&value))]);
            let result = Json::object([("headers", &headers)]);
            if let Ok(Plan::Call(call)) = read(&result, HttpMethod::Post, "https://x.example/") {
                for (name, value) in call.headers.attributes().unwrap() {
                    prop_assert!(HeaderName::try_from(name).is_ok());
                    prop_assert!(HeaderValue::from_bytes(query::scalar(&value).unwrap().as_bytes()).is_ok());
                }
            }
        }
    }
}
