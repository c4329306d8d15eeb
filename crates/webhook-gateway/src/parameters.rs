//! `parameters`: what a caller sent, as scripts see it (CONTRACT section 3). Pure.

use serde_json::map::Entry;
use serde_json::{Map, Value};
use tidegate_model::{InvalidJson, Json};

/// Decodes a query or a form: a repeated key becomes an array, an empty value "".
pub(crate) fn of_query(query: &[u8]) -> Json {
    let mut parameters = Map::new();
    for (key, value) in form_urlencoded::parse(query) {
        let value = Value::String(value.into_owned());
        match parameters.entry(key.into_owned()) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                Value::Array(values) => values.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    Json::of(&parameters)
}

/// Reads a body: a JSON array or object whatever the content type says, else a form where the content type says so, else `{}`.
///
/// Fails only when the content type says JSON and the body is none.
pub(crate) fn of_body(content_type: Option<&str>, body: &[u8]) -> Result<Json, InvalidJson> {
    if body.is_empty() {
        return Ok(Json::empty_object());
    }
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (is_json, is_form) = (says_json(&essence), essence == "application/x-www-form-urlencoded");
    // Some senders put a byte order mark before JSON; RFC 8259 lets a reader pass over it.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let is_composite = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
    if is_json || is_composite {
        match Json::parse_bytes(text) {
            Ok(json) if is_composite => return Ok(json),
            Err(invalid) if is_json => return Err(invalid),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(if is_form { of_query(body) } else { Json::empty_object() })
}

fn says_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let cases = [
            ("", json!({})),
            ("a=1&b=two", json!({"a": "1", "b": "two"})),
            ("a=1&a=2&b=x&a=3", json!({"a": ["1", "2", "3"], "b": "x"})),
            ("a=&b", json!({"a": "", "b": ""})),
            ("a=&a=", json!({"a": ["", ""]})),
            ("q=a+b%20c%2B%26&%C3%BC=%E2%82%AC", json!({"q": "a b c+&", "ü": "€"})),
            ("a%5B%5D=1", json!({"a[]": "1"})),
            ("=x&&a=b=c", json!({"": "x", "a": "b=c"})),
            ("a=%FF%zz", json!({"a": "\u{fffd}%zz"})),
        ];
        for (query, expected) in cases {
            assert_eq!(of_query(query.as_bytes()).to_value(), expected, "{query}");
        }
    }

    #[test]
    fn a_body_is_read_by_what_it_is_and_then_by_what_it_is_called() {
        let (json, form) = (Some("application/json"), Some("application/x-www-form-urlencoded"));
        let object = r#"{"n": 9007199254740993, "f":1.0,"a":[], "o":{}}"#;
        let cases: [(Option<&str>, &str, &str); 22] = [
            (json, "", "{}"),
            (None, "", "{}"),
            (json, object, object),
            (Some("application/json; charset=utf-8"), object, object),
            (Some("APPLICATION/JSON"), object, object),
            (Some("application/cloudevents+json"), object, object),
            (Some("text/plain"), object, object),
            (form, object, object),
            (None, object, object),
            (json, "[1, 2]", "[1, 2]"),
            (json, " \n {} ", " \n {} "),
            (json, "\u{feff}{}", "{}"),
            (json, "5", "{}"),
            (json, "null", "{}"),
            (json, "\"text\"", "{}"),
            (form, "a=1&a=2&b=+", r#"{"a":["1","2"],"b":" "}"#),
            (form, "{not json}", r#"{"{not json}":""}"#),
            (Some("text/plain"), "a=1", "{}"),
            (Some("text/plain"), "{not json", "{}"),
            (Some("application/xml"), "<a/>", "{}"),
            (None, "[1,", "{}"),
            (Some("application/jsonp"), "{not json", "{}"),
        ];
        for (content_type, body, expected) in cases {
            let read = of_body(content_type, body.as_bytes()).unwrap();
            assert_eq!(read.as_str(), expected, "{content_type:?} {body}");
        }
        assert_eq!(of_body(Some("application/octet-stream"), b"{\"a\":\"\xff\"}").unwrap().as_str(), "{}");
    }

    #[test]
    fn what_is_called_json_must_be_json() {
        let deep = "[".repeat(65) + &"]".repeat(65);
        for content_type in ["application/json", "text/json", "application/vnd.api+json;v=1"] {
            for body in ["{", "{a:1}", "{\"a\":1}x", "nul", " ", "a=1", "{\"a\":01}", &deep] {
                assert!(of_body(Some(content_type), body.as_bytes()).is_err(), "{content_type} {body}");
            }
            assert!(of_body(Some(content_type), b"{\"a\":\"\xff\"}").is_err());
        }
    }
}
