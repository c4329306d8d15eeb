//! What destinations get (CONTRACT section 4).

use tidegate_engine::Policy;
use tidegate_model::{Change, EventType, Execution, Material, OutgoingSettings, Secret, Status};

use crate::harness::{Answer, Definition, Raw, World, created, json};

#[tokio::test]
async fn a_post_carries_the_body_as_json_and_the_platforms_headers() {
    let world = World::new().await;
    let script = r#"return { headers = { ["X-Shop"] = "acme", ["X-N"] = 7, Host = "elsewhere" }, body = { qty = newObject.qty } }"#;
    Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    let call = &world.sink.calls("/in", 1).await[0];
    assert_eq!((call.method.as_str(), call.text().as_str()), ("POST", r#"{"qty":2}"#));
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("x-shop"), Some("acme"));
    assert_eq!(call.header("x-n"), Some("7"));
    assert_eq!(call.header("host"), Some(world.sink.address.to_string().as_str()));
    assert_eq!(call.header("user-agent"), Some(concat!("Tidegate/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(call.header("webhook-id"), Some(record.id.to_string().as_str()));
    assert_eq!(call.header("webhook-timestamp"), Some("1772366400"));
    let trace: Vec<_> = call.header("traceparent").unwrap().split('-').collect();
    assert_eq!(trace.iter().map(|part| part.len()).collect::<Vec<_>>(), [2, 32, 16, 2]);
    assert_eq!(record.status, Status::Success);
}

#[tokio::test]
async fn a_script_may_say_another_content_type_and_user_agent_but_not_another_webhook_id() {
    let world = World::new().await;
    let script = r#"return { headers = { ["content-type"] = "application/vnd.x+json", ["User-Agent"] = "shop", ["Webhook-Id"] = "mine" } }"#;
    Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    let call = &world.sink.calls("/in", 1).await[0];
    assert_eq!(call.header("content-type"), Some("application/vnd.x+json"));
    assert_eq!(call.header("user-agent"), Some("shop"));
    assert_eq!(call.header("webhook-id"), Some(record.id.to_string().as_str()));
}

#[tokio::test]
async fn an_empty_body_is_posted_as_an_empty_object() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    assert_eq!(world.sink.calls("/in", 1).await[0].text(), "{}");
}

#[tokio::test]
async fn a_get_carries_the_body_in_its_query_before_the_fragment() {
    let world = World::new().await;
    let script = r#"return { body = { z = "a b&c", n = json.null, list = { 1, { k = "v" } }, yes = true, big = 9007199254740993i } }"#;
    let script = script.replace("9007199254740993i", r#"json.decode("9007199254740993")"#);
    Definition::new("orders", world.sink.url("/in?key=1#part"), &script).get().insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let call = &world.sink.calls("/in", 1).await[0];
    assert_eq!((call.method.as_str(), call.text().as_str()), ("GET", ""));
    let expected = "key=1&big=9007199254740993&list=%5B1%2C%7B%22k%22%3A%22v%22%7D%5D&n=&yes=true&z=a+b%26c";
    assert_eq!(call.query.as_deref(), Some(expected));
    assert_eq!(call.header("content-type"), None);
    assert_eq!(world.one().await.attempts[0].url, world.sink.url(&format!("/in?{expected}#part")));
}

#[tokio::test]
async fn an_empty_body_leaves_the_url_of_a_get_as_it_is() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in?a=%20&b"), "return { body = {} }").get().insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    assert_eq!(world.sink.calls("/in", 1).await[0].query.as_deref(), Some("a=%20&b"));
}

#[tokio::test]
async fn an_update_tells_only_what_changed_a_creation_no_old_state_and_a_deletion_no_new_one() {
    let world = World::new().await;
    let script = "return { body = { event = eventType, object = object, old = oldObject or 'none', new = newObject or 'none' } }";
    Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    let _running = world.dispatch();
    let told =
        async |count: usize| serde_json::from_slice(&world.sink.calls("/in", count).await[count - 1].body).unwrap();

    world.publish("e-1", Change::Create { new: json(r#"{"qty":1}"#) }).await;
    let told_1: serde_json::Value = told(1).await;
    assert_eq!(
        (&told_1["event"], &told_1["old"], &told_1["new"]["qty"]),
        (&"CREATE".into(), &"none".into(), &1.into())
    );
    assert_eq!(told_1["object"]["id"], "o-1");

    let update = Change::Update {
        old: json(r#"{"qty":1,"sku":"A","note":null}"#),
        new: json(r#"{"qty":2,"sku":"A","note":"x"}"#),
    };
    world.publish("e-2", update).await;
    let told_2: serde_json::Value = told(2).await;
    assert_eq!(told_2["old"], serde_json::json!({ "qty": 1, "note": null }));
    assert_eq!((&told_2["new"]["qty"], &told_2["new"]["sku"]), (&2.into(), &"A".into()));

    world.publish("e-3", Change::Delete { old: json(r#"{"qty":2,"sku":"A"}"#) }).await;
    let told_3: serde_json::Value = told(3).await;
    assert_eq!((&told_3["event"], &told_3["new"]), (&"DELETE".into(), &"none".into()));
    assert_eq!((&told_3["old"]["qty"], &told_3["old"]["sku"]), (&2.into(), &"A".into()));
}

#[tokio::test]
async fn only_the_subscribed_kinds_of_event_run_an_integration() {
    let world = World::new().await;
    Definition::new("gone", world.sink.url("/gone"), "return {}").on(EventType::Delete).insert(&world).await;
    Definition::new("made", world.sink.url("/made"), "return {}").on(EventType::Create).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.publish("e-2", Change::Delete { old: json("{}") }).await;

    let all = world.ended(2).await;
    assert_eq!(all.len(), 2);
    assert_eq!((world.sink.got("/gone").len(), world.sink.got("/made").len()), (1, 1));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Full(302, vec![("location", "/elsewhere")], Vec::new())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!((record.status, record.attempts[0].status), (Status::Failed, Some(302)));
    assert_eq!(world.sink.got("/elsewhere").len(), 0);
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_at_once_and_the_record_says_why() {
    let mut world = World::new().await;
    world.policy = Policy::default();
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Failed, 1));
    assert!(record.error.as_deref().unwrap().contains("refused"), "{record:#?}");
    assert_eq!(world.sink.got("/in").len(), 0);
}

#[tokio::test]
async fn the_webhook_id_stays_and_scripts_run_once_over_all_attempts() {
    let world = World::new().await;
    let script = format!(
        "http.request({{ url = '{}' }}) return {{ body = {{ at = requestTime or 'x' }} }}",
        world.sink.url("/script")
    );
    Definition::new("orders", world.sink.url("/in"), &script).insert(&world).await;
    world.sink.will("/in", [Answer::Status(500)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying)).await;
    world.advance(3600);

    let record = world.one().await;
    let calls = world.sink.calls("/in", 2).await;
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    assert_ne!(calls[0].header("webhook-timestamp"), calls[1].header("webhook-timestamp"));
    assert_ne!(calls[0].header("traceparent"), calls[1].header("traceparent"));
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(world.sink.got("/script").len(), 1);
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
}

#[tokio::test]
async fn a_get_that_is_too_long_to_be_sent_fails_at_once_and_says_nothing_of_its_destination() {
    let world = World::new().await;
    let script = "return { body = { a = string.rep('x', newObject.n) } }";
    Definition::new("orders", world.sink.url("/in"), script).get().insert(&world).await;
    let _running = world.dispatch();
    let publish = async |id: String, n: usize| {
        world.publish(&id, Change::Create { new: json(&format!(r#"{{"n":{n}}}"#)) }).await;
    };
    // More than open the circuit.
    for n in 0..25 {
        publish(format!("long-{n}"), 70_000).await;
    }
    for record in world.ended(25).await {
        assert_eq!((record.status, record.attempts.len()), (Status::Failed, 0));
        let told = record.error.unwrap();
        assert!(told.contains("has at most 61440 bytes, not 70"), "{told}");
    }
    publish("short".to_owned(), 60_000).await;
    assert_eq!(about(&world.ended(26).await, "short").status, Status::Success);
    assert_eq!(world.sink.got("/in").len(), 1);
}

/// The record of an event: those of one moment come in any order.
fn about<'e>(all: &'e [Execution], event: &str) -> &'e Execution {
    all.iter().find(|record| record.event.as_ref().is_some_and(|about| about.id.as_str() == event)).unwrap()
}

#[tokio::test]
async fn as_many_headers_as_a_script_may_give_go_with_a_credential_and_signatures_too() {
    let world = World::new().await;
    world.vault.keep("pin", Material::Header { name: "X-Pin".to_owned(), value: Secret::new("1234-5678") });
    world.vault.keep_signing("signs", &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    let settings = OutgoingSettings {
        credential: Some("pin".to_owned()),
        signing_credentials: vec!["signs".to_owned()],
        ..OutgoingSettings::default()
    };
    let script = "local headers = {} for n = 1, newObject.n do headers['x-' .. n] = n end return { headers = headers }";
    // The other destination's server takes a hundred headers and no more.
    let destination = Raw::start([]).await;
    Definition::new("orders", destination.url(), script).with(settings).insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", Change::Create { new: json(r#"{"n":128}"#) }).await;
    assert_eq!(world.one().await.status, Status::Success);
    let head = destination.head(0);
    assert!((1..=128).all(|n| head.contains(&format!("x-{n}: {n}"))), "{head:?}");
    for name in ["x-pin: 1234-5678", "webhook-signature: v1,", "webhook-id: ", "traceparent: "] {
        assert!(head.iter().any(|line| line.starts_with(name)), "{head:?}");
    }

    world.publish("e-2", Change::Create { new: json(r#"{"n":129}"#) }).await;
    let all = world.ended(2).await;
    let refused = about(&all, "e-2");
    assert_eq!(
        (refused.status, refused.error.as_deref()),
        (Status::Failed, Some("at most 128 headers are sent, not 129"))
    );
}
