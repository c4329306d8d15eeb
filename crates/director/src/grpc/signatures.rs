//! How the callers of an INCOMING Integration show who they are.

use tidegate_model::{Error, IncomingSettings, SignatureAlgorithm, SignatureEncoding, SignatureScheme, TokenPlace};
use tidegate_wire::api::v1;

use super::convert::{required, text_of};
use super::settings;
use crate::service::{SchemeName, SignatureInput};

pub(super) fn incoming(incoming: IncomingSettings) -> v1::IncomingSettings {
    v1::IncomingSettings {
        signature: incoming.signature.map(signature),
        rate_limit: incoming.rate_limit.map(settings::rate_limit),
        concurrency: incoming.concurrency.map(|calls| i32::try_from(calls).unwrap_or(i32::MAX)),
        idempotency_key: settings::idempotency_key(incoming.idempotency_key).into(),
        run_repeated_deliveries: incoming.run_repeated_deliveries,
        body_schema: incoming.body_schema.as_ref().map(text_of),
        check_body: incoming.check_body,
    }
}

fn signature(signature: tidegate_model::SignatureSettings) -> v1::SignatureSettings {
    let tolerance = signature.scheme.has_timestamp().then_some(signature.tolerance());
    let mut told = v1::SignatureSettings {
        scheme: scheme(&signature.scheme).into(),
        credentials: signature.credentials,
        tolerance_seconds: tolerance.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
        ..v1::SignatureSettings::default()
    };
    match signature.scheme {
        SignatureScheme::Token { place: TokenPlace::Header { name, prefix } } => {
            (told.header, told.prefix) = (Some(name), Some(prefix));
        }
        SignatureScheme::Token { place: TokenPlace::Parameter { name } } => told.parameter = Some(name),
        SignatureScheme::Generic(generic) => {
            (told.header, told.prefix) = (Some(generic.header), Some(generic.prefix));
            told.algorithm = Some(algorithm(generic.algorithm).into());
            told.encoding = Some(encoding(generic.encoding).into());
            (told.timestamp_header, told.id_header) = (generic.timestamp_header, generic.id_header);
            told.template = Some(generic.template.into());
        }
        _ => {}
    }
    told
}

fn scheme(scheme: &SignatureScheme) -> v1::SignatureScheme {
    match scheme {
        SignatureScheme::StandardWebhooks => v1::SignatureScheme::StandardWebhooks,
        SignatureScheme::Github => v1::SignatureScheme::Github,
        SignatureScheme::Stripe => v1::SignatureScheme::Stripe,
        SignatureScheme::Slack => v1::SignatureScheme::Slack,
        SignatureScheme::Shopify => v1::SignatureScheme::Shopify,
        SignatureScheme::Twilio => v1::SignatureScheme::Twilio,
        SignatureScheme::Generic(_) => v1::SignatureScheme::Generic,
        SignatureScheme::Token { .. } => v1::SignatureScheme::Token,
        SignatureScheme::Basic => v1::SignatureScheme::Basic,
    }
}

fn algorithm(algorithm: SignatureAlgorithm) -> v1::SignatureAlgorithm {
    match algorithm {
        SignatureAlgorithm::Sha1 => v1::SignatureAlgorithm::Sha1,
        SignatureAlgorithm::Sha256 => v1::SignatureAlgorithm::Sha256,
        SignatureAlgorithm::Sha512 => v1::SignatureAlgorithm::Sha512,
    }
}

fn encoding(encoding: SignatureEncoding) -> v1::SignatureEncoding {
    match encoding {
        SignatureEncoding::Hex => v1::SignatureEncoding::Hex,
        SignatureEncoding::Base64 => v1::SignatureEncoding::Base64,
    }
}

/// The signature that an input asks for.
pub(super) fn input(incoming: Option<v1::IncomingSettingsInput>) -> Result<Option<SignatureInput>, Error> {
    let Some(input) = incoming.and_then(|incoming| incoming.signature) else { return Ok(None) };
    let field = |name: &str| format!("in.incoming.signature.{name}");
    let tolerance = input.tolerance_seconds.map(u32::try_from).transpose();
    let negative = |_| Error::invalid(field("toleranceSeconds"), "a number that is not negative");
    Ok(Some(SignatureInput {
        scheme: required(&field("scheme"), scheme_of(input.scheme))?,
        credentials: input.credentials,
        tolerance_seconds: tolerance.map_err(negative)?,
        header: input.header,
        prefix: input.prefix,
        parameter: input.parameter,
        algorithm: input.algorithm.map(|value| required(&field("algorithm"), algorithm_of(value))).transpose()?,
        encoding: input.encoding.map(|value| required(&field("encoding"), encoding_of(value))).transpose()?,
        template: input.template,
        timestamp_header: input.timestamp_header,
        id_header: input.id_header,
    }))
}

fn scheme_of(scheme: i32) -> Option<SchemeName> {
    Some(match v1::SignatureScheme::try_from(scheme).ok()? {
        v1::SignatureScheme::Unspecified => return None,
        v1::SignatureScheme::StandardWebhooks => SchemeName::StandardWebhooks,
        v1::SignatureScheme::Github => SchemeName::Github,
        v1::SignatureScheme::Stripe => SchemeName::Stripe,
        v1::SignatureScheme::Slack => SchemeName::Slack,
        v1::SignatureScheme::Shopify => SchemeName::Shopify,
        v1::SignatureScheme::Twilio => SchemeName::Twilio,
        v1::SignatureScheme::Generic => SchemeName::Generic,
        v1::SignatureScheme::Token => SchemeName::Token,
        v1::SignatureScheme::Basic => SchemeName::Basic,
    })
}

fn algorithm_of(algorithm: i32) -> Option<SignatureAlgorithm> {
    match v1::SignatureAlgorithm::try_from(algorithm).ok()? {
        v1::SignatureAlgorithm::Unspecified => None,
        v1::SignatureAlgorithm::Sha1 => Some(SignatureAlgorithm::Sha1),
        v1::SignatureAlgorithm::Sha256 => Some(SignatureAlgorithm::Sha256),
        v1::SignatureAlgorithm::Sha512 => Some(SignatureAlgorithm::Sha512),
    }
}

fn encoding_of(encoding: i32) -> Option<SignatureEncoding> {
    match v1::SignatureEncoding::try_from(encoding).ok()? {
        v1::SignatureEncoding::Unspecified => None,
        v1::SignatureEncoding::Hex => Some(SignatureEncoding::Hex),
        v1::SignatureEncoding::Base64 => Some(SignatureEncoding::Base64),
    }
}
