//! How the callers of an INCOMING Integration show who they are.

use async_graphql::{Enum, InputObject, SimpleObject};
use tidegate_model::{Error, SignatureScheme as Scheme, TokenPlace};

use super::scalars::Json;
use super::settings::{RateLimit, RateLimitInput};
use crate::service;

/// How calls are signed, or what they show instead.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service::SchemeName")]
pub(super) enum SignatureScheme {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` (v1, v1a).
    StandardWebhooks,
    /// `X-Hub-Signature-256`.
    Github,
    /// `Stripe-Signature`.
    Stripe,
    /// `X-Slack-Signature`; the platform answers Slack's challenge.
    Slack,
    /// `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// `X-Twilio-Signature`.
    Twilio,
    /// An HMAC in a header, over what the template says.
    Generic,
    /// A secret as it is, in a header or a query parameter.
    Token,
    /// `Authorization: Basic`.
    Basic,
}

/// The hash of an HMAC.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::SignatureAlgorithm")]
pub(super) enum SignatureAlgorithm {
    #[graphql(name = "SHA1")]
    Sha1,
    #[graphql(name = "SHA256")]
    Sha256,
    #[graphql(name = "SHA512")]
    Sha512,
}

/// How a signature's bytes are written.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::SignatureEncoding")]
pub(super) enum SignatureEncoding {
    Hex,
    #[graphql(name = "BASE64")]
    Base64,
}

/// How the callers of an INCOMING Integration are met.
#[derive(SimpleObject)]
pub(super) struct IncomingSettings {
    /// What every call must be signed with; null requires no signature.
    signature: Option<SignatureSettings>,
    /// How often it may be called; null is the operator's default.
    rate_limit: Option<RateLimit>,
    /// How many of its calls a gateway has in hand at once; null is the operator's default.
    concurrency: Option<u32>,
    /// Whether callers may, or must, say by an `Idempotency-Key` which calls are the same.
    idempotency_key: IdempotencyKey,
    /// Whether a delivery that comes again, by the id that its signature's scheme gives it, runs again; if not, it gets the first one's answer.
    run_repeated_deliveries: bool,
    /// A JSON Schema (2020-12) of what callers send, of a GET of its decoded query; `openapi` tells it.
    body_schema: Option<Json>,
    /// Whether a call that does not fit `bodySchema` is refused, with 422, before any script runs.
    check_body: bool,
}

/// What becomes of the header `Idempotency-Key` of a call.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::IdempotencyKey")]
pub(super) enum IdempotencyKey {
    /// It means nothing.
    None,
    /// For 24 hours a call that comes again with it gets the first one's answer; 409 while that runs, 422 where it says something else.
    Accepted,
    /// As ACCEPTED, and a call without it is refused: 400.
    Required,
}

/// The signature that is required of every call. Fields that the scheme does not have are null.
#[derive(SimpleObject)]
struct SignatureSettings {
    scheme: SignatureScheme,
    /// Names of credentials; a call must match one of their secrets.
    credentials: Vec<String>,
    /// How many seconds a signature's time may differ from ours, in both directions.
    tolerance_seconds: Option<u32>,
    /// GENERIC, TOKEN: where it stands.
    header: Option<String>,
    /// GENERIC, TOKEN: what stands before it there.
    prefix: Option<String>,
    /// TOKEN: the query parameter where it stands.
    parameter: Option<String>,
    algorithm: Option<SignatureAlgorithm>,
    encoding: Option<SignatureEncoding>,
    /// GENERIC: what is signed.
    template: Option<String>,
    /// GENERIC: where `{timestamp}` stands.
    timestamp_header: Option<String>,
    /// GENERIC: where `{id}` stands.
    id_header: Option<String>,
}

impl From<tidegate_model::IncomingSettings> for IncomingSettings {
    fn from(incoming: tidegate_model::IncomingSettings) -> Self {
        Self {
            signature: incoming.signature.map(Into::into),
            rate_limit: incoming.rate_limit.map(Into::into),
            concurrency: incoming.concurrency,
            idempotency_key: incoming.idempotency_key.into(),
            run_repeated_deliveries: incoming.run_repeated_deliveries,
            body_schema: incoming.body_schema.map(Json),
            check_body: incoming.check_body,
        }
    }
}

impl From<tidegate_model::SignatureSettings> for SignatureSettings {
    fn from(signature: tidegate_model::SignatureSettings) -> Self {
        let tolerance = signature.scheme.has_timestamp().then_some(signature.tolerance());
        let mut told = Self {
            scheme: name(&signature.scheme),
            credentials: signature.credentials,
            tolerance_seconds: tolerance,
            header: None,
            prefix: None,
            parameter: None,
            algorithm: None,
            encoding: None,
            template: None,
            timestamp_header: None,
            id_header: None,
        };
        match signature.scheme {
            Scheme::Token { place: TokenPlace::Header { name, prefix } } => {
                (told.header, told.prefix) = (Some(name), Some(prefix));
            }
            Scheme::Token { place: TokenPlace::Parameter { name } } => told.parameter = Some(name),
            Scheme::Generic(generic) => {
                (told.header, told.prefix) = (Some(generic.header), Some(generic.prefix));
                (told.algorithm, told.encoding) = (Some(generic.algorithm.into()), Some(generic.encoding.into()));
                (told.timestamp_header, told.id_header) = (generic.timestamp_header, generic.id_header);
                told.template = Some(generic.template.into());
            }
            _ => {}
        }
        told
    }
}

fn name(scheme: &Scheme) -> SignatureScheme {
    match scheme {
        Scheme::StandardWebhooks => SignatureScheme::StandardWebhooks,
        Scheme::Github => SignatureScheme::Github,
        Scheme::Stripe => SignatureScheme::Stripe,
        Scheme::Slack => SignatureScheme::Slack,
        Scheme::Shopify => SignatureScheme::Shopify,
        Scheme::Twilio => SignatureScheme::Twilio,
        Scheme::Generic(_) => SignatureScheme::Generic,
        Scheme::Token { .. } => SignatureScheme::Token,
        Scheme::Basic => SignatureScheme::Basic,
    }
}

/// How callers are met; INCOMING only.
#[derive(InputObject)]
pub(super) struct IncomingSettingsInput {
    /// What every call must be signed with; absent requires no signature.
    signature: Option<SignatureInput>,
    /// How often it may be called, by each gateway's count; 429 beyond that. Absent is the operator's default.
    rate_limit: Option<RateLimitInput>,
    /// How many of its calls a gateway has in hand at once: 1 to 10000. One more waits a moment, then 503. Absent is the operator's default.
    concurrency: Option<u32>,
    /// Whether callers may, or must, say by an `Idempotency-Key` which calls are the same.
    #[graphql(default_with = "IdempotencyKey::None")]
    idempotency_key: IdempotencyKey,
    /// Whether a delivery that comes again, by the id that its signature's scheme gives it, runs again; by default it gets the first one's answer.
    #[graphql(default = false)]
    run_repeated_deliveries: bool,
    /// A JSON Schema (2020-12) of what callers send, of a GET of its decoded query; `openapi` tells it.
    body_schema: Option<Json>,
    /// Whether a call that does not fit `bodySchema` is refused, with 422, before any script runs.
    #[graphql(default = false)]
    check_body: bool,
}

impl IncomingSettingsInput {
    /// The signature, which the service reads, and the rest.
    pub(super) fn read(self) -> Result<(Option<service::SignatureInput>, tidegate_model::IncomingSettings), Error> {
        let rest = tidegate_model::IncomingSettings {
            signature: None,
            rate_limit: self.rate_limit.map(TryInto::try_into).transpose()?,
            concurrency: self.concurrency,
            idempotency_key: self.idempotency_key.into(),
            run_repeated_deliveries: self.run_repeated_deliveries,
            body_schema: self.body_schema.map(|schema| schema.0),
            check_body: self.check_body,
        };
        Ok((self.signature.map(Into::into), rest))
    }
}

/// The signature to require of every call. What the scheme does not have must be absent.
#[derive(InputObject)]
pub(super) struct SignatureInput {
    scheme: SignatureScheme,
    /// 1 to 5 names of credentials: of kind SIGNING; TOKEN takes BEARER too, and BASIC takes BASIC.
    credentials: Vec<String>,
    /// Schemes that tell their time: 1 to 3600; absent is 300.
    tolerance_seconds: Option<u32>,
    /// GENERIC; TOKEN, unless it stands in a parameter.
    header: Option<String>,
    /// GENERIC, TOKEN in a header: what stands before it there, such as `sha256=` or `Bearer ` with its space.
    prefix: Option<String>,
    /// TOKEN: the query parameter where it stands.
    parameter: Option<String>,
    /// GENERIC: absent is SHA256.
    algorithm: Option<SignatureAlgorithm>,
    /// GENERIC: absent is HEX.
    encoding: Option<SignatureEncoding>,
    /// GENERIC: text with {timestamp}, {id}, {method}, {url}, {body}; absent is {body}.
    template: Option<String>,
    /// GENERIC: where {timestamp} stands, in seconds since 1970.
    timestamp_header: Option<String>,
    /// GENERIC: where {id} stands.
    id_header: Option<String>,
}

impl From<SignatureInput> for service::SignatureInput {
    fn from(input: SignatureInput) -> Self {
        Self {
            scheme: input.scheme.into(),
            credentials: input.credentials,
            tolerance_seconds: input.tolerance_seconds,
            header: input.header,
            prefix: input.prefix,
            parameter: input.parameter,
            algorithm: input.algorithm.map(Into::into),
            encoding: input.encoding.map(Into::into),
            template: input.template,
            timestamp_header: input.timestamp_header,
            id_header: input.id_header,
        }
    }
}
