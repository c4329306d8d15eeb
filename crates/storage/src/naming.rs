//! Where settings name credentials: in members called `credential` or `credentials`, or whose name ends so, at whatever depth. Whoever adds a
//! setting that names one calls it so, and a credential that is in use stays.

use serde_json::Value;

/// Whether these settings name the credential.
pub(crate) fn names_credential(settings: &Value, name: &str) -> bool {
    match settings {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (is_for_credentials(key) && holds(value, name)) || names_credential(value, name)),
        Value::Array(items) => items.iter().any(|item| names_credential(item, name)),
        _ => false,
    }
}

fn is_for_credentials(key: &str) -> bool {
    let key = key.strip_suffix('s').unwrap_or(key);
    key == "credential" || key.ends_with("Credential")
}

fn holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| item == name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_is_named_by_members_that_are_for_it() {
        for (settings, named) in [
            (json!({ "outgoing": { "credential": "shop" } }), true),
            (json!({ "incoming": { "signature": { "credentials": ["old", "shop"] } } }), true),
            (json!({ "outgoing": { "signingCredential": "shop" } }), true),
            (json!({ "steps": [{ "credential": "shop" }] }), true),
            (json!({ "outgoing": { "credential": "shop2", "name": "shop" }, "shop": "shop" }), false),
            (json!({ "credential": null, "credentials": [] }), false),
            (json!({}), false),
        ] {
            assert_eq!(names_credential(&settings, "shop"), named, "{settings}");
        }
    }
}
