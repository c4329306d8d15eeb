//! What of a request, and of what came of it, is not kept. Pure.

use tidegate_model::kept::{MASK, is_masked};
use tidegate_model::{Call, Json};

/// Parts of a header's name that say that its value is a signature, with which the call could be made again.
const SIGNATURES: [&str; 2] = ["signature", "hmac"];

/// The value of a header as it is kept: masked when the name says that it is a credential or a signature, or the Integration that it is to
/// be `masked`, and without the webhook key, which proxies copy into headers of their own.
pub(crate) fn kept(name: &str, value: &str, key: &str, masked: &[String]) -> String {
    if is_masked(name, masked) || is_signature(name) {
        MASK.to_owned()
    } else {
        without_key_in(value, key).unwrap_or_else(|| value.to_owned())
    }
}

fn is_signature(name: &str) -> bool {
    name.to_ascii_lowercase().split(['-', '_', '.']).any(|part| SIGNATURES.contains(&part))
}

/// The query without the value of a parameter that is a secret, whatever came there.
pub(crate) fn without_parameter(parameters: &Json, name: &str) -> Json {
    let mut value = parameters.to_value();
    match value.get_mut(name) {
        Some(secret) => *secret = MASK.into(),
        None => return parameters.clone(),
    }
    Json::of(&value)
}

/// JSON without the webhook key, which callers, proxies and scripts copy into it: a key is made of characters that JSON writes as they are.
pub(crate) fn without_key(json: &Json, key: &str) -> Json {
    without_key_in(json.as_str(), key).map_or_else(|| json.clone(), Json::trusted)
}

/// The text without the webhook key; `None` where it is not in it.
pub(crate) fn without_key_in(text: &str, key: &str) -> Option<String> {
    (!key.is_empty() && text.contains(key)).then(|| text.replace(key, MASK))
}

/// A call of a script's without the webhook key.
pub(crate) fn without_key_in_call(mut call: Call, key: &str) -> Call {
    let texts = [Some(&mut call.url), call.request_body.as_mut(), call.response_body.as_mut(), call.error.as_mut()];
    for text in texts.into_iter().flatten() {
        if let Some(masked) = without_key_in(text, key) {
            *text = masked;
        }
    }
    call.request_headers = without_key(&call.request_headers, key);
    call.response_headers = call.response_headers.map(|headers| without_key(&headers, key));
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        assert_eq!(kept("X-Api-Key", "hunter2", "KEY", &[]), "***");
        assert_eq!(kept("content-type", "hunter2", "KEY", &[]), "hunter2");
    }

    #[test]
    fn signatures_are_masked() {
        for name in ["X-Hub-Signature-256", "stripe-signature", "webhook-signature", "x-shopify-hmac-sha256"] {
            assert_eq!(kept(name, "v1,beef", "KEY", &[]), "***", "{name}");
        }
        for name in ["webhook-id", "webhook-timestamp", "x-github-event"] {
            assert_eq!(kept(name, "value", "KEY", &[]), "value", "{name}");
        }
    }

    #[test]
    fn a_parameter_that_is_a_secret_is_masked_however_often_it_comes() {
        for (query, masked) in [
            (r#"{"a":"1","key":"x"}"#, r#"{"a":"1","key":"***"}"#),
            (r#"{"key":["x","y"]}"#, r#"{"key":"***"}"#),
            (r#"{"a":"1"}"#, r#"{"a":"1"}"#),
        ] {
            assert_eq!(without_parameter(&Json::trusted(query), "key").as_str(), masked);
        }
    }

    #[test]
    fn what_the_integration_names_is_masked_too() {
        let masked = ["X-Shop-Pin".to_owned()];
        assert_eq!(kept("x-shop-pin", "1234", "KEY", &masked), "***");
        assert_eq!(kept("x-shop-pins", "1234", "KEY", &masked), "1234");
    }

    #[test]
    fn the_webhook_key_is_cut_out_of_what_a_proxy_copied() {
        assert_eq!(kept("x-original-uri", "/webhook/KEY?a=1", "KEY", &[]), "/webhook/***?a=1");
        assert_eq!(kept("referer", "nothing", "", &[]), "nothing");
    }
}
