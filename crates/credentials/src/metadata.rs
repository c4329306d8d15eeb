//! What anybody may read: the public keys, and where things are (RFC 8414).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use tidegate_model::Scope;

use crate::service::Service;

/// Short enough that a new key is known well before the first token is signed with it.
const MAX_AGE: &str = "public, max-age=60";

/// How a client shows its secret, everywhere.
const AUTH_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    jwks_uri: String,
    scopes_supported: Vec<String>,
    /// Required by RFC 8414, and empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
}

pub(crate) async fn key_set(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, MAX_AGE)];
    (headers, service.keys.public().await.0.as_str().to_owned())
}

pub(crate) async fn server(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let issuer = &service.options.issuer;
    let metadata = Metadata {
        issuer,
        token_endpoint: format!("{issuer}/oauth2/token"),
        introspection_endpoint: format!("{issuer}/oauth2/introspect"),
        introspection_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        scopes_supported: Scope::all().iter().map(Scope::to_string).collect(),
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
    };
    ([(CACHE_CONTROL, MAX_AGE)], Json(metadata)).into_response()
}
