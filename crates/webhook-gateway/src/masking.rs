//! What of a request, and of what came of it, is not kept. Pure.

use tidegate_model::Json;

/// What stands for a value that is not kept.
pub(crate) const MASK: &str = "***";

/// Parts of a header's name that say that its value is a credential.
const CREDENTIALS: [&str; 15] = [
    "auth",
    "authorization",
    "authentication",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "apikey",
    "key",
    "session",
    "jwt",
];

/// Headers whose name only looks like a credential's.
const HARMLESS: [&str; 2] = ["idempotency-key", "sec-websocket-key"];

/// The value of a header as it is kept: masked when the name says that it is a credential, and without the webhook key, which proxies copy
/// into headers of their own.
pub(crate) fn kept(name: &str, value: &str, key: &str) -> String {
    if is_credential(name) { MASK.to_owned() } else { without_key_in(value, key).unwrap_or_else(|| value.to_owned()) }
}

/// JSON without the webhook key, which callers, proxies and scripts copy into it: a key is made of characters that JSON writes as they are.
pub(crate) fn without_key(json: &Json, key: &str) -> Json {
    without_key_in(json.as_str(), key).map_or_else(|| json.clone(), Json::trusted)
}

/// The text without the webhook key; `None` where it is not in it.
pub(crate) fn without_key_in(text: &str, key: &str) -> Option<String> {
    (!key.is_empty() && text.contains(key)).then(|| text.replace(key, MASK))
}

fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.contains(&name.as_str()) && name.split(['-', '_', '.']).any(|part| CREDENTIALS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_nothing_else() {
        let masked = [
            "authorization",
            "Proxy-Authorization",
            "cookie",
            "x-api-key",
            "x_api_key",
            "X-ApiKey",
            "api-key",
            "x-auth-token",
            "x-auth",
            "x-gitlab-token",
            "x-vault-token",
            "private-token",
            "ocp-apim-subscription-key",
            "x-functions-key",
            "x-client-secret",
            "x-amz-security-token",
            "x-session",
        ];
        for name in masked {
            assert_eq!(kept(name, "hunter2", "KEY"), "***", "{name}");
        }
        let harmless = [
            "content-type",
            "user-agent",
            "idempotency-key",
            "x-github-event",
            "x-hub-signature-256",
            "webhook-id",
            "x-author",
            "x-monkey",
            "x-keyboard",
            "host",
        ];
        for name in harmless {
            assert_eq!(kept(name, "value", "KEY"), "value", "{name}");
        }
    }

    #[test]
    fn the_webhook_key_is_cut_out_of_what_a_proxy_copied() {
        assert_eq!(kept("x-original-uri", "/webhook/KEY?a=1", "KEY"), "/webhook/***?a=1");
        assert_eq!(kept("referer", "nothing", ""), "nothing");
    }
}
