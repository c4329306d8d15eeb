use http::StatusCode;
use tidegate_credentials::{Credentials, Options, Parts, TokenVerifier};
use tidegate_model::SystemRandomness;
use tidegate_model::contract::Verifier as _;

use crate::harness::{ISSUER, World, build, clock, sealer, store};

#[tokio::test]
async fn the_published_set_holds_the_public_half_alone() {
    let world = World::new().await;
    let answer = world.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let keys = answer.body["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let mut members: Vec<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!((&keys[0]["kty"], &keys[0]["crv"], &keys[0]["alg"]), (&"EC".into(), &"P-256".into(), &"ES256".into()));
}

#[tokio::test]
async fn two_processes_that_start_at_once_sign_with_one_key() {
    let (store, clock) = (store().await, clock());
    let (one, two) = tokio::join!(build(store.clone(), clock.clone()), build(store.clone(), clock.clone()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.authority().key_set().await, two.authority().key_set().await);
    assert_eq!(store.signing_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_restarted_service_goes_on_with_its_key() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let restarted = build(world.store.clone(), world.clock.clone()).await.unwrap();
    let verifier = TokenVerifier::new(restarted.authority(), ISSUER, ISSUER, world.clock.clone());
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn the_stored_key_is_sealed_and_opens_under_the_same_master_key_alone() {
    let world = World::new().await;
    let row = world.store.signing_keys().await.unwrap().remove(0);
    let public_key_oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    assert!(!row.sealed.windows(public_key_oid.len()).any(|window| window == public_key_oid));
    let parts = Parts {
        store: world.store.clone(),
        sealer: sealer(8),
        clock: world.clock.clone(),
        randomness: std::sync::Arc::new(SystemRandomness),
    };
    assert!(Credentials::build(Options::new(ISSUER), parts).await.is_err());
}
