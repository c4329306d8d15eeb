//! Where callers come in, through whichever face: who it is, from where, and in which tenant.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tidegate_model::contract::Verifier;
use tidegate_model::{Error, Face, Proxies, TenantId};
use tidegate_storage::Store;

use crate::access::Access;
use crate::refusals::Refusals;

const NO_TOKEN: &str = "send the header Authorization: Bearer <access token>";

/// What a caller over HTTP is told of the token that is asked for (RFC 6750 section 3), where that is why it is refused.
pub(crate) fn challenge(error: &Error) -> Option<HeaderValue> {
    match error {
        // Whoever sent none hears of no fault of theirs.
        Error::Unauthorized(NO_TOKEN) => Some(HeaderValue::from_static(r#"Bearer realm="tidegate""#)),
        Error::Unauthorized(_) => Some(HeaderValue::from_static(r#"Bearer realm="tidegate", error="invalid_token""#)),
        Error::InsufficientScopes(scope) => {
            let challenge = format!(r#"Bearer realm="tidegate", error="insufficient_scope", scope="{scope}""#);
            HeaderValue::from_str(&challenge).ok()
        }
        _ => None,
    }
}

/// Lets callers in.
pub(crate) struct Door {
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) store: Arc<dyn Store>,
    /// Whose word on where a call came from is believed.
    pub(crate) proxies: Proxies,
    pub(crate) refusals: Arc<Refusals>,
}

/// A call, before it is known whose.
pub(crate) struct Arrival<'a> {
    pub(crate) face: Face,
    /// What gRPC calls metadata.
    pub(crate) headers: &'a HeaderMap,
    /// The other end of the connection.
    pub(crate) peer: Option<IpAddr>,
    /// What is asked for, where that is known already.
    pub(crate) asked: String,
}

impl Door {
    /// Authenticates a bearer token and finds the tenant: the one named, else the one that the client is bound to.
    ///
    /// A tenant that does not exist, and one that is not the caller's, answer the same.
    pub(crate) async fn admit(&self, arrival: Arrival<'_>) -> Result<Access, Error> {
        let Arrival { face, headers, peer, asked } = arrival;
        let address = peer.map(|peer| self.proxies.caller(peer, &forwarded(headers)));
        let verified = match bearer(headers) {
            Some(token) => self.verifier.verify(token).await,
            None => Err(Error::Unauthorized(NO_TOKEN)),
        };
        let caller = verified.inspect_err(|error| self.refusals.of_stranger(face, address, error))?;
        let refusals = self.refusals.clone();
        let access = Access { caller, tenant: None, face, address, asked, refusals };
        let named = match headers.get("tenant") {
            None => None,
            Some(value) => Some(value.to_str().map_err(|_| Error::TenantNotFound(String::new()))?),
        };
        let bound = access.caller.owner.tenant().map(TenantId::as_str);
        let (Some(named), bound) = (named.or(bound), bound) else { return Ok(access) };
        let unknown = || {
            let error = Error::TenantNotFound(named.to_owned());
            self.refusals.of_tenant(access.caller.owner.tenant(), access.trace(access.asked.clone()), named, &error);
            error
        };
        if bound.is_some_and(|bound| bound != named) {
            return Err(unknown());
        }
        let id: TenantId = named.parse().map_err(|_| unknown())?;
        let tenant = self.store.tenant(&id).await?.ok_or_else(unknown)?;
        Ok(Access { tenant: Some(tenant), ..access })
    }
}

/// What proxies say of whom they heard from, in their order.
fn forwarded(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|t| !t.is_empty())
}
