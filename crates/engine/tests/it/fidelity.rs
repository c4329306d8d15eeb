//! JSON through a script and back is the same JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{engine, incoming, run, succeeded};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers only", |d| d.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\/\u{0}-\u{1f}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same by meaning: `1.0` is `1`, as in every language that reads JSON numbers as numbers; the sign of zero counts.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y
                || matches!((x.as_f64(), y.as_f64()), (Some(x), Some(y)) if x.to_bits() == y.to_bits())
                    && (x.is_f64() || y.is_f64())
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

#[test]
fn any_json_value_passes_unchanged() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let engine = engine();
    proptest!(ProptestConfig::with_cases(300), |(sent in value())| {
        let body = json!({"v": sent}).to_string();
        // Read by the same reader as what comes back: it may be wrong in the last bit.
        let sent: Value = serde_json::from_str::<Value>(&body).unwrap()["v"].take();
        for core in ["return parameters", "return { v = json.decode(json.encode(parameters.v)) }", "return json.decode(rawBody)"] {
            let got = succeeded(&runtime.block_on(run(&engine, incoming(core), &body)));
            prop_assert!(same(&got["v"], &sent), "{core}: sent {body}, got {got}");
        }
    });
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    let engine = engine();
    let body = r#"{"a":9007199254740993,"b":-9223372036854775808,"c":18446744073709551615,"d":0.1234567890123456789,"e":-0.0,"f":1e-7,"g":123456789012345678901234567890}"#;
    let done = run(&engine, incoming("return { text = json.encode(parameters) }"), body).await;
    let text = succeeded(&done)["text"].as_str().unwrap().to_owned();
    for part in [
        r#""a":9007199254740993"#,
        r#""b":-9223372036854775808"#,
        r#""c":18446744073709551615"#,
        r#""d":0.1234567890123456789"#,
        r#""e":-0.0"#,
        r#""f":1e-7"#,
        r#""g":123456789012345678901234567890"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn scripts_calculate_with_large_integers_exactly() {
    let engine = engine();
    let core = r#"
        local a, b = parameters.a, parameters.b
        return {
            sum = a + 1, difference = a - 1, product = a * 2, quotient = a // 2, rest = a % 1000, negative = -a,
            text = tostring(a), joined = "id-" .. a, equal = a == b, less = a < a + 1, back = a - b, small = (a - a) + 5,
        }"#;
    let body = r#"{"a":9223372036854775807,"b":9223372036854775807}"#;
    let done = run(&engine, incoming(core), body).await;
    let text = match &done.outcome {
        tidegate_model::Outcome::Succeeded(json) => json.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    for part in [
        r#""sum":9223372036854775808"#,
        r#""difference":9223372036854775806"#,
        r#""product":18446744073709551614"#,
        r#""quotient":4611686018427387903"#,
        r#""rest":807"#,
        r#""negative":-9223372036854775807"#,
        r#""text":"9223372036854775807""#,
        r#""joined":"id-9223372036854775807""#,
        r#""equal":true"#,
        r#""less":true"#,
        r#""back":0"#,
        r#""small":5"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn null_and_empty_arrays_are_told_apart() {
    let engine = engine();
    let core = "return { n = parameters.n, a = parameters.a, o = parameters.o, made = json.array{}, table = {},
        isnull = json.is_null(parameters.n), isnil = parameters.absent == nil, same = parameters.n == json.null, shown = tostring(json.null) }";
    let got = succeeded(&run(&engine, incoming(core), r#"{"n":null,"a":[],"o":{}}"#).await);
    assert_eq!(
        got,
        json!({"n": null, "a": [], "o": {}, "made": [], "table": {}, "isnull": true, "isnil": true, "same": true, "shown": "null"})
    );
}

#[tokio::test]
async fn an_array_that_a_script_empties_stays_one() {
    let engine = engine();
    let got = succeeded(&run(&engine, incoming("table.remove(parameters.a) return parameters"), r#"{"a":[1]}"#).await);
    assert_eq!(got, json!({"a": []}));
}

#[tokio::test]
async fn the_last_of_equal_keys_wins() {
    let engine = engine();
    let got = succeeded(&run(&engine, incoming("return parameters"), r#"{"a":1,"a":2}"#).await);
    assert_eq!(got, json!({"a": 2}));
}

#[tokio::test]
async fn what_json_has_no_place_for_is_a_clear_error() {
    let engine = engine();
    for (core, what) in [
        ("return { a = { f = print } }", "at a.f: a function has no place in JSON"),
        ("return { a = 0/0 }", "at a: the number NaN has no place in JSON"),
        ("return { a = '\\255' }", "at a: a string that is not UTF-8 has no place in JSON"),
        ("return { a = { 1, x = 2 } }", "at a: a table with 1 items and the key \"x\" is neither array nor object"),
        ("return { a = { [true] = 1 } }", "at a: a key of an object must be a string, this one is a boolean"),
        ("return { a = coroutine.create(print) }", "at a: a thread has no place in JSON"),
    ] {
        let done = run(&engine, incoming(core), "{}").await;
        let message = &crate::harness::failed(&done).message;
        assert!(message.contains(what), "{core}: {message}");
    }
}

#[tokio::test]
async fn text_that_is_no_json_is_refused_with_its_place() {
    let engine = engine();
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\"}",
        "01",
        "1.",
        "\"\\x\"",
        "\"\\ud800\"",
        "nul",
        "1 2",
        "\"\t\"",
        "+1",
        ".5",
        "{'a':1}",
    ] {
        let core = "local ok, e = pcall(json.decode, parameters.text) return { ok = ok, e = e }";
        let got = succeeded(&run(&engine, incoming(core), &json!({ "text": text }).to_string()).await);
        assert_eq!(got["ok"], json!(false), "{text}");
        assert!(got["e"].as_str().unwrap().contains("invalid JSON at byte"), "{text}: {got}");
    }
}

/// Texts that are JSON, nearly JSON, or nothing of the kind.
fn text() -> impl Strategy<Value = String> {
    let mutated = (value(), any::<prop::sample::Index>(), "[\\[\\]{},:\"0-9eE.+\\-\\\\u \u{0}-\u{1f}]{0,2}").prop_map(
        |(value, at, with)| {
            let text = value.to_string();
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let place = places[at.index(places.len())];
            format!("{}{with}{}", &text[..place], &text[place..].chars().skip(1).collect::<String>())
        },
    );
    prop_oneof![mutated, "[\\[\\]{},:\"0-9eE.+\\-tfn \\\\u]{0,12}", any::<String>()]
}

#[test]
fn scripts_read_what_every_reader_of_json_reads_and_refuse_the_rest() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let engine = engine();
    proptest!(ProptestConfig::with_cases(2000), |(text in text())| {
        let core = "local ok, v = pcall(json.decode, parameters.text) return { ok = ok, v = v }";
        let got = succeeded(&runtime.block_on(run(&engine, incoming(core), &json!({ "text": text }).to_string())));
        let read = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(&got["ok"], &json!(read.is_ok()), "{} {}", text, got);
        prop_assert!(read.is_err() || same(&got["v"], &read.unwrap()), "{text}: {got}");
    });
}

#[tokio::test]
async fn values_are_nested_as_deeply_as_the_platform_takes_them() {
    use tidegate_model::MAX_DEPTH;
    let engine = engine();
    let nested = |levels: usize| format!("{{\"v\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let body = nested(MAX_DEPTH);
    let done = run(&engine, incoming("return parameters"), &body).await;
    assert_eq!(succeeded(&done), serde_json::from_str::<Value>(&body).unwrap());
    let done = run(&engine, incoming("return { v = parameters }"), &body).await;
    assert!(crate::harness::failed(&done).message.contains("result depth limit reached (64 levels)"));
    let text = json!({ "text": nested(MAX_DEPTH + 1) }).to_string();
    let done = run(&engine, incoming("return { ok = pcall(json.decode, parameters.text) }"), &text).await;
    assert_eq!(succeeded(&done), json!({"ok": false}));
}
