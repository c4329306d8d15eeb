//! Something that a caller may send, made from the schema of what it may.

use serde_json::{Map, Value, json};
use tidegate_model::{IncomingSettings, Json};

/// How deeply a sample is made; below that every value is `{}`.
const MAX_DEPTH: usize = 8;

/// A sample of what the Integration takes. It fits the schema in most cases: of patterns and the like it knows nothing.
pub(super) fn of(incoming: &IncomingSettings) -> Value {
    let Some(schema) = incoming.body_schema.as_ref().map(Json::to_value) else { return json!({ "n": 1 }) };
    match value(&schema, &schema, 0) {
        sample @ (Value::Object(_) | Value::Array(_)) => sample,
        _ => json!({}),
    }
}

/// The same as a query; what is no text there becomes text.
pub(super) fn query(incoming: &IncomingSettings) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let mut add = |name: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        query.append_pair(name, &text);
    };
    for (name, value) in of(incoming).as_object().into_iter().flatten() {
        match value {
            Value::Array(all) => all.iter().for_each(|one| add(name, one)),
            one => add(name, one),
        }
    }
    query.finish()
}

/// A name as it stands in a query.
pub(super) fn escaped(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

fn value(root: &Value, schema: &Value, depth: usize) -> Value {
    let Some(keywords) = schema.as_object().filter(|_| depth < MAX_DEPTH) else { return json!({}) };
    let first = |name: &str| keywords.get(name).and_then(Value::as_array).and_then(|all| all.first());
    let given = first("examples").or(keywords.get("default")).or(keywords.get("const")).or(first("enum"));
    if let Some(given) = given {
        return given.clone();
    }
    if let Some(target) =
        keywords.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?))
    {
        return value(root, target, depth + 1);
    }
    if let Some(one) = first("oneOf").or(first("anyOf")) {
        return value(root, one, depth + 1);
    }
    let kind = keywords
        .get("type")
        .map_or("", |kind| kind.as_str().or(first("type").and_then(Value::as_str)).unwrap_or_default());
    let at_least = |name: &str| keywords.get(name).and_then(Value::as_u64).unwrap_or(0);
    match kind {
        "string" => json!("x".repeat(usize::try_from(at_least("minLength").clamp(1, 100)).unwrap_or(1))),
        "integer" | "number" => keywords.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => {
            let item = keywords.get("items").map_or(json!(1), |items| value(root, items, depth + 1));
            Value::Array(vec![item; usize::try_from(at_least("minItems").min(10)).unwrap_or(0)])
        }
        _ => object(root, keywords, depth),
    }
}

fn object(root: &Value, keywords: &Map<String, Value>, depth: usize) -> Value {
    let mut all = Map::new();
    let properties = keywords.get("properties").and_then(Value::as_object);
    for name in keywords.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let schema = properties.and_then(|all| all.get(name)).cloned().unwrap_or_else(|| json!({ "type": "string" }));
        all.insert(name.to_owned(), value(root, &schema, depth + 1));
    }
    Value::Object(all)
}
