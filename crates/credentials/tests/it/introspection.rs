use axum::body::Body;
use chrono::TimeDelta;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Request, StatusCode};
use serde_json::json;
use tidegate_model::Clock as _;
use tidegate_storage::contract::OwnerKind;

use crate::harness::{Answer, ISSUER, World, call};

async fn ask(world: &World, id: &str, secret: &str, form: &str) -> Answer {
    world.post_basic_to("/oauth2/introspect", id, secret, form).await
}

#[tokio::test]
async fn a_client_reads_what_its_own_token_says() {
    let world = World::new().await;
    let (client, secret, token) = world.with_token().await;
    let id = client.id.to_string();
    let answer = ask(&world, &id, &secret, &format!("token={token}&token_type_hint=access_token")).await;
    let now = world.clock.now().timestamp();
    assert_eq!((answer.status, &answer.headers[CACHE_CONTROL]), (StatusCode::OK, &"no-store".parse().unwrap()));
    assert!(answer.body["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    assert_eq!(
        answer.body,
        json!({
            "active": true, "scope": "logic:read", "client_id": id, "token_type": "Bearer", "sub": id, "iss": ISSUER,
            "aud": ISSUER, "iat": now, "exp": now + 900, "jti": answer.body["jti"],
        })
    );
}

#[tokio::test]
async fn what_is_no_good_token_is_inactive_and_says_nothing_else() {
    let world = World::new().await;
    let (client, secret, token) = world.with_token().await;
    let (other, _, gone) = world.with_token().await;
    let (id, inactive) = (client.id.to_string(), json!({ "active": false }));
    let cut = &token[..token.len() - 2];
    for bad in ["nonsense", cut, &format!("{token}x"), &"x".repeat(10_000)] {
        assert_eq!(ask(&world, &id, &secret, &format!("token={bad}")).await.body, inactive, "{bad}");
    }
    assert_eq!(ask(&world, &id, &secret, &format!("token={gone}")).await.body, inactive, "another client's");

    let administrator = world.operator().await;
    let by_operator = async || ask(&world, &administrator.to_string(), "operator", &format!("token={gone}")).await.body;
    assert_eq!(by_operator().await["client_id"], other.id.to_string());
    world.store.delete_client(other.id, &OwnerKind::IntegrationSystem).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(by_operator().await, inactive, "its client is gone");

    world.clock.advance(TimeDelta::seconds(905));
    assert_eq!(ask(&world, &id, &secret, &format!("token={token}")).await.body, inactive, "expired");
}

#[tokio::test]
async fn nobody_asks_without_a_client_of_its_own() {
    let world = World::new().await;
    let (client, secret, token) = world.with_token().await;
    let id = client.id.to_string();
    let wrong = ask(&world, &id, "wrong", &format!("token={token}")).await;
    assert_eq!((wrong.status, &wrong.body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    assert!(wrong.headers.contains_key(WWW_AUTHENTICATE) && wrong.headers[CACHE_CONTROL] == "no-store");
    let bearer = Request::post("/oauth2/introspect")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, format!("Bearer {token}"));
    let refused = call(world.credentials.router(), bearer.body(Body::from(format!("token={token}"))).unwrap()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    for form in ["", "token=", &format!("token={token}&token={token}")] {
        let refused = ask(&world, &id, &secret, form).await;
        assert_eq!((refused.status, &refused.body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    }
}
