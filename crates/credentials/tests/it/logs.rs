use std::sync::atomic::Ordering;

use tidegate_model::contract::Verifier as _;

use crate::captured::Captured;
use crate::harness::World;

#[tokio::test]
async fn neither_a_secret_nor_a_token_is_logged() {
    let captured = Captured::listen();

    let world = World::new().await;
    let (client, secret) = world.client(&["logic:read"]).await;
    let (id, secret) = (client.id.to_string(), secret.reveal());
    let granted = world.post_basic(&id, secret, "grant_type=client_credentials").await;
    let token = granted.body["access_token"].as_str().unwrap();
    world.post_basic(&id, &format!("{secret}x"), "grant_type=client_credentials").await;
    world.post_form(&format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")).await;
    let verifier = world.verifier();
    world.authority.away.store(true, Ordering::SeqCst);
    verifier.verify(token).await.unwrap_err();

    let log = captured.text();
    assert!(log.contains("issued an access token") && log.contains("does not tell its keys"), "{log}");
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [secret, signature] {
        assert!(!log.contains(hidden), "{log}");
    }
}
