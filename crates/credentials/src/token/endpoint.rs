//! From an accepted request to a signed token.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, HeaderValue, PRAGMA};
use serde::Serialize;
use tidegate_model::{Client, Scope, TokenId};

use super::client::authenticate;
use super::refusal::Refusal;
use super::request::TokenRequest;
use crate::claims::{Audience, Claims};
use crate::service::Service;

/// The successful answer (RFC 6749 section 5.1).
#[derive(Serialize)]
pub(crate) struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

pub(crate) async fn answer(State(service): State<Arc<Service>>, request: Request) -> Result<Json<Issued>, Refusal> {
    let request = TokenRequest::read(request).await?;
    let client = authenticate(&service, &request.client).await?;
    let scopes = granted(&client, request.scope.as_deref())?;
    Ok(Json(issue(&service, &client, &scopes).await?))
}

/// The scopes asked for, if the client has them all; all it has, if it asked for none.
fn granted(client: &Client, asked: Option<&str>) -> Result<BTreeSet<Scope>, Refusal> {
    let Some(asked) = asked else { return Ok(client.scopes.clone()) };
    let scopes = asked
        .split(' ')
        .map(|text| text.parse().ok().filter(|scope| client.scopes.contains(scope)))
        .collect::<Option<BTreeSet<Scope>>>();
    scopes.ok_or(Refusal::Scope)
}

async fn issue(service: &Service, client: &Client, scopes: &BTreeSet<Scope>) -> Result<Issued, Refusal> {
    let expires_in = service.options.token_lifetime.as_secs();
    let issued_at = service.clock.now().timestamp();
    let scope = scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(" ");
    let claims = Claims {
        iss: service.options.issuer.clone(),
        sub: client.id,
        client_id: client.id,
        aud: Audience::One(service.options.audience.clone()),
        iat: issued_at,
        nbf: None,
        exp: issued_at.saturating_add_unsigned(expires_in),
        jti: TokenId::generate(service.clock.as_ref(), service.randomness.as_ref()),
        scope: scope.clone(),
        owner: client.owner.clone(),
    };
    let access_token = service.keys.sign(&claims).await?;
    tracing::info!(client = %client.id, "issued an access token");
    Ok(Issued { access_token, token_type: "Bearer", expires_in, scope })
}

/// Marks every answer about tokens, refusals and 405 included, as not to be kept by anybody (RFC 6749 section 5.1).
pub(crate) async fn never_cached(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
