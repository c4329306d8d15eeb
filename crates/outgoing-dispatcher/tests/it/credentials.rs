//! What goes with a call to let it in at its destination.

use std::sync::atomic::Ordering;

use tidegate_model::{AuthStyle, Material, OAuth2Client, OutgoingSettings, Secret, Status};

use crate::harness::{Answer, Definition, Raw, Says, World, created};

fn with(credential: &str) -> OutgoingSettings {
    OutgoingSettings { credential: Some(credential.to_owned()), ..OutgoingSettings::default() }
}

fn bearer(token: &str) -> Material {
    Material::Bearer { token: Secret::new(token) }
}

fn header(value: &str) -> Material {
    Material::Header { name: "X-Shop-Pin".to_owned(), value: Secret::new(value) }
}

#[tokio::test]
async fn each_kind_of_credential_goes_with_the_call_and_stays_out_of_the_record() {
    let world = World::new().await;
    let basic = Material::Basic { username: "ann".to_owned(), password: Secret::new("pass-word-1") };
    world.vault.keep("basic", basic);
    world.vault.keep("bearer", bearer("token-number-2"));
    world.vault.keep("header", header("pin number 3"));
    let script = "return { headers = { Authorization = 'mine', ['x-shop-pin'] = 'mine' }, body = { a = 1 } }";
    for name in ["basic", "bearer", "header"] {
        let url = world.sink.url(&format!("/{name}"));
        Definition::new(name, url, script).with(with(name)).insert(&world).await;
    }
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let all = world.ended(3).await;
    let got = |name: &str, of: &str| world.sink.got(&format!("/{name}"))[0].header(of).map(str::to_owned);
    assert_eq!(got("basic", "authorization").as_deref(), Some("Basic YW5uOnBhc3Mtd29yZC0x"));
    assert_eq!(got("bearer", "authorization").as_deref(), Some("Bearer token-number-2"));
    assert_eq!(got("header", "x-shop-pin").as_deref(), Some("pin number 3"));
    assert_eq!(got("header", "authorization").as_deref(), Some("mine"));
    for record in &all {
        assert_eq!(record.status, Status::Success);
        let text = serde_json::to_string(record).unwrap();
        for secret in ["pass-word-1", "YW5uOnBhc3Mtd29yZC0x", "token-number-2", "pin number 3"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let masked = all.iter().filter(|r| r.attempts[0].request_headers.to_value()["x-shop-pin"] == "***").count();
    assert_eq!(masked, 1, "the header of the credential is on record, masked");
}

#[tokio::test]
async fn a_destination_that_echoes_the_secret_does_not_bring_it_into_the_record() {
    let world = World::new().await;
    world.vault.keep("pin", header("a\"b/c+d"));
    Definition::new("echo", world.sink.url("/echo"), "return {}").with(with("pin")).insert(&world).await;
    let body = br#"{"headers":{"X-Shop-Pin":"a\"b/c+d"},"query":"a%22b%2Fc%2Bd","text":a"b/c+d}"#;
    world.sink.will("/echo", [Answer::Full(200, vec![("x-echo", "got a\"b/c+d")], body.to_vec())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let attempt = world.one().await.attempts.remove(0);
    assert_eq!(attempt.response_body.as_deref(), Some(r#"{"headers":{"X-Shop-Pin":"***"},"query":"***","text":***}"#));
    assert_eq!(attempt.response_headers.unwrap().to_value()["x-echo"], "got ***");
}

#[tokio::test]
async fn a_secret_in_a_long_answer_is_not_kept_in_part_either() {
    let mut world = World::new().await;
    world.options.response_limit = 20;
    world.vault.keep("pin", header("secret-number-1"));
    Definition::new("echo", world.sink.url("/echo"), "return {}").with(with("pin")).insert(&world).await;
    world.sink.will("/echo", [Answer::Full(200, Vec::new(), b"0123456789secret-number-1".to_vec())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let attempt = world.one().await.attempts.remove(0);
    assert_eq!((attempt.response_body.as_deref(), attempt.response_truncated), (Some("0123456789***"), true));
}

#[tokio::test]
async fn a_secret_is_masked_however_json_or_a_url_spells_it() {
    let world = World::new().await;
    // Standard base64 with a slash, as PHP writes it; what is not ASCII, as Python does.
    let basic = Material::Basic { username: "user".to_owned(), password: Secret::new("pä>>>?") };
    world.vault.keep("basic", basic);
    Definition::new("echo", world.sink.url("/echo"), "return {}").with(with("basic")).insert(&world).await;
    let body = br#"{"php":"Basic dXNlcjpww6Q+Pj4\/","python":"p\u00e4>>>?","url":"p%c3%a4%3E%3e%3E?","twice":"{\"a\":\"Basic dXNlcjpww6Q+Pj4\\\/\"}"}"#;
    world.sink.will("/echo", [Answer::Full(200, vec![("x-echo", "p%C3%A4%3E>>%3F")], body.to_vec())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let attempt = world.one().await.attempts.remove(0);
    let masked = r#"{"php":"Basic ***","python":"***","url":"***","twice":"{\"a\":\"Basic ***\"}"}"#;
    assert_eq!(world.sink.got("/echo")[0].header("authorization"), Some("Basic dXNlcjpww6Q+Pj4/"));
    assert_eq!(attempt.response_body.as_deref(), Some(masked));
    assert_eq!(attempt.response_headers.unwrap().to_value()["x-echo"], "***");
}

#[tokio::test]
async fn a_credential_that_was_kept_under_a_header_of_the_platforms_is_not_sent() {
    let world = World::new().await;
    let names = ["Webhook-Signature", "webhook-id", "traceparent", "metadata", "content-type"];
    for name in names {
        world.vault.keep(name, Material::Header { name: name.to_owned(), value: Secret::new("static-1") });
        Definition::new(name, world.sink.url("/in"), "return {}").with(with(name)).insert(&world).await;
    }
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let all = world.when(|all| all.len() == names.len() && all.iter().all(|e| e.status == Status::Retrying)).await;
    let errors: Vec<_> = all.into_iter().map(|record| record.error.unwrap()).collect();
    for name in names {
        let told = format!("credential {name:?} cannot be sent: the header {name:?} is the platform's own");
        assert!(errors.contains(&told), "{errors:?}");
    }
    assert_eq!(world.sink.got("/in").len(), 0);
}

const TOKEN: (&str, &str) = ("content-type", "application/json");

fn token(text: &str) -> Answer {
    let body = format!(r#"{{"access_token":"{text}","token_type":"Bearer","expires_in":3600}}"#);
    Answer::Full(200, vec![TOKEN], body.into_bytes())
}

fn client(world: &World) -> Material {
    Material::OAuth2(OAuth2Client {
        token_url: world.sink.url("/token"),
        client_id: "tidegate".to_owned(),
        client_secret: Secret::new("client-secret-9"),
        scope: None,
        auth_style: AuthStyle::Basic,
    })
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_the_destination_refuses_it() {
    let world = World::new().await;
    world.vault.keep("shop", client(&world));
    Definition::new("orders", world.sink.url("/in"), "return {}").with(with("shop")).insert(&world).await;
    world.sink.will("/token", ["first-token-1", "second-token-2"].map(token));
    let _running = world.dispatch();
    for n in 1..=3 {
        if n == 3 {
            world.sink.will("/in", [Answer::Full(401, Vec::new(), b"first-token-1 is no good".to_vec())]);
        }
        world.publish(&format!("e-{n}"), created()).await;
        world.ended(n).await;
    }
    let tokens: Vec<_> = world.sink.got("/in").iter().map(|c| c.header("authorization").unwrap().to_owned()).collect();
    let first = "Bearer first-token-1";
    assert_eq!(tokens, [first, first, first, "Bearer second-token-2"]);
    assert_eq!(world.sink.got("/token").len(), 2);
    for record in world.ended(3).await {
        assert_eq!(
            (record.status, record.attempts.len()),
            (Status::Success, 1),
            "the refusal is no attempt of its own"
        );
        let text = serde_json::to_string(&record).unwrap();
        assert!(!["client-secret-9", "first-token", "second-token"].iter().any(|s| text.contains(s)), "{text}");
    }
}

#[tokio::test]
async fn a_destination_that_refuses_the_new_token_too_has_refused() {
    let world = World::new().await;
    world.vault.keep("shop", client(&world));
    Definition::new("orders", world.sink.url("/in"), "return {}").with(with("shop")).insert(&world).await;
    world.sink.will("/token", ["token-number-1", "token-number-2"].map(token));
    let echo = |n: u8| Answer::Full(401, Vec::new(), format!("token-number-{n}?").into_bytes());
    world.sink.will("/in", [echo(1), echo(2)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let record = world.one().await;
    assert_eq!((record.status, record.attempts[0].status), (Status::Failed, Some(401)));
    assert_eq!(record.attempts[0].response_body.as_deref(), Some("***?"));
    assert_eq!(world.sink.got("/in").len(), 2);
}

#[tokio::test]
async fn a_401_stays_on_record_when_no_new_token_is_to_be_had_and_the_call_is_tried_again() {
    let world = World::new().await;
    world.vault.keep("shop", client(&world));
    Definition::new("orders", world.sink.url("/in"), "return {}").with(with("shop")).insert(&world).await;
    world.sink.will("/token", [token("token-number-1"), Answer::Status(500)]);
    world.sink.will("/in", [Answer::Full(401, vec![("x-why", "expired")], b"token-number-1 is no good".to_vec())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying)).await.remove(0);
    let attempt = &open.attempts[0];
    assert_eq!((open.attempts.len(), attempt.status), (1, Some(401)));
    assert_eq!(attempt.response_body.as_deref(), Some("*** is no good"));
    assert_eq!(attempt.response_headers.as_ref().unwrap().to_value()["x-why"], "expired");
    let why = "credential \"shop\": its token endpoint answered 500";
    assert_eq!(attempt.error.as_deref(), Some(why));
    assert_eq!(open.error.unwrap(), format!("the destination answered 401; {why}"));
    assert_eq!(world.sink.got("/in").len(), 1);
    world.sink.will("/token", [token("token-number-3")]);
    world.advance(24 * 3600);
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
}

#[tokio::test]
async fn a_401_stays_on_record_when_the_call_with_the_new_token_has_no_answer() {
    let world = World::new().await;
    world.vault.keep("shop", client(&world));
    let refusing = "HTTP/1.1 401 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno".to_owned();
    let destination = Raw::start([Says::Then(refusing), Says::Then(String::new())]).await;
    Definition::new("orders", destination.url(), "return {}").with(with("shop")).insert(&world).await;
    world.sink.will("/token", ["token-number-1", "token-number-2", "token-number-3"].map(token));
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying)).await.remove(0);
    assert_eq!((open.attempts.len(), open.attempts[0].status), (1, Some(401)));
    assert!(open.attempts[0].error.as_deref().unwrap().starts_with("with a new token: call failed: "), "{open:#?}");
    assert_eq!((destination.calls(), world.sink.got("/token").len()), (2, 2));
    world.advance(24 * 3600);
    assert_eq!(world.one().await.status, Status::Success);
}

#[tokio::test]
async fn a_token_endpoint_that_hangs_is_named_and_nothing_is_said_to_be_sent() {
    let mut world = World::new().await;
    world.options.call_timeout = std::time::Duration::from_millis(300);
    world.vault.keep("shop", client(&world));
    Definition::new("orders", world.sink.url("/in"), "return {}").with(with("shop")).insert(&world).await;
    world.sink.hang("/token");
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying)).await.remove(0);
    let why = "credential \"shop\": its token endpoint was not reached: no answer within 300 ms";
    assert_eq!(open.error.as_deref(), Some(why));
    let attempt = &open.attempts[0];
    assert_eq!((attempt.request_headers.as_str(), &attempt.request_body), ("{}", &None));
    assert_eq!(world.sink.got("/in").len(), 0);
}

#[tokio::test]
async fn what_is_amiss_with_a_credential_is_told_and_tried_again_since_somebody_may_set_it_right() {
    let world = World::new().await;
    world.vault.keep_signing("signs", &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    world.vault.keep("id", client(&world));
    world.sink.will("/token", [Answer::Status(400)]);
    for name in ["gone", "signs", "id"] {
        let url = world.sink.url(&format!("/{name}"));
        Definition::new(name, url, "return {}").with(with(name)).insert(&world).await;
    }
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.len() == 3 && all.iter().all(|e| e.status == Status::Retrying)).await;
    let errors: Vec<_> = open.iter().map(|e| e.error.clone().unwrap()).collect();
    for told in [
        "there is no credential \"gone\"",
        "credential \"signs\" is for signatures, it cannot be sent",
        "credential \"id\": its token endpoint answered 400",
    ] {
        assert!(errors.iter().any(|error| error == told), "{errors:?}");
    }
    for name in ["gone", "signs", "id"] {
        assert_eq!(world.sink.got(&format!("/{name}")).len(), 0, "nothing is sent without it");
        world.vault.keep(name, bearer("right-now"));
    }
    world.advance(24 * 3600);
    assert!(world.ended(3).await.iter().all(|e| (e.status, e.attempts.len()) == (Status::Success, 2)));
}

#[tokio::test]
async fn a_credential_is_not_sent_where_it_must_not_go() {
    let world = World::new().await;
    world.vault.keep("shop", bearer("token-number-1"));
    let url = world.sink.url("/in").replace("127.0.0.1", "localhost");
    Definition::new("orders", url, "return {}").with(with("shop")).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let open = world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying)).await.remove(0);
    assert!(open.error.unwrap().contains("its allowedHosts do not cover it"));
    assert_eq!(world.sink.got("/in").len(), 0);
}

#[tokio::test]
async fn while_the_vault_is_away_nothing_is_called_and_no_attempt_is_counted() {
    let world = World::new().await;
    world.vault.keep("shop", bearer("token-number-1"));
    world.vault.away.store(true, Ordering::SeqCst);
    Definition::new("orders", world.sink.url("/in"), "return {}").with(with("shop")).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.first().is_some_and(|e| e.next_attempt_at > Some(e.started_at))).await;
    world.vault.away.store(false, Ordering::SeqCst);
    world.advance(10);
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 1));
}
