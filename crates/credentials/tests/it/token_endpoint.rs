use axum::body::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Request, StatusCode};
use serde_json::Value;
use tidegate_model::{ClientSecret, ClientSecretId, Clock as _, Secret, SystemRandomness};
use tidegate_storage::contract::OwnerKind;

use crate::harness::{ISSUER, World, call};

const GRANT: &str = "grant_type=client_credentials";

#[tokio::test]
async fn without_a_scope_all_registered_ones_are_granted() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read", "object:write"]).await;
    let answer = world.post_basic(&client.id.to_string(), secret.reveal(), GRANT).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 900);
    assert_eq!(answer.body["scope"], "logic:read object:write");
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    let header = jsonwebtoken::decode_header(answer.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), jsonwebtoken::Algorithm::ES256));
}

#[tokio::test]
async fn a_scope_narrows_and_never_widens() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read", "object:write"]).await;
    let (id, secret) = (client.id.to_string(), secret.reveal());
    let narrowed = world.post_basic(&id, secret, &format!("{GRANT}&scope=object:write")).await;
    assert_eq!(narrowed.body["scope"], "object:write");
    for scope in ["object:read", "object:write+logic:write", "nonsense", "+", "object:write++logic:read"] {
        let refused = world.post_basic(&id, secret, &format!("{GRANT}&scope={scope}")).await;
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (StatusCode::BAD_REQUEST, &"invalid_scope".into()),
            "{scope}"
        );
        assert_eq!(refused.headers[CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn the_secret_may_stand_in_the_form() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read"]).await;
    let answer = world.post_form(&format!("{GRANT}&client_id={}&client_secret={}", client.id, secret.reveal())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn two_secrets_open_while_one_is_replaced_and_a_withdrawn_one_no_longer() {
    let world = World::new().await;
    let (client, old) = world.client(&["logic:read"]).await;
    let new = Secret::generate("tgs_", &SystemRandomness);
    let id = ClientSecretId::generate(world.clock.as_ref(), &SystemRandomness);
    let second = ClientSecret { id, hash: new.hash(), created_at: world.clock.now() };
    let status = async |secret: &Secret| {
        let answer = world.post_basic(&client.id.to_string(), secret.reveal(), GRANT).await;
        (answer.status, answer.body["error"].clone())
    };
    let (opens, refused) = ((StatusCode::OK, Value::Null), (StatusCode::UNAUTHORIZED, "invalid_client".into()));
    assert_eq!(status(&new).await, refused, "not yet");
    world.store.add_client_secret(client.id, &OwnerKind::IntegrationSystem, &second).await.unwrap();
    assert_eq!((status(&old).await, status(&new).await), (opens.clone(), opens.clone()));
    assert_eq!(status(&Secret::new("neither")).await, refused);
    world.store.remove_client_secret(client.id, &OwnerKind::IntegrationSystem, client.secrets.first.id).await.unwrap();
    assert_eq!((status(&old).await, status(&new).await), (refused, opens));
}

#[tokio::test]
async fn who_fails_to_authenticate_is_not_told_why() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read"]).await;
    let (other, _) = world.client(&["logic:read"]).await;
    let id = client.id.to_string();
    let (unknown, not_a_uuid) = ("0190a5f2-6c1e-7c3b-9d4e-2f8a61b7c035".to_owned(), "admin".to_owned());
    let wrong = [
        (&id, "wrong"),
        (&id, ""),
        (&unknown, secret.reveal()),
        (&not_a_uuid, "x"),
        (&other.id.to_string(), secret.reveal()),
    ];
    let mut bodies = Vec::new();
    for (id, secret) in wrong {
        let answer = world.post_basic(id, secret, GRANT).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0]["error"], "invalid_client");
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn each_fault_has_its_error_code_and_is_never_cached() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read"]).await;
    let (id, secret) = (client.id.to_string(), secret.reveal());
    let long = format!("{GRANT}&x={}", "x".repeat(20_000));
    let cases = [
        ("grant_type=password", "unsupported_grant_type"),
        ("scope=logic:read", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_secret=two-ways", "invalid_request"),
        (&long, "invalid_request"),
    ];
    for (form, code) in cases {
        let answer = world.post_basic(&id, secret, form).await;
        assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &code.into()));
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert!(!answer.body.to_string().contains(secret));
    }
    let json = Request::post("/oauth2/token").header(CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
    let answer = call(world.credentials.router(), json).await;
    assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()));

    let get = world.get("/oauth2/token").await;
    assert_eq!((get.status, &get.headers[ALLOW]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    assert_eq!(get.headers[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn the_metadata_announces_what_is_there_and_nothing_else() {
    let world = World::new().await;
    let metadata = world.get("/.well-known/oauth-authorization-server").await.body;
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(metadata["token_endpoint"], format!("{ISSUER}/oauth2/token"));
    assert_eq!(metadata["grant_types_supported"], serde_json::json!(["client_credentials"]));
    assert_eq!(metadata["introspection_endpoint"], format!("{ISSUER}/oauth2/introspect"));
    assert_eq!(metadata["revocation_endpoint"], format!("{ISSUER}/oauth2/revoke"));
    for absent in ["authorization_endpoint", "registration_endpoint"] {
        assert!(metadata.get(absent).is_none(), "{absent}");
    }
    let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix(ISSUER).unwrap().to_owned();
    assert_eq!(world.get(&keys).await.status, StatusCode::OK);
}
