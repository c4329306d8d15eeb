//! Whether a call is signed as its Integration requires. Pure: what came and the secrets go in, a verdict comes out.
//!
//! One file per scheme; `presented` reads what came, `keys` compares it with secrets, in constant time. Headers that a scheme reads must be
//! there once: of two signatures nobody can tell which one a proxy in front of us looked at.
//!
//! To add a scheme: its settings in the model, its rules in the director, its file and its line in `verify` and `place`, its cases in `tests`.

mod basic;
mod generic;
mod github;
mod keys;
mod presented;
mod shopify;
mod slack;
mod standard_webhooks;
mod stripe;
#[cfg(test)]
mod tests;
mod token;
mod twilio;

use std::fmt;
use std::sync::Arc;

use tidegate_model::{Json, OpenCredential, SignatureScheme, SignatureSettings, TokenPlace};

pub(crate) use presented::Evidence;
use presented::Presented;

/// A call that is signed as it has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    /// What the scheme calls this delivery, the same when it is repeated.
    pub(crate) delivery: Option<String>,
    /// What the scheme itself has to be answered, without a run.
    pub(crate) answer: Option<Json>,
}

/// Why a call is not taken for signed. Tells what was checked, and neither what was sent nor what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    #[error("the {0} is missing")]
    Missing(Place),
    #[error("the {0} is there more than once")]
    Repeated(Place),
    #[error("the {0} is not as the scheme has it")]
    Malformed(Place),
    #[error("the time in the {0} is more than {1} seconds ago")]
    Late(Place, u32),
    #[error("the time in the {0} is more than {1} seconds ahead")]
    Early(Place, u32),
    #[error("the {0} matches no secret")]
    Mismatch(Place),
    #[error("the {0} is not the hash of the body")]
    OtherBody(Place),
    /// Not the caller's fault.
    #[error("none of the credentials holds a secret that fits the scheme")]
    NoSecret,
}

/// Where a scheme looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A header, in lower case.
    Header(String),
    /// A parameter of the query.
    Parameter(String),
}

impl Place {
    fn header(name: &str) -> Self {
        Self::Header(name.to_ascii_lowercase())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::Parameter(name) => write!(f, "query parameter {name}"),
        }
    }
}

/// Whether a call is signed with one of the secrets. A body that came compressed may have been signed before or after it was.
pub(crate) fn verify(
    settings: &SignatureSettings,
    credentials: &[Arc<OpenCredential>],
    evidence: &Evidence,
) -> Result<Verified, Unverified> {
    let over = |body| by_scheme(&settings.scheme, credentials, &evidence.presented(body, settings.tolerance()));
    let verified = match (over(evidence.received()), evidence.decompressed()) {
        (Err(Unverified::Mismatch(_) | Unverified::OtherBody(_)), Some(body)) => over(body),
        (verdict, _) => verdict,
    }?;
    // By an empty id all deliveries would be the same one.
    Ok(Verified { delivery: verified.delivery.filter(|id| !id.trim().is_empty()), ..verified })
}

fn by_scheme(
    scheme: &SignatureScheme,
    credentials: &[Arc<OpenCredential>],
    call: &Presented<'_>,
) -> Result<Verified, Unverified> {
    match scheme {
        SignatureScheme::StandardWebhooks => standard_webhooks::verify(credentials, call),
        SignatureScheme::Github => github::verify(credentials, call),
        SignatureScheme::Stripe => stripe::verify(credentials, call),
        SignatureScheme::Slack => slack::verify(credentials, call),
        SignatureScheme::Shopify => shopify::verify(credentials, call),
        SignatureScheme::Twilio => twilio::verify(credentials, call),
        SignatureScheme::Generic(generic) => generic::verify(generic, credentials, call),
        SignatureScheme::Token { place } => token::verify(place, credentials, call),
        SignatureScheme::Basic => basic::verify(credentials, call),
    }
}

/// Where what proves the caller stands: no record keeps it.
pub(crate) fn place(scheme: &SignatureScheme) -> Place {
    match scheme {
        SignatureScheme::StandardWebhooks => Place::header(standard_webhooks::SIGNATURE),
        SignatureScheme::Github => Place::header(github::SIGNATURE),
        SignatureScheme::Stripe => Place::header(stripe::SIGNATURE),
        SignatureScheme::Slack => Place::header(slack::SIGNATURE),
        SignatureScheme::Shopify => Place::header(shopify::SIGNATURE),
        SignatureScheme::Twilio => Place::header(twilio::SIGNATURE),
        SignatureScheme::Generic(generic) => Place::header(&generic.header),
        SignatureScheme::Token { place: TokenPlace::Header { name, .. } } => Place::header(name),
        SignatureScheme::Token { place: TokenPlace::Parameter { name } } => Place::Parameter(name.clone()),
        SignatureScheme::Basic => Place::header(basic::HEADER),
    }
}

/// Whether what stands there is the secret itself: no script reads it.
pub(crate) fn shows_the_secret(scheme: &SignatureScheme) -> bool {
    matches!(scheme, SignatureScheme::Token { .. } | SignatureScheme::Basic)
}
