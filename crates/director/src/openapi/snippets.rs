//! Calls to copy: one in shell, one in Python, each whole. What is secret they read from the environment.

use serde_json::{Value, json};
use tidegate_model::{
    GenericSignature, HttpMethod, IdempotencyKey, Integration, SignatureAlgorithm, SignatureEncoding, SignatureScheme,
    TemplatePart, TokenPlace,
};

use super::{python, sample, shell};

/// Lines that call an Integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// What it calls with.
    pub(crate) name: &'static str,
    /// In which language it is written.
    pub(crate) language: &'static str,
    /// The lines.
    pub(crate) text: String,
}

impl Snippet {
    /// As tools that show documents look for it.
    pub(super) fn sample(&self) -> Value {
        json!({ "lang": self.language, "label": self.name, "source": self.text })
    }
}

/// The snippets of an INCOMING Integration that is called at `url`.
pub(crate) fn snippets(integration: &Integration, url: &str) -> Vec<Snippet> {
    let call = Call::of(integration, url);
    vec![
        Snippet { name: "curl", language: "Shell", text: shell::text(&call) },
        Snippet { name: "urllib", language: "Python", text: python::text(&call) },
    ]
}

/// A call, in no language yet.
pub(super) struct Call {
    /// With its query.
    pub(super) url: String,
    /// What a POST sends.
    pub(super) body: Option<String>,
    /// Whether it says by a key of its own which calls are the same.
    pub(super) has_key: bool,
    pub(super) proof: Proof,
}

/// How it shows who calls.
pub(super) enum Proof {
    Nothing,
    Signed(Signing),
    TokenInHeader {
        name: String,
        prefix: String,
    },
    /// The name is escaped.
    TokenInQuery {
        name: String,
    },
    Basic,
}

/// An HMAC in a header.
pub(super) struct Signing {
    pub(super) secret: SecretForm,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) encoding: SignatureEncoding,
    /// What is signed.
    pub(super) signed: Vec<Part>,
    /// Every header of the proof.
    pub(super) headers: Vec<(String, Vec<Part>)>,
    /// Whether the URL has to name the body by its hash first.
    pub(super) names_body: bool,
}

/// How a secret becomes a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretForm {
    /// As it is.
    Text,
    /// Base64 behind `whsec_`.
    StandardWebhooks,
}

/// A part of a text that is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// Seconds since 1970.
    Time,
    /// The delivery's name.
    Id,
    Url,
    Body,
    /// Only in headers.
    Signature,
}

impl Signing {
    /// Whether this part is anywhere in it.
    pub(super) fn has(&self, part: &Part) -> bool {
        self.signed.contains(part) || self.headers.iter().any(|(_, parts)| parts.contains(part))
    }
}

impl Call {
    fn of(integration: &Integration, url: &str) -> Self {
        let incoming = &integration.settings.incoming;
        let method = integration.http_method;
        let (mut url, mut body) = (url.to_owned(), None);
        match method {
            HttpMethod::Post => body = Some(sample::of(incoming).to_string()),
            HttpMethod::Get => {
                let query = sample::query(incoming);
                if !query.is_empty() {
                    url = format!("{url}?{query}");
                }
            }
        }
        let proof = incoming.signature.as_ref().map_or(Proof::Nothing, |signature| proof(&signature.scheme, method));
        let has_key = incoming.idempotency_key != IdempotencyKey::None;
        Self { url, body, has_key, proof }
    }
}

fn proof(scheme: &SignatureScheme, method: HttpMethod) -> Proof {
    use Part::{Body, Id, Signature, Time, Url};
    let text = |text: &str| Part::Text(text.to_owned());
    let header = |name: &str, parts: Vec<Part>| (name.to_owned(), parts);
    let of_body = |encoding, headers| Signing {
        secret: SecretForm::Text,
        algorithm: SignatureAlgorithm::Sha256,
        encoding,
        signed: vec![Body],
        headers,
        names_body: false,
    };
    let (hex, base64) = (SignatureEncoding::Hex, SignatureEncoding::Base64);
    Proof::Signed(match scheme {
        SignatureScheme::Basic => return Proof::Basic,
        SignatureScheme::Token { place: TokenPlace::Header { name, prefix } } => {
            return Proof::TokenInHeader { name: name.clone(), prefix: prefix.clone() };
        }
        SignatureScheme::Token { place: TokenPlace::Parameter { name } } => {
            return Proof::TokenInQuery { name: sample::escaped(name) };
        }
        SignatureScheme::StandardWebhooks => Signing {
            secret: SecretForm::StandardWebhooks,
            signed: vec![Id, text("."), Time, text("."), Body],
            ..of_body(
                base64,
                vec![
                    header("webhook-id", vec![Id]),
                    header("webhook-timestamp", vec![Time]),
                    header("webhook-signature", vec![text("v1,"), Signature]),
                ],
            )
        },
        SignatureScheme::Github => of_body(hex, vec![header("X-Hub-Signature-256", vec![text("sha256="), Signature])]),
        SignatureScheme::Shopify => of_body(base64, vec![header("X-Shopify-Hmac-Sha256", vec![Signature])]),
        SignatureScheme::Stripe => Signing {
            signed: vec![Time, text("."), Body],
            ..of_body(hex, vec![header("Stripe-Signature", vec![text("t="), Time, text(",v1="), Signature])])
        },
        SignatureScheme::Slack => Signing {
            signed: vec![text("v0:"), Time, text(":"), Body],
            ..of_body(
                hex,
                vec![
                    header("X-Slack-Request-Timestamp", vec![Time]),
                    header("X-Slack-Signature", vec![text("v0="), Signature]),
                ],
            )
        },
        SignatureScheme::Twilio => Signing {
            algorithm: SignatureAlgorithm::Sha1,
            signed: vec![Url],
            names_body: method == HttpMethod::Post,
            ..of_body(base64, vec![header("X-Twilio-Signature", vec![Signature])])
        },
        SignatureScheme::Generic(generic) => of_generic(generic, method),
    })
}

fn of_generic(generic: &GenericSignature, method: HttpMethod) -> Signing {
    let part = |part: &TemplatePart<'_>| match part {
        TemplatePart::Text(text) => Part::Text((*text).to_owned()),
        TemplatePart::Timestamp => Part::Time,
        TemplatePart::Id => Part::Id,
        TemplatePart::Method => Part::Text(method.as_str().to_owned()),
        TemplatePart::Url => Part::Url,
        TemplatePart::Body if method == HttpMethod::Get => Part::Text(String::new()),
        TemplatePart::Body => Part::Body,
    };
    let mut value = vec![Part::Text(generic.prefix.clone()), Part::Signature];
    value.retain(|part| *part != Part::Text(String::new()));
    let mut headers = vec![(generic.header.clone(), value)];
    headers.extend(generic.timestamp_header.iter().map(|name| (name.clone(), vec![Part::Time])));
    headers.extend(generic.id_header.iter().map(|name| (name.clone(), vec![Part::Id])));
    Signing {
        secret: SecretForm::Text,
        algorithm: generic.algorithm,
        encoding: generic.encoding,
        signed: generic.template.parts().iter().map(part).filter(|part| *part != Part::Text(String::new())).collect(),
        headers,
        names_body: false,
    }
}
