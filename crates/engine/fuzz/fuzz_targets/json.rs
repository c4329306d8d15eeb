//! Bytes to Lua values to bytes: `json.decode` accepts what every reader of JSON accepts, and `json.encode` writes the same value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tidegate_engine_fuzz::{run, succeeded};
use tidegate_model::{Json, Outcome};

const THERE: &str = "local ok, value = pcall(json.decode, rawBody) if not ok then return { refused = value } end
    return { value = value, text = json.encode(value), again = json.encode(json.decode(json.encode(value))) }";

fuzz_target!(|bytes: &[u8]| {
    let done = run(THERE, bytes);
    let Ok(accepted) = Json::parse_bytes(bytes) else {
        // Nothing else may have happened to it than to be refused: neither a limit nor a crash.
        let refused = succeeded(&done).to_value();
        let why = refused["refused"].as_str().expect("a text that is no JSON is refused");
        assert!(why.contains("invalid JSON at byte "), "{why}");
        return;
    };
    if matches!(&done.outcome, Outcome::Failed(failure) if failure.message.contains("result depth limit")) {
        // The result is one level deeper than what was read.
        return;
    }
    let result = succeeded(&done);
    let came = Json::parse(result.as_str()).expect("a result is JSON").to_value();
    let sent = accepted.to_value();
    for (way, value) in [("value", &came["value"]), ("text", &read(&came["text"])), ("again", &read(&came["again"]))] {
        assert!(same(value, &sent), "{way}: sent {sent}, got {value}");
    }
});

fn read(text: &Value) -> Value {
    serde_json::from_str(text.as_str().expect("a text")).expect("what json.encode writes is JSON")
}

/// The same by meaning: `1.0` is `1`; the sign of zero counts.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y
                || (x.is_f64() || y.is_f64())
                    && matches!((x.as_f64(), y.as_f64()), (Some(x), Some(y)) if x.to_bits() == y.to_bits())
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, value)| y.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
