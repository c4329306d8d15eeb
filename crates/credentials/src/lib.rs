//! OAuth 2.0 client credentials (RFC 6749 section 4.4): who may call Tidegate, proven by short-lived access tokens (RFC 9068).
//!
//! Two sides that meet in [`TokenAuthority`](tidegate_model::contract::TokenAuthority) and may live in different processes:
//!
//! - [`Credentials`] issues. It holds the store's clients and the signing keys, and serves `POST /oauth2/token`, `POST /oauth2/introspect`
//!   (RFC 7662), `POST /oauth2/revoke` (RFC 7009), `GET /.well-known/jwks.json` and `GET /.well-known/oauth-authorization-server` (RFC 8414: what is not served is not announced).
//! - [`TokenVerifier`] checks. It holds public keys only, asks the authority for them, and goes on with those it has while the authority is away.
//!
//! What a caller may rely on:
//!
//! - Tokens are signed with ES256 and nothing else; the private key is sealed before it is stored, and never leaves this crate.
//! - A revoked token, and any of a deleted client, is refused at most [`LIVENESS_AGE`] later, in every process.
//! - Keys change by themselves (`keys`): a new one is published before it signs, and an old one until its last token has expired.
//! - Secrets are 256 random bits, stored as SHA-256: a slow hash protects what can be guessed, and these cannot. A client has one, and a
//!   second one while the first is being replaced; both open.
//! - A client's secret appears in no log line, error or `Debug` text; an unknown client and a wrong secret take the same way through the code.
//! - Every answer about tokens is `Cache-Control: no-store`, errors included.
//!
//! The first administrator is made in two steps ([`Administrator::prepare`], then [`Administrator::insert`]), so that its secret can be written
//! down before it counts: a crash in between leaves a file that opens nothing and is written anew, never a client whose secret nobody has.
//!
//! To add a grant type: a variant in `token/request.rs`, its answer in `token/endpoint.rs`, its name in `metadata.rs`.
//!
//! ```no_run
//! # async fn example(store: std::sync::Arc<tidegate_credentials::ClientStore>, sealer: tidegate_storage::Sealer) -> Result<(), tidegate_model::Error> {
//! use std::sync::Arc;
//! use tidegate_credentials::{Credentials, Options, Parts, TokenVerifier};
//! use tidegate_model::{SystemClock, SystemRandomness};
//!
//! let options = Options::new("http://127.0.0.1:8080");
//! let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
//! let parts = Parts { store, sealer, clock: clock.clone(), randomness };
//! let credentials = Credentials::build(options.clone(), parts).await?;
//! let verifier = TokenVerifier::new(credentials.authority(), &options.issuer, &options.audience, clock);
//! let routes = credentials.router();
//! # Ok(()) }
//! ```

mod administrator;
mod authority;
mod claims;
mod introspection;
mod keys;
mod metadata;
mod revocation;
mod service;
mod token;
mod verifier;

pub use administrator::{Administrator, ConfiguredAdministrator};
pub use keys::renew_signing_key;
pub use service::{Credentials, Options, Parts};
pub use verifier::{LIVENESS_AGE, TokenVerifier};

/// The part of the store that this crate needs; an `Arc<dyn Store>` becomes an `Arc<ClientStore>` by itself.
pub type ClientStore = dyn tidegate_storage::contract::Clients + Send + Sync;
