use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tidegate_model::contract::Verifier as _;

use crate::harness::World;

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_a_secret_nor_a_token_is_logged() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

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

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("issued an access token") && log.contains("does not tell its keys"), "{log}");
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [secret, signature] {
        assert!(!log.contains(hidden), "{log}");
    }
}
