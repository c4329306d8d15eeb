use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tidegate_credentials::TokenVerifier;
use tidegate_model::contract::Verifier as _;
use tidegate_model::{ClientOwner, Error};
use tidegate_storage::contract::OwnerKind;

use crate::harness::{ISSUER, World, sealer};

fn parts(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut json = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
    let (header, claims) = (json(), json());
    (header, claims, parts.next().unwrap().to_owned())
}

fn joined(header: &Value, claims: &Value, signature: &str) -> String {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

fn is_unauthorized<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unauthorized(_)))
}

#[tokio::test]
async fn a_token_tells_its_client_owner_and_scopes() {
    let world = World::new().await;
    let (client, token) = world.token(&["logic:read", "object:write"]).await;
    let caller = world.verifier().verify(&token).await.unwrap();
    assert_eq!((caller.client, caller.owner), (client.id, client.owner));
    assert_eq!(caller.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["logic:read", "object:write"]);
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let verifier = world.verifier();
    world.clock.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    assert!(verifier.verify(&token).await.is_ok());
    world.clock.advance(TimeDelta::seconds(10));
    assert!(is_unauthorized(&verifier.verify(&token).await));
}

#[tokio::test]
async fn a_token_from_the_future_does_not_count_yet() {
    let world = World::new().await;
    world.clock.advance(TimeDelta::minutes(1));
    let (_, token) = world.token(&["logic:read"]).await;
    world.clock.advance(TimeDelta::minutes(-1));
    assert!(is_unauthorized(&world.verifier().verify(&token).await));
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let (header, claims, signature) = parts(&token);
    let verifier = world.verifier();
    // What is remembered of a good token helps none that is like it.
    assert!(verifier.verify(&token).await.is_ok());

    let mut wider = claims.clone();
    wider["scope"] = json!("logic:read tenant:write");
    let mut later = claims.clone();
    later["exp"] = json!(claims["exp"].as_i64().unwrap() + 1);
    for forged in [&wider, &later] {
        assert!(is_unauthorized(&verifier.verify(&joined(&header, forged, &signature)).await));
    }
    for garbage in
        ["", ".", "..", "a.b.c", &token[1..], &token[..token.len() - 8], &format!("{token}."), &"a".repeat(100_000)]
    {
        assert!(is_unauthorized(&verifier.verify(garbage).await), "{garbage:.40}");
    }
}

#[tokio::test]
async fn no_algorithm_but_es256_passes() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let (header, claims, signature) = parts(&token);
    let verifier = world.verifier();
    for algorithm in ["none", "None", "NONE", "", "ES384", "HS256"] {
        let mut header = header.clone();
        header["alg"] = json!(algorithm);
        assert!(is_unauthorized(&verifier.verify(&joined(&header, &claims, "")).await), "{algorithm}");
        assert!(is_unauthorized(&verifier.verify(&joined(&header, &claims, &signature)).await), "{algorithm}");
    }
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let (header, claims, _) = parts(&token);
    let set = world.get("/.well-known/jwks.json").await.body;
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(set["keys"][0][name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.typ = Some("at+jwt".into());
    hmac.kid = header["kid"].as_str().map(Into::into);
    for secret in [&point[..], &point[1..], set["keys"][0].to_string().as_bytes(), set.to_string().as_bytes()] {
        let forged = jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(secret)).unwrap();
        assert!(is_unauthorized(&world.verifier().verify(&forged).await));
    }
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_believed() {
    let (world, attacker) = (World::new().await, World::new().await);
    let (_, token) = world.token(&["logic:read"]).await;
    let (_, forged) = attacker.token(&["tenant:write"]).await;
    let set = attacker.get("/.well-known/jwks.json").await.body;
    let (mut header, claims, signature) = parts(&forged);
    header["jwk"] = set["keys"][0].clone();
    assert!(is_unauthorized(&world.verifier().verify(&forged).await));
    assert!(is_unauthorized(&world.verifier().verify(&joined(&header, &claims, &signature)).await));
    header["kid"] = parts(&token).0["kid"].clone();
    assert!(is_unauthorized(&world.verifier().verify(&joined(&header, &claims, &signature)).await));
}

#[tokio::test]
async fn another_audience_or_issuer_is_refused() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let expecting = |issuer: &str, audience: &str| {
        TokenVerifier::new(world.authority.clone(), issuer, audience, world.clock.clone())
    };
    let slash = format!("{ISSUER}/");
    assert!(expecting(&slash, &slash).verify(&token).await.is_ok());
    assert!(is_unauthorized(&expecting(ISSUER, "https://other.example").verify(&token).await));
    assert!(is_unauthorized(&expecting("https://other.example", ISSUER).verify(&token).await));
}

#[tokio::test]
async fn a_deleted_clients_token_ends_within_a_second() {
    let world = World::new().await;
    let (client, token) = world.token(&["logic:read"]).await;
    let verifier = world.verifier();
    assert!(verifier.verify(&token).await.is_ok());
    world.store.delete_client(client.id, &OwnerKind::IntegrationSystem).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    assert!(is_unauthorized(&verifier.verify(&token).await));
}

#[tokio::test]
async fn the_token_of_a_deleted_integration_system_ends_with_it() {
    let world = World::new().await;
    let (client, token) = world.token(&["logic:read"]).await;
    let ClientOwner::IntegrationSystem(system) = client.owner else { panic!("{:?}", client.owner) };
    world.store.delete_integration_system(system).await.unwrap();
    assert!(is_unauthorized(&world.verifier().verify(&token).await));
}

#[tokio::test]
async fn the_authority_is_asked_about_a_client_once_a_second() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let verifier = world.verifier();
    for _ in 0..5 {
        verifier.verify(&token).await.unwrap();
    }
    assert_eq!(world.authority.client_questions.load(Ordering::SeqCst), 1);
    assert_eq!(world.authority.key_questions.load(Ordering::SeqCst), 1);
    world.clock.advance(TimeDelta::seconds(1));
    verifier.verify(&token).await.unwrap();
    assert_eq!(world.authority.client_questions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn strangers_keys_cause_at_most_one_question_a_second() {
    let (world, stranger) = (World::new().await, World::new().await);
    let (_, token) = world.token(&["logic:read"]).await;
    let (_, forged) = stranger.token(&["logic:read"]).await;
    let verifier = world.verifier();
    verifier.verify(&token).await.unwrap();
    world.clock.advance(TimeDelta::seconds(2));
    for _ in 0..20 {
        assert!(is_unauthorized(&verifier.verify(&forged).await));
    }
    assert_eq!(world.authority.key_questions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn known_keys_go_on_counting_while_the_authority_is_away() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let verifier = world.verifier();
    verifier.verify(&token).await.unwrap();

    world.authority.away.store(true, Ordering::SeqCst);
    assert!(verifier.verify(&token).await.is_ok());
    // Past the age of the answer about the client, nobody knows whether it still exists: not refused for good, but not let in.
    world.clock.advance(TimeDelta::minutes(6));
    assert_eq!(verifier.verify(&token).await, Err(Error::Unavailable("the token authority")));
    world.authority.away.store(false, Ordering::SeqCst);
    world.clock.advance(TimeDelta::seconds(1));
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn before_the_first_key_set_nothing_is_refused_for_good() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let verifier = world.verifier();
    world.authority.away.store(true, Ordering::SeqCst);
    assert_eq!(verifier.verify(&token).await, Err(Error::Unavailable("the token authority")));
    world.authority.away.store(false, Ordering::SeqCst);
    world.clock.advance(TimeDelta::seconds(1));
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_new_key_is_learned_from_the_first_token_that_it_signs() {
    let (world, successor) = (World::new().await, World::new().await);
    let (_, old) = world.token(&["logic:read"]).await;
    let (_, new) = successor.token(&["logic:read"]).await;
    let verifier = world.verifier();
    verifier.verify(&old).await.unwrap();
    world.authority.become_that_of(successor.credentials.authority());
    assert!(is_unauthorized(&verifier.verify(&new).await));
    world.clock.advance(TimeDelta::seconds(1));
    assert!(verifier.verify(&new).await.is_ok());
    // The former key is in the set no more.
    assert!(is_unauthorized(&verifier.verify(&old).await));
}

#[tokio::test]
async fn what_our_own_key_signed_is_no_access_token_unless_it_says_so() {
    let world = World::new().await;
    let (_, token) = world.token(&["logic:read"]).await;
    let (_, claims, _) = parts(&token);
    let row = world.store.signing_keys().await.unwrap().remove(0);
    let private = sealer(7).open(&format!("signing_key.sealed:{}", row.id), &row.sealed).unwrap();
    let key = EncodingKey::from_ec_der(&private);
    let verifier = world.verifier();
    let sign = |change: fn(&mut Header, &mut Value)| {
        let (mut header, mut claims) = (Header::new(Algorithm::ES256), claims.clone());
        header.typ = Some("at+jwt".into());
        header.kid = Some(row.id.clone());
        change(&mut header, &mut claims);
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let accepted: [fn(&mut Header, &mut Value); 3] = [
        |_, _| {},
        |header, _| header.typ = Some("application/AT+JWT".into()),
        |_, claims| claims["aud"] = json!(["https://other.example", ISSUER]),
    ];
    for (i, change) in accepted.into_iter().enumerate() {
        assert!(verifier.verify(&sign(change)).await.is_ok(), "accepted[{i}]");
    }
    let refused: [fn(&mut Header, &mut Value); 13] = [
        |header, _| header.typ = Some("JWT".into()),
        |header, _| header.typ = None,
        |header, _| header.kid = None,
        |header, _| header.kid = Some("another".into()),
        |header, _| header.crit = Some(vec!["b64".into()]),
        |_, claims| claims["aud"] = json!([]),
        |_, claims| claims["iss"] = json!([ISSUER]),
        |_, claims| claims["exp"] = json!("9999999999"),
        |_, claims| claims["nbf"] = json!(claims["iat"].as_i64().unwrap() + 60),
        |_, claims| claims["scope"] = json!("logic:read nonsense"),
        |_, claims| claims["sub"] = json!("0190a5f2-6c1e-7c3b-9d4e-2f8a61b7c035"),
        |_, claims| claims["tidegate_owner"] = json!("somebody"),
        |_, claims| *claims = json!({}),
    ];
    for (i, change) in refused.into_iter().enumerate() {
        assert!(is_unauthorized(&verifier.verify(&sign(change)).await), "refused[{i}]");
    }
}
