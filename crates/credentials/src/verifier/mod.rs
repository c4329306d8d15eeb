//! Checking access tokens where they are presented (RFC 9068 section 4, RFC 8725).

mod keys;
mod liveness;
mod signatures;

use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, Header, Validation};
use tidegate_model::contract::{TokenAuthority, Verifier};
use tidegate_model::{Caller, ClientId, Clock, Error, Scope, TokenId};

use crate::claims::{ACCESS_TOKEN_TYPE, Claims};
use crate::service::without_slash;
use keys::KnownKeys;
use liveness::Liveness;
use signatures::Signatures;

pub use liveness::LIVENESS_AGE;

/// How far the clocks of issuer and verifier may be apart, in seconds.
const LEEWAY: i64 = 5;

/// Longer than any token this platform issues.
const MAX_LENGTH: usize = 8 * 1024;

/// Checks tokens with the authority's public keys.
///
/// Only ES256 passes, whatever a token's header claims, and only `at+jwt`. `Unauthorized` is the answer to every fault of a token;
/// `Unavailable` when the authority is away and what it has to say is needed (no keys yet, an unknown key, a client not asked about within
/// [`LIVENESS_AGE`]).
pub struct TokenVerifier {
    issuer: String,
    audience: String,
    clock: Arc<dyn Clock>,
    validation: Validation,
    keys: KnownKeys,
    signatures: Signatures,
    liveness: Liveness,
}

impl TokenVerifier {
    /// Accepts tokens that `issuer` issued for `audience`; a slash at the end of either makes no difference.
    pub fn new(authority: Arc<dyn TokenAuthority>, issuer: &str, audience: &str, clock: Arc<dyn Clock>) -> Self {
        // The library checks the signature; the claims are checked here, against the clock that was handed in.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            issuer: without_slash(issuer),
            audience: without_slash(audience),
            validation,
            keys: KnownKeys::new(authority.clone(), clock.clone()),
            signatures: Signatures::new(),
            liveness: Liveness::new(authority, clock.clone()),
            clock,
        }
    }

    /// What a good token says.
    pub(crate) async fn claims(&self, token: &str) -> Result<Arc<Claims>, Error> {
        if token.len() > MAX_LENGTH {
            return Err(MALFORMED);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| MALFORMED)?;
        let key = self.keys.find(key_id(&header)?).await?;
        let claims = self.signatures.check(token, &key, &self.validation).ok_or(MALFORMED)?;
        self.check(&claims)?;
        if !self.liveness.is_live(claims.client_id, claims.jti).await? {
            return Err(Error::Unauthorized("the token was revoked, or its client is gone"));
        }
        Ok(claims)
    }

    /// Hears that a token was revoked, so that this process does not trust it for another moment.
    pub(crate) fn revoked(&self, client: ClientId, token: TokenId) {
        self.liveness.forget(client, token);
    }

    fn check(&self, claims: &Claims) -> Result<(), Error> {
        let now = self.clock.now().timestamp();
        if claims.iss != self.issuer {
            return Err(Error::Unauthorized("the token is from another issuer"));
        }
        if !claims.aud.includes(&self.audience) {
            return Err(Error::Unauthorized("the token is for another audience"));
        }
        if now >= claims.exp.saturating_add(LEEWAY) {
            return Err(Error::Unauthorized("the token has expired"));
        }
        if claims.nbf.unwrap_or(claims.iat).max(claims.iat) > now.saturating_add(LEEWAY) {
            return Err(Error::Unauthorized("the token is not valid yet"));
        }
        if claims.sub != claims.client_id {
            return Err(MALFORMED);
        }
        Ok(())
    }
}

const MALFORMED: Error = Error::Unauthorized("the token is not an access token of this platform");

#[async_trait]
impl Verifier for TokenVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, Error> {
        let claims = self.claims(token).await?;
        let scopes = claims.scope.split(' ').filter(|text| !text.is_empty()).map(str::parse::<Scope>);
        let scopes = scopes.collect::<Result<_, _>>().map_err(|_| MALFORMED)?;
        Ok(Caller { client: claims.client_id, owner: claims.owner.clone(), scopes })
    }
}

/// The key that a header names, if the header is one that this platform writes.
fn key_id(header: &Header) -> Result<&str, Error> {
    let is_access_token = header.typ.as_deref().is_some_and(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ) == ACCESS_TOKEN_TYPE
    });
    // An extension that must be understood, and is not (RFC 7515 section 4.1.11).
    let understood = header.crit.is_none();
    if header.alg != Algorithm::ES256 || !is_access_token || !understood {
        return Err(MALFORMED);
    }
    header.kid.as_deref().ok_or(MALFORMED)
}
