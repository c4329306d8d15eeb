//! The token service as a standard OAuth2 client in Rust sees it (the crate `huskarl`), beside Python's Authlib in `clients`. It is told the
//! issuer and finds out the rest (RFC 8414).

use axum::body::Bytes;
use huskarl::core::client_auth::ClientSecret;
use huskarl::core::http::{HttpClient, HttpResponse, Idempotency};
use huskarl::core::platform::MaybeSendBoxFuture;
use huskarl::core::secrets::ProvidedSecret;
use huskarl::core::server_metadata::AuthorizationServerMetadata;
use huskarl::core::{Error, OAuthErrorCode, RetryAdvice};
use huskarl::grant::client_credentials::{ClientCredentialsGrant, ClientCredentialsGrantParameters};
use huskarl::prelude::*;
use huskarl::revocation::TokenRevocation;
use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Tidegate, in_every_mode};

in_every_mode!(a_standard_rust_client_gets_along_with_the_token_service);

/// Sends what the library made.
#[derive(Clone)]
struct Http;

impl HttpClient for Http {
    fn execute(
        &self,
        request: ::http::Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = http().request(head.method, head.uri.to_string()).headers(head.headers).body(body);
            let answer = request.send().await.map_err(|e| Error::new(RetryAdvice::No, e))?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await.map_err(|e| Error::new(RetryAdvice::No, e))?;
            Ok(HttpResponse { status, headers, body })
        })
    }
}

/// How a client shows its secret.
fn shown(secret: &str, basic: bool) -> ClientSecret {
    ClientSecret::builder().client_secret(ProvidedSecret::new(secret.into())).prefer_basic_auth(basic).build()
}

async fn a_standard_rust_client_gets_along_with_the_token_service(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let (id, secret) = (&tidegate.admin().client_id, &tidegate.admin().client_secret);
    let issuer = tidegate.credentials("");
    let metadata = AuthorizationServerMetadata::fetch().http_client(&Http).issuer(&issuer).call().await.unwrap();
    for basic in [true, false] {
        let grant = |secret: &str| {
            let grant = ClientCredentialsGrant::builder_from_metadata(&metadata).client_id(id).http_client(Http);
            grant.client_auth(shown(secret, basic)).build()
        };
        let scopes = |scopes: &[&str]| {
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            ClientCredentialsGrantParameters::builder().scope(scopes).build()
        };
        let (ours, wrong) = (grant(secret), grant("wrong"));
        let all = ours.exchange(ClientCredentialsGrantParameters::new()).await.unwrap();
        let told = all.raw_token_response();
        assert!(
            told.expires_in.unwrap() > 0 && told.token_type == "Bearer" && told.refresh_token.is_none(),
            "{told:?}"
        );
        let narrow = ours.exchange(scopes(&["logic:read", "tenant:read"])).await.unwrap();
        let mut granted: Vec<_> = narrow.raw_token_response().scope.as_deref().unwrap().split(' ').collect();
        granted.sort_unstable();
        assert_eq!(granted, ["logic:read", "tenant:read"]);

        let (all, narrow) = (all.access_token(), narrow.access_token());
        assert_eq!(asked(&tidegate, narrow.expose_header_value().unwrap()).await, (200, Value::Null));
        let revocation = |secret: &str| {
            let revocation = TokenRevocation::builder_from_metadata(&metadata).unwrap().client_id(id.clone());
            revocation.client_auth(shown(secret, basic)).build()
        };
        assert_eq!(code(revocation("wrong").revoke(&Http, narrow).await), OAuthErrorCode::InvalidClient);
        for _ in 0..2 {
            revocation(secret).revoke(&Http, narrow).await.unwrap();
        }
        let is_active = async |token: &str| {
            let form = [("token", token)];
            let request = http().post(metadata.introspection_endpoint.as_ref().unwrap().to_string()).form(&form);
            let answer = request.basic_auth(id, Some(secret)).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["active"].take()
        };
        assert_eq!(is_active(narrow.token().expose_secret()).await, json!(false));
        assert_eq!(is_active(all.token().expose_secret()).await, json!(true), "the other token lives");

        let refused = wrong.exchange(ClientCredentialsGrantParameters::new()).await;
        assert_eq!(code(refused), OAuthErrorCode::InvalidClient);
        assert_eq!(code(ours.exchange(scopes(&["nonsense"])).await), OAuthErrorCode::InvalidScope);
    }
}

/// What a director says to who shows this.
async fn asked(tidegate: &Tidegate, authorization: ::http::HeaderValue) -> (u16, Value) {
    let request = http().post(tidegate.director("/graphql")).header("Authorization", authorization);
    let answer = request.json(&json!({ "query": "{ tenants { totalCount } }" })).send().await.unwrap();
    (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["errors"].take())
}

/// What the server said was wrong, as the library understood it.
fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> OAuthErrorCode {
    let error = refused.unwrap_err();
    error.verdict().unwrap_or_else(|| panic!("no refusal: {error:#}")).code().clone()
}
