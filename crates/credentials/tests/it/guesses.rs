use chrono::TimeDelta;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::harness::World;

const GRANT: &str = "grant_type=client_credentials";

#[tokio::test]
async fn wrong_secrets_are_limited_per_client_and_lock_nobody_out() {
    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read"]).await;
    let (other, _) = world.client(&["logic:read"]).await;
    let id = client.id.to_string();
    for _ in 0..10 {
        assert_eq!(world.post_basic(&id, "guess", GRANT).await.status, StatusCode::UNAUTHORIZED);
    }
    let limited = world.post_basic(&id, "guess", GRANT).await;
    assert_eq!((limited.status, &limited.body["error"]), (StatusCode::TOO_MANY_REQUESTS, &json!("invalid_client")));
    assert!(limited.headers[RETRY_AFTER].to_str().unwrap().parse::<u32>().unwrap() > 0);
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let limited = world.post_basic_to(path, &id, "guess", "token=x").await;
        assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS, "{path} counts together with the others");
    }
    assert_eq!(world.post_basic(&id, secret.reveal(), GRANT).await.status, StatusCode::OK, "the right one is let in");
    let neighbour = world.post_basic(&other.id.to_string(), "guess", GRANT).await;
    assert_eq!(neighbour.status, StatusCode::UNAUTHORIZED, "each client has a count of its own");

    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.post_basic(&id, "guess", GRANT).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_unknown_client_is_counted_like_a_known_one() {
    let world = World::new().await;
    let unknown = "0190a5f2-6c1e-7c3b-9d4e-2f8a61b7c035";
    for _ in 0..10 {
        assert_eq!(world.post_basic(unknown, "guess", GRANT).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(world.post_basic(unknown, "guess", GRANT).await.status, StatusCode::TOO_MANY_REQUESTS);
}
