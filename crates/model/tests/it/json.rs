use proptest::prelude::*;
use tidegate_model::{Json, MAX_DEPTH};

#[test]
fn text_stays_as_it_was_written() {
    for text in ["18446744073709551615", "-0.0", "1.10", r#"{"b":1,"a":[]}"#, "\"\\u00e9\"", " [1, 2] "] {
        assert_eq!(Json::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in ["", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\\ud800\"", "{'a':1}", "NaN"] {
        assert!(Json::parse(text).is_err(), "{text}");
    }
    assert!(Json::parse_bytes(b"\"\xff\"").is_err());
}

#[test]
fn depth_is_limited_exactly() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(Json::parse(nested(MAX_DEPTH)).is_ok());
    assert!(Json::parse(nested(MAX_DEPTH + 1)).unwrap_err().to_string().contains("nested deeper than 64"));
    assert!(Json::parse(nested(200_000)).is_err());
}

#[test]
fn attributes_keep_order_and_the_last_of_a_repeated_key() {
    let json = Json::parse(r#"{"b":1,"a":2.50,"b":3}"#).unwrap();
    let attributes = json.attributes().unwrap();
    let told: Vec<_> = attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(told, [("b", "3"), ("a", "2.50")]);
    assert_eq!(Json::parse("[1]").unwrap().attributes(), None);
}

proptest! {
    #[test]
    fn a_double_keeps_its_last_bit(number in proptest::num::f64::NORMAL) {
        let text = serde_json::to_string(&number).unwrap();
        prop_assert_eq!(Json::parse(text).unwrap().to_value().as_f64(), Some(number));
    }
}
