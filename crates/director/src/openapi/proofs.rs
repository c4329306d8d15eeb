//! How a caller shows who it is: headers with their forms, or what tools know as a security scheme.

use serde_json::{Value, json};
use tidegate_model::{GenericSignature, SignatureAlgorithm, SignatureEncoding, SignatureScheme, TokenPlace};

const SECONDS: &str = "^[0-9]{1,12}$";
const VISIBLE: &str = "^[!-~]+$";

/// Headers and parameters of the query.
pub(super) fn parameters(scheme: &SignatureScheme) -> Vec<Value> {
    match scheme {
        SignatureScheme::StandardWebhooks => vec![
            header("webhook-id", "Names the delivery, the same whenever it is repeated.", VISIBLE),
            header("webhook-timestamp", "Seconds since 1970.", SECONDS),
            header(
                "webhook-signature",
                "HMAC-SHA256 of `id.timestamp.body` in base64 behind `v1,`; several stand apart by a space.",
                "^v1a?,[A-Za-z0-9+/]+={0,2}( v1a?,[A-Za-z0-9+/]+={0,2})*$",
            ),
        ],
        SignatureScheme::Github => {
            vec![header("X-Hub-Signature-256", "HMAC-SHA256 of the body.", "^sha256=[0-9a-fA-F]{64}$")]
        }
        SignatureScheme::Stripe => vec![header(
            "Stripe-Signature",
            "`t`: seconds since 1970; `v1`: HMAC-SHA256 of `t.body`.",
            "^t=[0-9]{1,12}(,v1=[0-9a-fA-F]{64})+$",
        )],
        SignatureScheme::Slack => vec![
            header("X-Slack-Request-Timestamp", "Seconds since 1970.", SECONDS),
            header("X-Slack-Signature", "HMAC-SHA256 of `v0:timestamp:body`.", "^v0=[0-9a-fA-F]{64}$"),
        ],
        SignatureScheme::Shopify => {
            vec![header("X-Shopify-Hmac-Sha256", "HMAC-SHA256 of the body.", "^[A-Za-z0-9+/]{43}=$")]
        }
        SignatureScheme::Twilio => vec![
            header(
                "X-Twilio-Signature",
                "HMAC-SHA1 of the URL with its query and the sorted fields of the form.",
                "^[A-Za-z0-9+/]{27}=$",
            ),
            json!({
                "name": "bodySHA256", "in": "query", "required": false,
                "description": "SHA-256 of a body that is no form.",
                "schema": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$" },
            }),
        ],
        SignatureScheme::Generic(generic) => of_generic(generic),
        SignatureScheme::Token { .. } | SignatureScheme::Basic => Vec::new(),
    }
}

/// What is shown as it is, by the name of its security scheme.
pub(super) fn security(scheme: &SignatureScheme) -> Option<(&'static str, Value)> {
    match scheme {
        SignatureScheme::Basic => Some(("basic", json!({ "type": "http", "scheme": "basic" }))),
        SignatureScheme::Token { place: TokenPlace::Header { name, prefix } } => Some((
            "token",
            if name.eq_ignore_ascii_case("authorization") && prefix.trim_end().eq_ignore_ascii_case("bearer") {
                json!({ "type": "http", "scheme": "bearer" })
            } else {
                let description =
                    if prefix.is_empty() { "The token.".to_owned() } else { format!("`{prefix}` and the token.") };
                json!({ "type": "apiKey", "in": "header", "name": name, "description": description })
            },
        )),
        SignatureScheme::Token { place: TokenPlace::Parameter { name } } => {
            Some(("token", json!({ "type": "apiKey", "in": "query", "name": name })))
        }
        _ => None,
    }
}

fn of_generic(generic: &GenericSignature) -> Vec<Value> {
    let (hash, bytes) = match generic.algorithm {
        SignatureAlgorithm::Sha1 => ("SHA1", 20),
        SignatureAlgorithm::Sha256 => ("SHA256", 32),
        SignatureAlgorithm::Sha512 => ("SHA512", 64),
    };
    let form = match generic.encoding {
        SignatureEncoding::Hex => format!("[0-9a-fA-F]{{{}}}", bytes * 2),
        SignatureEncoding::Base64 => "[A-Za-z0-9+/]+={0,2}".to_owned(),
    };
    let what = format!("HMAC-{hash} of `{}`.", generic.template.as_str());
    let mut all = vec![header(&generic.header, &what, &format!("^{}{form}$", escaped(&generic.prefix)))];
    all.extend(generic.timestamp_header.iter().map(|name| header(name, "Seconds since 1970.", SECONDS)));
    all.extend(generic.id_header.iter().map(|name| header(name, "Names the delivery.", VISIBLE)));
    all
}

fn header(name: &str, description: &str, pattern: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": true, "description": description,
        "schema": { "type": "string", "pattern": pattern },
    })
}

/// A text as a pattern for itself.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| [(r"\^$.*+?()[]{}|/".contains(c)).then_some('\\'), Some(c)]).flatten().collect()
}
