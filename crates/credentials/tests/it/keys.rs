use chrono::TimeDelta;
use http::StatusCode;
use tidegate_credentials::{Credentials, Options, Parts, TokenVerifier, renew_signing_key};
use tidegate_model::contract::Verifier as _;
use tidegate_model::{Clock as _, SystemRandomness};

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

impl World {
    /// The ids of the published keys, newest first.
    async fn published(&self) -> Vec<String> {
        let keys = self.get("/.well-known/jwks.json").await.body["keys"].clone();
        keys.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// A new token, and the key that signed it.
    async fn signed(&self) -> (String, String) {
        let (_, token) = self.token(&["logic:read"]).await;
        let key = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        (token, key)
    }
}

#[tokio::test]
async fn a_key_changes_by_itself_and_no_token_is_refused_meanwhile() {
    let world = World::new().await;
    let (verifier, minute) = (world.verifier(), TimeDelta::minutes(1));
    let (_, first) = world.signed().await;
    world.clock.advance(TimeDelta::days(90) - minute);
    assert_eq!(world.published().await, std::slice::from_ref(&first));

    world.clock.advance(minute);
    let both = world.published().await;
    assert_eq!((both.len(), &both[1]), (2, &first), "published before it signs");
    let mut signers = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..40 {
        let (token, key) = world.signed().await;
        tokens.push((world.clock.now(), token));
        signers.push(key);
        world.clock.advance(minute);
        for (issued, token) in &tokens {
            let lives = world.clock.now() - *issued <= minute * 15;
            assert_eq!(verifier.verify(token).await.is_ok(), lives, "issued {issued}, now {}", world.clock.now());
        }
    }
    signers.dedup();
    assert_eq!(signers, [first, both[0].clone()], "once, for all who ask");
    assert_eq!(world.published().await, [both[0].clone()], "withdrawn after its last token");
    assert_eq!(world.store.signing_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_processes_change_to_the_same_key() {
    let world = World::new().await;
    let other = build(world.store.clone(), world.clock.clone()).await.unwrap();
    world.clock.advance(TimeDelta::days(90));
    let (here, there) = (world.credentials.authority(), other.authority());
    let (here, there) = tokio::join!(here.key_set(), there.key_set());
    assert_eq!(here, there);
    assert_eq!(world.published().await.len(), 2);
}

#[tokio::test]
async fn an_operator_renews_the_key_in_peace_or_at_once() {
    let world = World::new().await;
    let (token, first) = world.signed().await;
    let renew = async |at_once| {
        renew_signing_key(&*world.store, &sealer(7), &*world.clock, &SystemRandomness, at_once).await.unwrap()
    };
    assert_eq!(renew(false).await, 0);
    world.clock.advance(TimeDelta::seconds(5));
    assert_eq!((world.published().await.len(), world.signed().await.1), (2, first.clone()));
    world.verifier().verify(&token).await.unwrap();

    assert_eq!(renew(true).await, 2);
    world.clock.advance(TimeDelta::seconds(5));
    let (fresh, last) = world.signed().await;
    assert_eq!(world.published().await, std::slice::from_ref(&last));
    assert_ne!(last, first);
    let verifier = world.verifier();
    verifier.verify(&fresh).await.unwrap();
    assert!(verifier.verify(&token).await.is_err());
}
