use chrono::TimeDelta;
use http::StatusCode;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use serde_json::json;
use tidegate_credentials::{LIVENESS_AGE, TokenVerifier};
use tidegate_model::Error;
use tidegate_model::contract::Verifier as _;

use crate::harness::{Answer, ISSUER, World, build};

async fn revoke(world: &World, id: &str, secret: &str, form: &str) -> Answer {
    world.post_basic_to("/oauth2/revoke", id, secret, form).await
}

#[tokio::test]
async fn a_client_ends_one_of_its_tokens_everywhere_and_the_others_stay() {
    let world = World::new().await;
    let (client, secret, token) = world.with_token().await;
    let id = client.id.to_string();
    let other = world.post_basic(&id, &secret, "grant_type=client_credentials").await.body["access_token"].clone();
    let other = other.as_str().unwrap();
    let elsewhere = world.verifier();
    elsewhere.verify(&token).await.unwrap();

    let form = format!("token={token}&token_type_hint=refresh_token");
    let answer = revoke(&world, &id, &secret, &form).await;
    assert_eq!((answer.status, &answer.headers[CACHE_CONTROL]), (StatusCode::OK, &"no-store".parse().unwrap()));
    let asked = world.post_basic_to("/oauth2/introspect", &id, &secret, &format!("token={token}")).await;
    assert_eq!(asked.body, json!({ "active": false }), "at once where it was revoked");
    world.clock.advance(TimeDelta::from_std(LIVENESS_AGE).unwrap());
    assert!(matches!(elsewhere.verify(&token).await, Err(Error::Unauthorized(_))), "elsewhere a moment later");
    elsewhere.verify(other).await.unwrap();

    let restarted = build(world.store.clone(), world.clock.clone()).await.unwrap();
    let verifier = TokenVerifier::new(restarted.authority(), ISSUER, ISSUER, world.clock.clone());
    assert!(verifier.verify(&token).await.is_err(), "after a restart too");
    assert_eq!(revoke(&world, &id, &secret, &form).await.status, StatusCode::OK, "a second time");
}

#[tokio::test]
async fn what_is_no_token_is_ended_already_and_anothers_is_refused() {
    let world = World::new().await;
    let (client, secret, _) = world.with_token().await;
    let (_, _, others) = world.with_token().await;
    let id = client.id.to_string();
    assert_eq!(revoke(&world, &id, &secret, "token=nonsense").await.status, StatusCode::OK);
    let refused = revoke(&world, &id, &secret, &format!("token={others}")).await;
    assert_eq!((refused.status, &refused.body["error"]), (StatusCode::BAD_REQUEST, &json!("unauthorized_client")));
    world.verifier().verify(&others).await.unwrap();

    let operator = world.operator().await.to_string();
    assert_eq!(revoke(&world, &operator, "operator", &format!("token={others}")).await.status, StatusCode::OK);
    assert!(world.verifier().verify(&others).await.is_err());
}

#[tokio::test]
async fn nobody_revokes_without_a_client_of_its_own() {
    let world = World::new().await;
    let (client, secret, token) = world.with_token().await;
    let id = client.id.to_string();
    let wrong = revoke(&world, &id, "wrong", &format!("token={token}")).await;
    assert_eq!((wrong.status, &wrong.body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    assert!(wrong.headers.contains_key(WWW_AUTHENTICATE));
    let refused = revoke(&world, &id, &secret, "").await;
    assert_eq!((refused.status, &refused.body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    world.verifier().verify(&token).await.unwrap();
}
