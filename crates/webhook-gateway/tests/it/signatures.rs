//! Signatures at the door: where their check stands, what callers are told, and what is kept.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ring::hmac;
use serde_json::json;
use tidegate_model::contract::Resolved;
use tidegate_model::{
    Error, HttpMethod, Material, Runnable, Secret, SignatureScheme, SignatureSettings, SkipReason, Status, TokenPlace,
};
use tidegate_webhook_gateway::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::harness::{KEY, World, get, inactive, integration, post, signing, start, taking, with_enable, within};

pub(crate) const SECRET: &str = "It's a Secret to Everybody";

/// Requires this scheme, with the credential `partner`.
pub(crate) fn signed(mut runnable: Runnable, scheme: SignatureScheme) -> Runnable {
    let signature = SignatureSettings { scheme, credentials: vec!["partner".to_owned()], tolerance_seconds: None };
    runnable.integration.settings.incoming.signature = Some(signature);
    runnable
}

/// A world whose vault has the credential.
pub(crate) fn world(runnable: Runnable) -> World {
    let world = World::with(runnable);
    world.vault.put("acme", "partner", signing(&[SECRET]));
    world
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

pub(crate) fn github(body: &str) -> String {
    format!("sha256={}", hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes())))
}

const CORE: &str = "return { seen = parameters, authorization = headers.authorization }";

#[tokio::test]
async fn over_a_socket_what_is_signed_runs_and_one_other_byte_is_401_on_record() {
    let world = world(signed(integration(CORE), SignatureScheme::Github));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let router = world.gateway.router();
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    let send = async |body: &str, signature: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /webhook/{KEY} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nContent-Length: {}",
            body.len()
        );
        let call = format!("{head}\r\nX-Hub-Signature-256: {signature}\r\n\r\n{body}");
        stream.write_all(call.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let body = r#"{ "n":1.0 }"#;
    let right = send(body, &github(body)).await;
    assert!(right.starts_with("HTTP/1.1 200 ") && right.contains(r#"{"seen":{"n":1"#), "{right}");
    let wrong = send(r#"{ "n":1.1 }"#, &github(body)).await;
    assert!(wrong.starts_with("HTTP/1.1 401 ") && wrong.contains("application/problem+json"), "{wrong}");
    assert!(!wrong.contains(SECRET) && !wrong.contains("sha256="), "{wrong}");
    let records = world.records();
    assert_eq!(records.iter().map(|r| r.status).collect::<Vec<_>>(), [Status::Success, Status::Failed]);
    assert_eq!(records[1].error.as_deref(), Some("signature: the header x-hub-signature-256 matches no secret"));
    assert_eq!((records[1].core_logic_version, records[1].core_result.clone()), (None, None));
    let kept = serde_json::to_string(&records).unwrap();
    assert!(!kept.contains(github(body).trim_start_matches("sha256=")) && !kept.contains(SECRET), "{kept}");
}

#[tokio::test]
async fn the_check_stands_between_the_window_and_the_scripts() {
    let broken =
        || signed(with_enable(integration("error('core ran')"), "error('enable ran')"), SignatureScheme::Github);
    let day = TimeDelta::days(1);
    let cases = [
        ("method before signature", taking(broken(), HttpMethod::Get), 405, None),
        ("active before signature", inactive(broken()), 200, Some((Status::Skipped, Some(SkipReason::Inactive)))),
        (
            "window before signature",
            within(broken(), day, day * 2),
            200,
            Some((Status::Skipped, Some(SkipReason::NotInEffect))),
        ),
        ("signature before enable", broken(), 401, Some((Status::Failed, None))),
    ];
    for (name, runnable, status, recorded) in cases {
        let world = world(runnable);
        let answer = world.post("{oops").await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        let records = world.records();
        assert_eq!(records.first().map(|record| (record.status, record.skip_reason)), recorded, "{name}");
        if status == 401 {
            assert_eq!(answer.header("integration-outcome"), Some("failed"));
            assert_eq!(answer.json()["executionId"], records[0].id.to_string());
            assert_eq!(answer.header("www-authenticate"), None);
            let error = records[0].error.as_deref();
            assert_eq!(error, Some("signature: the header x-hub-signature-256 is missing"));
        } else {
            assert_eq!(world.vault.asked(), 0, "{name}");
        }
    }
    let world = world(broken());
    let answer = world
        .call(post().header("content-type", "application/json").header("x-hub-signature-256", github("{oops")), "{oops")
        .await;
    assert_eq!(answer.status, 500);
    assert!(world.records()[0].error.as_deref().unwrap().contains("JSON"), "the body after the signature");
}

#[tokio::test]
async fn without_the_secret_nothing_is_let_through() {
    let call = async |world: &World| world.call(post().header("x-hub-signature-256", github("{}")), "{}").await;
    let runnable = || signed(integration(CORE), SignatureScheme::Github);

    let missing = World::with(runnable());
    missing.vault.put("other", "partner", signing(&[SECRET]));
    assert_eq!(call(&missing).await.status, 500);
    let record = missing.records().remove(0);
    assert_eq!(
        (record.status, record.error.as_deref()),
        (Status::Failed, Some("signature: there is no credential partner"))
    );

    let unfit = World::with(runnable());
    unfit.vault.put("acme", "partner", Material::Bearer { token: Secret::new(SECRET) });
    assert_eq!(call(&unfit).await.status, 500);
    assert_eq!(unfit.records()[0].core_logic_version, None);

    for (fault, status) in [(Error::Unavailable("the vault"), 503), (Error::Internal { id: "boom".into() }, 500)] {
        let away = world(runnable());
        away.vault.fail_with(fault);
        let answer = call(&away).await;
        assert_eq!((answer.status.as_u16(), answer.header("integration-outcome")), (status, Some("failed")));
        assert!(away.records().is_empty());
    }
}

#[tokio::test]
async fn any_secret_of_any_credential_signs() {
    let mut runnable = signed(integration(CORE), SignatureScheme::Github);
    let credentials = ["old".to_owned(), "partner".to_owned()];
    runnable.integration.settings.incoming.signature.as_mut().unwrap().credentials = credentials.to_vec();
    let world = World::with(runnable);
    world.vault.put("acme", "old", signing(&["x", "y"]));
    world.vault.put("acme", "partner", signing(&["z", SECRET]));
    let answer = world.call(post().header("x-hub-signature-256", github("{}")), "{}").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn slacks_challenge_is_answered_without_a_run() {
    let world = world(signed(integration("error('core ran')"), SignatureScheme::Slack));
    let body = r#"{"type":"url_verification","token":"t","challenge":"3eZbrw1a"}"#;
    let time = start().timestamp();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = format!("v0={}", hex(hmac::sign(&key, format!("v0:{time}:{body}").as_bytes())));
    let call =
        || post().header("content-type", "application/json").header("x-slack-request-timestamp", time.to_string());
    let answer = world.call(call().header("x-slack-signature", &signature), body).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"challenge":"3eZbrw1a"}"#));
    let record = world.records().remove(0);
    assert_eq!((record.status, record.core_logic_version), (Status::Success, None));
    assert_eq!(record.core_result.unwrap().to_value(), json!({ "challenge": "3eZbrw1a" }));
    let unsigned = world.call(call(), body).await;
    assert!(unsigned.status == 401 && !unsigned.text.contains("3eZbrw1a"), "{}", unsigned.text);
    world.clock.advance(TimeDelta::seconds(301));
    assert_eq!(world.call(call().header("x-slack-signature", &signature), body).await.status, 401);
    assert_eq!(
        world.records()[2].error.as_deref(),
        Some("signature: the time in the header x-slack-request-timestamp is more than 300 seconds ago")
    );
}

#[tokio::test]
async fn a_secret_that_a_caller_shows_is_neither_recorded_nor_told_to_scripts() {
    let token = SignatureScheme::Token { place: TokenPlace::Parameter { name: "key".to_owned() } };
    let world = world(signed(taking(integration(CORE), HttpMethod::Get), token));
    let shown = "It%27s+a+Secret+to+Everybody";
    let answer = world.call(get(&format!("a=1&key={shown}")), "").await;
    assert_eq!(answer.json(), json!({ "seen": { "a": "1", "key": "***" } }));
    assert_eq!(world.call(get("a=1&key=Wrong+Secret"), "").await.status, 401);
    let kept = serde_json::to_string(&world.records()).unwrap();
    assert!(!kept.contains("Secret") && kept.contains("the query parameter key matches no secret"), "{kept}");

    let world = World::with(signed(integration(CORE), SignatureScheme::Basic));
    let password = Secret::new("hunter2");
    world.vault.put("acme", "partner", Material::Basic { username: "ada".to_owned(), password });
    let basic = |pair: &str| post().header("authorization", format!("Basic {}", STANDARD.encode(pair)));
    let answer = world.call(basic("ada:hunter2"), "{}").await;
    assert_eq!(answer.json(), json!({ "seen": {}, "authorization": "***" }));
    let wrong = world.call(basic("ada:hunter3"), "{}").await;
    assert_eq!(wrong.header("www-authenticate"), Some("Basic realm=\"webhook\", charset=\"UTF-8\""));
    let kept = serde_json::to_string(&world.records()).unwrap();
    assert!(!kept.contains(&STANDARD.encode("ada:hunter2")) && !kept.contains("hunter"), "{kept}");
}

#[tokio::test]
async fn the_url_that_is_signed_is_the_public_one_with_its_query() {
    let options = Options { public_url: Some("https://hooks.example/".to_owned()), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(signed(integration(CORE), SignatureScheme::Twilio))), options);
    world.vault.put("acme", "partner", signing(&["12345"]));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
    let signed = format!("https://hooks.example/webhook/{KEY}?a=%20b&c=1AccountSidAC1To+1555");
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let call = |query: &str, signature: &str| {
        let call = http::Request::post(format!("/webhook/{KEY}?{query}")).header("host", "10.0.0.7:8080");
        call.header("content-type", "application/x-www-form-urlencoded").header("x-twilio-signature", signature)
    };
    let answer = world.call(call("a=%20b&c=1", &signature), "To=%2B1555&AccountSid=AC1").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.call(call("a=%20b&c=2", &signature), "To=%2B1555&AccountSid=AC1").await.status, 401);
    assert!(!serde_json::to_string(&world.records()).unwrap().contains(KEY));
}

/// Signs what is on its command line, with the library that Standard Webhooks publishes for Python.
const PYTHON: &str = "
import sys
from datetime import datetime, timezone
from standardwebhooks import Webhook
secret, id, time, body = sys.argv[1:]
print(Webhook(secret).sign(id, datetime.fromtimestamp(int(time), tz=timezone.utc), body), end='')
";

/// A Python that has the library.
#[expect(clippy::disallowed_methods, reason = "where the tests' tools are is not the product's configuration")]
fn python() -> Option<String> {
    let python = std::env::var("TIDEGATE_TEST_PYTHON").ok();
    if python.is_none() {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("SKIPPED: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
    }
    python
}

#[tokio::test]
async fn what_another_languages_standard_webhooks_signs_is_taken() {
    let Some(python) = python() else { return };
    let world = World::with(signed(integration(CORE), SignatureScheme::StandardWebhooks));
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    world.vault.put("acme", "partner", signing(&["whsec_AAECAwQF", secret]));
    let (time, body) = (start().timestamp().to_string(), r#"{"text": "Grüße",  "n": 1.0}"#);
    let call = std::process::Command::new(python).args(["-c", PYTHON, secret, "msg_1", &time, body]).output().unwrap();
    assert!(call.status.success(), "{}", String::from_utf8_lossy(&call.stderr));
    let signature = String::from_utf8(call.stdout).unwrap();
    let request = || {
        let request = post().header("content-type", "application/json").header("webhook-id", "msg_1");
        request.header("webhook-timestamp", &time).header("webhook-signature", &signature)
    };
    assert_eq!(world.call(request(), body).await.status, 200);
    assert_eq!(world.call(request(), body.replace("1.0", "1.1")).await.status, 401);
}
