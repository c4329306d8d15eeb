//! Signatures of what is sent, as Standard Webhooks says.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use tidegate_model::{OutgoingSettings, Status};

use crate::harness::{Answer, Definition, Got, World, created};

const FIRST: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECOND: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn signed(names: &[&str]) -> OutgoingSettings {
    OutgoingSettings {
        signing_credentials: names.iter().map(|name| (*name).to_owned()).collect(),
        ..OutgoingSettings::default()
    }
}

/// Whether the library that Standard Webhooks publishes for Python takes what came; the tests' clock is not the library's, so the time
/// alone is left out of the check. Skipped visibly where there is none.
#[expect(clippy::disallowed_methods, reason = "where the tests' tools are is not the product's configuration")]
fn assert_taken(secret: &str, got: &Got) {
    const PYTHON: &str = "
import sys
from datetime import datetime, timezone
from standardwebhooks import Webhook
secret, id, time, signatures = sys.argv[1:]
body = sys.stdin.buffer.read().decode()
expected = Webhook(secret).sign(id, datetime.fromtimestamp(int(time), tz=timezone.utc), body)
assert expected in signatures.split(' '), (expected, signatures)
";
    let Ok(python) = std::env::var("TIDEGATE_TEST_PYTHON") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("SKIPPED: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
        return;
    };
    let header = |name| got.header(name).unwrap();
    let arguments = [secret, header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
    let mut command = Command::new(python);
    let mut child =
        command.args(["-c", PYTHON]).args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&got.body).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test]
async fn a_call_is_signed_so_that_another_languages_library_takes_it() {
    let world = World::new().await;
    world.vault.keep_signing("hook", &[FIRST]);
    let script = "return { body = { text = 'Grüße \u{1F30A}', n = newObject.qty } }";
    Definition::new("post", world.sink.url("/post"), script).with(signed(&["hook"])).insert(&world).await;
    Definition::new("get", world.sink.url("/get"), script).get().with(signed(&["hook"])).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for record in world.ended(2).await {
        let kept = record.attempts[0].request_headers.to_value();
        assert_eq!(kept["webhook-signature"], "***", "who has it could make the call again");
    }
    for (path, empty) in [("/post", false), ("/get", true)] {
        let got = &world.sink.calls(path, 1).await[0];
        assert_eq!(got.body.is_empty(), empty, "{}", got.text());
        assert_eq!(got.header("webhook-signature").unwrap().split(' ').count(), 1);
        assert_taken(FIRST, got);
    }
}

#[tokio::test]
async fn while_a_secret_is_changed_each_live_one_signs() {
    let world = World::new().await;
    world.vault.keep_signing("hook", &[SECOND, "whpk_AAECAwQF", FIRST]);
    world.vault.keep_signing("old", &[FIRST]);
    world.vault.keep_signing("new", &[SECOND]);
    Definition::new("one", world.sink.url("/one"), "return {}").with(signed(&["hook"])).insert(&world).await;
    Definition::new("two", world.sink.url("/two"), "return {}").with(signed(&["old", "new"])).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for path in ["/one", "/two"] {
        let got = &world.sink.calls(path, 1).await[0];
        assert_eq!(got.header("webhook-signature").unwrap().split(' ').count(), 2, "a public key signs nothing");
        assert_taken(FIRST, got);
        assert_taken(SECOND, got);
    }
}

#[tokio::test]
async fn each_attempt_is_signed_anew_with_the_secret_of_its_time() {
    let world = World::new().await;
    world.vault.keep_signing("hook", &[FIRST]);
    Definition::new("orders", world.sink.url("/in"), "return {}").with(signed(&["hook"])).insert(&world).await;
    world.sink.will("/in", [Answer::Status(500)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying && e.next_attempt_at.is_some())).await;
    world.vault.keep_signing("hook", &[SECOND]);
    world.advance(3600);
    let calls = world.sink.calls("/in", 2).await;
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    assert_ne!(calls[0].header("webhook-timestamp"), calls[1].header("webhook-timestamp"));
    assert_taken(FIRST, &calls[0]);
    assert_taken(SECOND, &calls[1]);
}

#[tokio::test]
async fn a_call_is_never_made_unsigned_that_should_be_signed() {
    let world = World::new().await;
    world.vault.keep_signing("other", &["no base64!"]);
    Definition::new("none", world.sink.url("/none"), "return {}").with(signed(&["hook"])).insert(&world).await;
    Definition::new("unfit", world.sink.url("/unfit"), "return {}").with(signed(&["other"])).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.len() == 2 && all.iter().all(|e| e.status == Status::Retrying)).await;
    let errors: Vec<_> = open.iter().map(|e| e.error.clone().unwrap()).collect();
    assert!(errors.contains(&"there is no credential \"hook\" to sign with".to_owned()), "{errors:?}");
    assert!(errors.iter().any(|e| e.contains("no secret that can sign")), "{errors:?}");

    world.vault.keep_signing("hook", &[FIRST]);
    world.vault.keep_signing("other", &[FIRST]);
    world.advance(24 * 3600);
    let ended = world.ended(2).await;
    assert!(ended.iter().all(|e| (e.status, e.attempts.len()) == (Status::Success, 2)), "{ended:#?}");
    assert_eq!((world.sink.got("/none").len(), world.sink.got("/unfit").len()), (1, 1));
}

#[tokio::test]
async fn while_the_vault_is_away_calls_wait_and_no_attempt_is_counted() {
    let world = World::new().await;
    world.vault.keep_signing("hook", &[FIRST]);
    world.vault.away.store(true, Ordering::SeqCst);
    Definition::new("orders", world.sink.url("/in"), "return {}").with(signed(&["hook"])).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.first().is_some_and(|e| e.next_attempt_at > Some(e.started_at))).await;
    world.vault.away.store(false, Ordering::SeqCst);
    world.advance(10);
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 1));
}
