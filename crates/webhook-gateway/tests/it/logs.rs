//! What the log may know.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tidegate_model::Error;
use tidegate_model::contract::Resolved;

use crate::harness::{KEY, World, integration, post};

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
async fn neither_the_key_nor_what_was_sent_is_logged_whatever_happens() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let call = async |world: &World| {
        let request = post().header("authorization", "Bearer hunter2").header("content-type", "application/json");
        world.call(request, r#"{"card":"4111111111111111"}"#).await;
        world.post(r#"{"card":"4111111111111111""#).await;
    };

    call(&World::with(integration("return {}"))).await;
    call(&World::with(integration("error(parameters.card)"))).await;
    let world = World::with(integration("return {}"));
    for behind in [Resolved::None, Resolved::Many] {
        world.registry.put(KEY, behind);
        call(&world).await;
    }
    world.registry.fail_with(Error::Unavailable("the director"));
    call(&world).await;
    let world = World::with(integration("return {}"));
    world.recorder.is_full.store(true, Ordering::SeqCst);
    call(&world).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("an incoming integration failed") && log.contains("record cannot be kept"), "{log}");
    for secret in [KEY, "hunter2", "4111"] {
        assert!(!log.contains(secret), "{log}");
    }
}
