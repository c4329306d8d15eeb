//! The credentials service: options in, a running thing out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use chrono::TimeDelta;
use tidegate_model::contract::TokenAuthority;
use tidegate_model::{Clock, Error, Randomness};
use tidegate_storage::Sealer;

use crate::authority::LocalAuthority;
use crate::keys::{KeyRing, SigningKeys};
use crate::token::Guesses;
use crate::verifier::TokenVerifier;
use crate::{ClientStore, introspection, metadata, revocation, token};

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// The public base URL: `iss` of every token, and where the endpoints are. A slash at its end is dropped, here and by the verifier.
    pub issuer: String,
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// How long a key signs before another one takes its place.
    pub key_lifetime: Duration,
    /// `aud` of every token: the platform's own API. A slash at its end is dropped as well.
    pub audience: String,
}

impl Options {
    /// The defaults for a public base URL: 15 minutes, a quarter of a year, and the base URL as audience too.
    pub fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: issuer.to_owned(),
            token_lifetime: Duration::from_mins(15),
            key_lifetime: Duration::from_hours(90 * 24),
        }
    }
}

/// What the service is built of.
pub struct Parts {
    /// Clients and signing keys.
    pub store: Arc<ClientStore>,
    /// Seals the private key before it is stored.
    pub sealer: Sealer,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws keys and token ids.
    pub randomness: Arc<dyn Randomness>,
}

/// The credentials service, cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    service: Arc<Service>,
}

pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) store: Arc<ClientStore>,
    /// Checks what it is asked about.
    pub(crate) verifier: TokenVerifier,
    pub(crate) guesses: Guesses,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
}

impl Credentials {
    /// Loads the signing keys, or makes the first one; of two processes that start at once, both sign with the same.
    pub async fn build(mut options: Options, parts: Parts) -> Result<Self, Error> {
        options.issuer = without_slash(&options.issuer);
        options.audience = without_slash(&options.audience);
        let Parts { store, sealer, clock, randomness } = parts;
        let keys = SigningKeys {
            store: store.clone(),
            sealer,
            clock: clock.clone(),
            randomness: randomness.clone(),
            lifetime: within_reason(options.key_lifetime),
            token_lifetime: within_reason(options.token_lifetime),
        };
        let keys = Arc::new(KeyRing::load(keys).await?);
        let authority = Arc::new(LocalAuthority { keys: keys.clone(), store: store.clone() });
        let verifier = TokenVerifier::new(authority, &options.issuer, &options.audience, clock.clone());
        let service = Service { options, keys, store, verifier, guesses: Guesses::default(), clock, randomness };
        Ok(Self { service: Arc::new(service) })
    }

    /// The public endpoints.
    pub fn router(&self) -> Router {
        let never_cached = axum::middleware::map_response(token::never_cached);
        Router::new()
            .route("/oauth2/token", post(token::answer).layer(never_cached.clone()))
            .route("/oauth2/introspect", post(introspection::answer).layer(never_cached.clone()))
            .route("/oauth2/revoke", post(revocation::answer).layer(never_cached))
            .route("/.well-known/jwks.json", get(metadata::key_set))
            .route("/.well-known/oauth-authorization-server", get(metadata::server))
            .with_state(self.service.clone())
    }

    /// What verifiers ask: over the wire where they live elsewhere.
    pub fn authority(&self) -> Arc<dyn TokenAuthority> {
        Arc::new(LocalAuthority { keys: self.service.keys.clone(), store: self.service.store.clone() })
    }
}

/// At most a century, so that no sum of times overflows.
fn within_reason(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_500);
    TimeDelta::from_std(duration).map_or(century, |duration| duration.min(century))
}

/// `https://example.com/` and `https://example.com` name the same issuer; operators write both.
pub(crate) fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
