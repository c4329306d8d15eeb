//! A sender for each scheme.

use super::*;

/// A scheme, with a sender that was written from the third party's words and shares nothing with what verifies.
pub(super) struct Sender {
    pub(super) scheme: SignatureScheme,
    pub(super) secrets: [&'static str; 2],
    pub(super) body: &'static str,
    pub(super) sign: fn(&str, i64, &str) -> Headers,
    pub(super) signs_body: bool,
    pub(super) delivery: Option<&'static str>,
}

impl Sender {
    pub(super) fn credential(&self, secrets: &[&str]) -> Vec<Arc<OpenCredential>> {
        match self.scheme {
            SignatureScheme::Basic => secrets
                .iter()
                .map(|text| {
                    let (username, password) = text.split_once(':').unwrap();
                    open(Material::Basic { username: username.to_owned(), password: Secret::new(password) })
                })
                .collect(),
            _ => vec![signing(secrets)],
        }
    }

    /// What comes of a call that was signed with the first secret at `NOW`, once `change` has had its way with it.
    pub(super) fn call(
        &self,
        known: &[&str],
        change: impl FnOnce(&mut Headers, &mut Vec<u8>, &mut i64),
    ) -> Result<Verified, Unverified> {
        let (mut headers, mut body, mut now) = ((self.sign)(self.secrets[0], NOW, self.body), self.body.into(), NOW);
        change(&mut headers, &mut body, &mut now);
        verify(&settings(self.scheme.clone()), &self.credential(known), &evidence(URL, &headers, &body, now))
    }
}

pub(super) fn generic(algorithm: SignatureAlgorithm, encoding: SignatureEncoding, template: &str) -> GenericSignature {
    GenericSignature {
        header: "X-Partner-Signature".to_owned(),
        prefix: "sig=".to_owned(),
        algorithm,
        encoding,
        template: template.parse().unwrap(),
        timestamp_header: template.contains("{timestamp}").then(|| "X-Partner-Time".to_owned()),
        id_header: template.contains("{id}").then(|| "X-Partner-Id".to_owned()),
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn senders() -> Vec<Sender> {
    use SignatureAlgorithm as A;
    use SignatureEncoding as E;
    let json = r#"{"n": 1,  "text":"ü"}"#;
    let text = ["a secret", "another one"];
    let form = ("application/x-www-form-urlencoded", "b=2&a=x+y&a=%C3%BC&c=");
    vec![
        Sender {
            scheme: SignatureScheme::StandardWebhooks,
            secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"],
            body: json,
            sign: |secret, time, body| {
                let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
                let signature = STANDARD.encode(mac(HMAC_SHA256, key, format!("msg_1.{time}.{body}")));
                let signature = format!("v1,{} v1,{signature}", STANDARD.encode([0; 32]));
                let time = time.to_string();
                headers(&[
                    ("webhook-id", "msg_1".into()),
                    ("webhook-timestamp", time),
                    ("webhook-signature", signature),
                ])
            },
            signs_body: true,
            delivery: Some("msg_1"),
        },
        Sender {
            scheme: SignatureScheme::Github,
            secrets: text,
            body: json,
            sign: |secret, _, body| {
                let signature = format!("sha256={}", to_hex(&mac(HMAC_SHA256, secret, body)));
                headers(&[("X-Hub-Signature-256", signature), ("X-GitHub-Delivery", "72d3162e".into())])
            },
            signs_body: true,
            delivery: Some("72d3162e"),
        },
        Sender {
            scheme: SignatureScheme::Stripe,
            secrets: ["whsec_as-it-is", "whsec_another"],
            body: json,
            sign: |secret, time, body| {
                let signature = to_hex(&mac(HMAC_SHA256, secret, format!("{time}.{body}")));
                headers(&[("Stripe-Signature", format!("t={time},v1={},v1={signature},v0=beef", "0".repeat(64)))])
            },
            signs_body: true,
            delivery: None,
        },
        Sender {
            scheme: SignatureScheme::Slack,
            secrets: text,
            body: json,
            sign: |secret, time, body| {
                let signature = format!("v0={}", to_hex(&mac(HMAC_SHA256, secret, format!("v0:{time}:{body}"))));
                headers(&[("X-Slack-Request-Timestamp", time.to_string()), ("X-Slack-Signature", signature)])
            },
            signs_body: true,
            delivery: None,
        },
        Sender {
            scheme: SignatureScheme::Shopify,
            secrets: text,
            body: json,
            sign: |secret, _, body| {
                let signature = STANDARD.encode(mac(HMAC_SHA256, secret, body));
                headers(&[("X-Shopify-Hmac-Sha256", signature), ("X-Shopify-Webhook-Id", "b54557e4".into())])
            },
            signs_body: true,
            delivery: Some("b54557e4"),
        },
        Sender {
            scheme: SignatureScheme::Twilio,
            secrets: text,
            body: form.1,
            sign: |secret, _, body| {
                let fields = if body == "b=2&a=x+y&a=%C3%BC&c=" { "ax yaüb2c" } else { "" };
                let signed = format!("{URL}{fields}");
                let signature = STANDARD.encode(mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, signed));
                let content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
                headers(&[("Content-Type", content_type), ("X-Twilio-Signature", signature)])
            },
            signs_body: true,
            delivery: None,
        },
        Sender {
            scheme: SignatureScheme::Generic(generic(A::Sha512, E::Base64, "{method} {url}\n{timestamp}.{id}.{body}")),
            secrets: text,
            body: json,
            sign: |secret, time, body| {
                let signed = format!("POST {URL}\n{time}.42.{body}");
                let signature = format!("sig={}", STANDARD.encode(mac(HMAC_SHA512, secret, signed)));
                let time = ("x-partner-time", time.to_string());
                headers(&[("x-partner-signature", signature), time, ("x-partner-id", "42".into())])
            },
            signs_body: true,
            delivery: Some("42"),
        },
        Sender {
            scheme: SignatureScheme::Generic(generic(A::Sha1, E::Hex, "{body}")),
            secrets: text,
            body: json,
            sign: |secret, _, body| {
                let signature = to_hex(&mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, body)).to_uppercase();
                headers(&[("x-partner-signature", format!("sig={signature}"))])
            },
            signs_body: true,
            delivery: None,
        },
        Sender {
            scheme: SignatureScheme::Token {
                place: TokenPlace::Header { name: "Authorization".to_owned(), prefix: "Bearer ".to_owned() },
            },
            secrets: text,
            body: json,
            sign: |secret, _, _| headers(&[("authorization", format!("bearer {secret}"))]),
            signs_body: false,
            delivery: None,
        },
        Sender {
            scheme: SignatureScheme::Basic,
            secrets: ["ada:hunter2", "ada:swordfish"],
            body: json,
            sign: |secret, _, _| headers(&[("Authorization", format!("Basic {}", STANDARD.encode(secret)))]),
            signs_body: false,
            delivery: None,
        },
    ]
}
