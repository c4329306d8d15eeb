//! Both faces as tests walk through them: every operation, and calls made from JSON arguments, without a client for each.

pub(crate) mod graphql;
pub(crate) mod proto;
pub(crate) mod world;

use serde_json::Value;

/// The arguments with `@` and `$label` replaced.
pub(crate) fn filled(value: &Value, at: &str, label: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) if text == "@" => Value::String(at.to_owned()),
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => Value::String(label(name)),
            None => value.clone(),
        },
        Value::Array(all) => all.iter().map(|one| filled(one, at, label)).collect(),
        Value::Object(all) => all.iter().map(|(key, one)| (key.clone(), filled(one, at, label))).collect(),
        other => other.clone(),
    }
}

/// `integrationSystemID` as `integration_system_id`; a unit is one word.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = 'A';
    for letter in name.replace("MiB", "Mib").chars() {
        if letter.is_uppercase() && !before.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        before = letter;
    }
    snake
}
