//! How the callers of an INCOMING Integration show who they are.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CredentialKind;

/// The signature that an Integration requires of every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureSettings {
    /// How calls are signed.
    #[serde(flatten)]
    pub scheme: SignatureScheme,
    /// Names of the tenant's credentials; a call must match one of their secrets.
    pub credentials: Vec<String>,
    /// How many seconds a signature's time may differ from ours, in both directions; [`SignatureSettings::TOLERANCE`] where none is set.
    #[serde(default)]
    pub tolerance_seconds: Option<u32>,
}

impl SignatureSettings {
    /// How many credentials one Integration may name.
    pub const MAX_CREDENTIALS: usize = 5;
    /// The tolerance where none is set, in seconds.
    pub const TOLERANCE: u32 = 300;
    /// The largest tolerance, in seconds.
    pub const MAX_TOLERANCE: u32 = 3600;

    /// How many seconds a signature's time may differ from ours.
    pub fn tolerance(&self) -> u32 {
        self.tolerance_seconds.unwrap_or(Self::TOLERANCE)
    }
}

/// How calls are signed, or what they show instead of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignatureScheme {
    /// Standard Webhooks: HMAC-SHA256 (`v1`, secrets `whsec_...`) and Ed25519 (`v1a`, public keys `whpk_...`).
    StandardWebhooks,
    /// `X-Hub-Signature-256`.
    Github,
    /// `Stripe-Signature`.
    Stripe,
    /// `X-Slack-Signature`; Slack's challenge is answered without a run.
    Slack,
    /// `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// `X-Twilio-Signature`.
    Twilio,
    /// An HMAC in a header of the third party's own.
    Generic(GenericSignature),
    /// A secret as it is.
    Token {
        /// Where it stands.
        place: TokenPlace,
    },
    /// `Authorization: Basic`.
    Basic,
}

impl SignatureScheme {
    /// Whether a signature tells when it was made, so that an old one can be refused.
    pub fn has_timestamp(&self) -> bool {
        match self {
            Self::StandardWebhooks | Self::Stripe | Self::Slack => true,
            Self::Generic(generic) => generic.timestamp_header.is_some(),
            Self::Github | Self::Shopify | Self::Twilio | Self::Token { .. } | Self::Basic => false,
        }
    }

    /// Whether it gives a delivery an id, the same each time that it comes; single calls may still be without one.
    pub fn names_deliveries(&self) -> bool {
        match self {
            Self::StandardWebhooks | Self::Github | Self::Stripe | Self::Slack | Self::Shopify => true,
            Self::Generic(generic) => generic.id_header.is_some(),
            Self::Twilio | Self::Token { .. } | Self::Basic => false,
        }
    }

    /// The kinds of credentials whose secrets fit.
    pub fn credential_kinds(&self) -> &'static [CredentialKind] {
        match self {
            Self::Basic => &[CredentialKind::Basic],
            Self::Token { .. } => &[CredentialKind::Signing, CredentialKind::Bearer],
            _ => &[CredentialKind::Signing],
        }
    }
}

/// An HMAC over what the template says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenericSignature {
    /// Where the signature stands.
    pub header: String,
    /// What stands before it there, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// Of the HMAC.
    pub algorithm: SignatureAlgorithm,
    /// How its bytes are written.
    pub encoding: SignatureEncoding,
    /// What is signed.
    pub template: SignatureTemplate,
    /// Where `{timestamp}` stands, in seconds since 1970; there when the template has it.
    #[serde(default)]
    pub timestamp_header: Option<String>,
    /// Where `{id}` stands; there when the template has it.
    #[serde(default)]
    pub id_header: Option<String>,
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenPlace {
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// What stands before the token, such as `Bearer ` with its space.
        #[serde(default)]
        prefix: String,
    },
    /// In the query.
    Parameter {
        /// Its name.
        name: String,
    },
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignatureAlgorithm {
    /// HMAC-SHA1, for third parties that know nothing better.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignatureEncoding {
    /// Hexadecimal, in upper or lower case.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// What is signed: text with [`TemplatePart`]s in it, each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureTemplate(String);

/// A part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplatePart<'a> {
    /// As it stands there.
    Text(&'a str),
    /// `{timestamp}`: the header's text.
    Timestamp,
    /// `{id}`: the header's text.
    Id,
    /// `{method}`: `GET` or `POST`.
    Method,
    /// `{url}`: the URL that was called, with its query.
    Url,
    /// `{body}`: the bytes of the body.
    Body,
}

/// The text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", SignatureTemplate::RULE)]
pub struct InvalidTemplate;

impl SignatureTemplate {
    /// The rule that every value obeys, as it is told to whoever broke it.
    pub const RULE: &'static str = "at most 256 characters of text with {timestamp}, {id}, {method}, {url} or {body}, each once, and no other braces";

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, in their order.
    pub fn parts(&self) -> Vec<TemplatePart<'_>> {
        parts(&self.0).unwrap_or_default()
    }

    /// Whether this is one of its parts.
    pub fn has(&self, part: TemplatePart<'_>) -> bool {
        self.parts().contains(&part)
    }
}

impl FromStr for SignatureTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let parts = parts(text).ok_or(InvalidTemplate)?;
        let is_text = |part: &TemplatePart<'_>| matches!(part, TemplatePart::Text(_));
        let once = parts.iter().enumerate().all(|(i, part)| is_text(part) || !parts[..i].contains(part));
        if once && !parts.is_empty() && text.chars().count() <= 256 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidTemplate)
        }
    }
}

/// `None` when a brace is no part's.
fn parts(text: &str) -> Option<Vec<TemplatePart<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        let (name, after) = from[1..].split_once('}')?;
        if before.contains('}') {
            return None;
        }
        if !before.is_empty() {
            parts.push(TemplatePart::Text(before));
        }
        parts.push(match name {
            "timestamp" => TemplatePart::Timestamp,
            "id" => TemplatePart::Id,
            "method" => TemplatePart::Method,
            "url" => TemplatePart::Url,
            "body" => TemplatePart::Body,
            _ => return None,
        });
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    if !rest.is_empty() {
        parts.push(TemplatePart::Text(rest));
    }
    Some(parts)
}

impl TryFrom<String> for SignatureTemplate {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, InvalidTemplate> {
        text.parse()
    }
}

impl From<SignatureTemplate> for String {
    fn from(template: SignatureTemplate) -> String {
        template.0
    }
}
