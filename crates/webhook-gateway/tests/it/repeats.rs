//! Calls that come again: by the id of a delivery, or by their `Idempotency-Key`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ring::hmac;
use serde_json::json;
use tidegate_model::contract::{Claim, ContentHash, RepeatKey, RepeatedBy, Repeats as _, Resolved};
use tidegate_model::{Clock as _, ExecutionId, GenericSignature, IdempotencyKey, Runnable, SignatureScheme};
use uuid::Uuid;

use crate::failing::wait_until;
use crate::harness::{Answer, KEY, World, integration, of_tenant, post, post_to, start, with_enable};
use crate::memory_repeats::MemoryRepeats;
use crate::repeats_suite;
use crate::signatures::{SECRET, github, hex, signed, world};

/// Answers something else each time that it runs.
const CORE: &str = "return { drawn = uuid.v4(), url = requestUrl }";

fn keyed(mut runnable: Runnable, key: IdempotencyKey) -> Runnable {
    runnable.integration.settings.incoming.idempotency_key = key;
    runnable
}

fn accepting(core: &str) -> Runnable {
    keyed(integration(core), IdempotencyKey::Accepted)
}

async fn send(world: &World, key: &str, body: &'static str) -> Answer {
    world.call(post().header("content-type", "application/json").header("idempotency-key", key), body).await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn what_the_tests_remember_calls_with_is_as_the_contract_says() {
    let repeats: Arc<dyn tidegate_model::contract::Repeats> = Arc::new(MemoryRepeats::default());
    let tenants = ["acme".parse().unwrap(), "other".parse().unwrap()];
    repeats_suite::holds(&repeats, &repeats.clone(), [&tenants[0], &tenants[1]]).await;
}

#[tokio::test]
async fn a_repeated_call_gets_the_same_answer_and_nothing_runs() {
    let world = World::with(accepting(CORE));
    let first = send(&world, "k-1", "{}").await;
    assert!(first.status == 200 && !is_replayed(&first), "{}", first.text);
    for gateway in [&world, &world.another()] {
        let again = send(gateway, "k-1", "{}").await;
        assert!(again.status == 200 && is_replayed(&again), "{}", again.text);
        assert_eq!(again.text, first.text);
        for header in ["x-request-id", "integration-outcome", "content-type"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
    }
    assert_eq!(world.records().len(), 1, "a repeat is no run");
    let other = send(&world, "k-2", "{}").await;
    assert!(other.text != first.text && !is_replayed(&other), "another key is another call");
    assert!(!world.repeats.dump().contains(KEY) && first.text.contains(KEY), "no URL is kept");
}

#[tokio::test]
async fn while_the_first_runs_a_repeat_at_another_gateway_is_409() {
    let world = World::with(accepting(CORE));
    let other = world.another();
    world.recorder.gate.forget_permits(1000);
    let mut first = std::pin::pin!(send(&world, "k", "{}"));
    tokio::select! {
        _ = &mut first => panic!("answered without a record"),
        () = wait_until(|| world.recorder.was_asked()) => {}
    }
    let early = send(&other, "k", "{}").await;
    assert_eq!((early.status.as_u16(), early.header("retry-after")), (409, Some("1")));
    assert_eq!(early.header("content-type"), Some("application/problem+json"));
    world.recorder.gate.add_permits(1);
    let first = first.await;
    assert_eq!(first.status, 200);
    let late = send(&other, "k", "{}").await;
    assert!(is_replayed(&late) && late.text == first.text, "{}", late.text);
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn a_key_with_other_content_is_422_and_another_tenants_or_integrations_is_another_key() {
    let world = World::with(accepting(CORE));
    let mut second = accepting(CORE);
    second.integration.id = tidegate_model::IntegrationId(Uuid::from_u128(99));
    world.registry.put("second", Resolved::One(Arc::new(second)));
    world.registry.put("other", Resolved::One(Arc::new(of_tenant(accepting(CORE), "other"))));
    assert_eq!(send(&world, "k", r#"{"n":1}"#).await.status, 200);
    let refused = send(&world, "k", r#"{"n":2}"#).await;
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (422, Some("application/problem+json")));
    for key in ["second", "other"] {
        let answer = world.call(post_to(key).header("idempotency-key", "k"), r#"{"n":2}"#).await;
        assert!(answer.status == 200 && !is_replayed(&answer), "{key}: {}", answer.text);
    }
    assert_eq!(world.records().len(), 3);
}

#[tokio::test]
async fn after_24_hours_a_key_is_new() {
    let world = World::with(accepting(CORE));
    let first = send(&world, "k", "{}").await;
    world.clock.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    assert!(is_replayed(&send(&world, "k", "{}").await));
    world.clock.advance(TimeDelta::microseconds(1));
    let again = send(&world, "k", "{}").await;
    assert!(again.status == 200 && !is_replayed(&again) && again.text != first.text, "{}", again.text);
}

#[tokio::test]
async fn a_run_that_failed_or_was_not_recorded_is_made_again() {
    let world = World::with(accepting("if requestTime < '2027-01-15T08:00:01' then error('not yet') end return {}"));
    assert_eq!(send(&world, "k", "{}").await.status, 500);
    world.recorder.is_full.store(true, Ordering::SeqCst);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(send(&world, "k", "{}").await.status, 503);
    world.recorder.is_full.store(false, Ordering::SeqCst);
    let last = send(&world, "k", "{}").await;
    assert!(last.status == 200 && !is_replayed(&last), "{}", last.text);
    assert!(is_replayed(&send(&world, "k", "{}").await));
    assert_eq!(world.records().len(), 2);
}

#[tokio::test]
async fn what_skipped_the_first_skips_the_repeat_but_for_what_the_door_skips() {
    let world =
        World::with(keyed(with_enable(integration(CORE), "return { result = false }"), IdempotencyKey::Accepted));
    assert_eq!(send(&world, "k", "{}").await.header("integration-outcome"), Some("not-enabled"));
    let again = send(&world, "k", "{}").await;
    assert!(is_replayed(&again) && again.header("integration-outcome") == Some("not-enabled"), "{}", again.text);

    let world = World::with(crate::harness::inactive(accepting(CORE)));
    assert_eq!(send(&world, "k", "{}").await.header("integration-outcome"), Some("inactive"));
    world.registry.put(KEY, Resolved::One(Arc::new(accepting(CORE))));
    let active = send(&world, "k", "{}").await;
    assert!(active.header("integration-outcome") == Some("executed") && !is_replayed(&active));
}

#[tokio::test]
async fn a_gateway_that_died_holds_a_key_no_longer_than_a_run_may_take() {
    let world = World::with(accepting(CORE));
    let runnable = accepting(CORE).integration;
    let dead = Claim {
        tenant: runnable.tenant.clone(),
        key: RepeatKey::of(runnable.id, RepeatedBy::IdempotencyKey, "k"),
        content: ContentHash::of(&[b"POST", b"{}"]),
        holder: ExecutionId(Uuid::from_u128(5)),
    };
    let lease = tidegate_webhook_gateway::Options::default().claim_lease;
    world.repeats.claim(&dead, world.clock.now(), world.clock.now() + lease).await.unwrap();
    assert_eq!(send(&world, "k", "{}").await.status, 409);
    world.clock.advance(TimeDelta::from_std(lease).unwrap());
    assert_eq!(send(&world, "k", "{}").await.status, 200);
}

#[tokio::test]
async fn where_it_cannot_be_told_nothing_runs() {
    let world = World::with(accepting(CORE));
    world.repeats.is_away.store(true, Ordering::SeqCst);
    let answer = send(&world, "k", "{}").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    assert!(world.records().is_empty());
    assert_eq!(world.post("{}").await.status, 200, "a call without a key needs nobody's memory");
}

#[tokio::test]
async fn a_key_means_nothing_unless_it_is_asked_for_and_is_required_where_it_is() {
    let world = World::with(integration(CORE));
    for _ in 0..2 {
        assert!(!is_replayed(&send(&world, "k", "{}").await));
    }
    assert_eq!((world.records().len(), world.repeats.asked()), (2, 0));

    let world = World::with(keyed(integration(CORE), IdempotencyKey::Required));
    let missing = world.post("{}").await;
    assert_eq!((missing.status.as_u16(), missing.header("content-type")), (400, Some("application/problem+json")));
    for key in ["", " ", "two words", "ö", &"k".repeat(256)] {
        assert_eq!(send(&world, key, "{}").await.status, 400, "{key:?}");
    }
    assert!(world.records().is_empty());
    assert_eq!(send(&world, &"k".repeat(255), "{}").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_too_large_to_be_kept_is_told_by_its_record() {
    let world = World::with(accepting("return { text = string.rep('x', 300000) }"));
    let first = send(&world, "k", "{}").await;
    assert_eq!((first.status.as_u16(), first.text.len() > 300_000), (200, true));
    let again = send(&world, "k", "{}").await;
    assert_eq!((again.status.as_u16(), is_replayed(&again)), (200, true));
    assert_eq!(again.json(), json!({ "executionId": first.header("x-request-id").unwrap() }));
}

fn standard(id: &str, body: &str) -> Vec<(&'static str, String)> {
    let time = start().timestamp().to_string();
    let signature =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), format!("{id}.{time}.{body}").as_bytes());
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(signature))),
    ]
}

async fn deliver(world: &World, headers: &[(&'static str, String)], body: &str) -> Answer {
    let request = post().header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    world.call(request, body.to_owned()).await
}

/// A world whose partner signs by Standard Webhooks.
fn standard_world(runnable: Runnable) -> World {
    let world = world(signed(runnable, SignatureScheme::StandardWebhooks));
    world.vault.put("acme", "partner", crate::harness::signing(&[&format!("whsec_{}", STANDARD.encode(SECRET))]));
    world
}

#[tokio::test]
async fn a_repeated_delivery_runs_once_and_its_signature_is_looked_at_first() {
    let world = standard_world(integration(CORE));
    let first = deliver(&world, &standard("msg_1", "{}"), "{}").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = deliver(&world.another(), &standard("msg_1", "{}"), "{}").await;
    assert!(is_replayed(&again) && again.text == first.text, "{}", again.text);
    assert_eq!(deliver(&world, &standard("msg_1", r#"{"n":1}"#), r#"{"n":1}"#).await.status, 422);
    assert!(!is_replayed(&deliver(&world, &standard("msg_2", "{}"), "{}").await));
    assert_eq!(world.records().len(), 2);

    let asked = world.repeats.asked();
    let forged = deliver(&world, &standard("msg_1", "{ }"), "{}").await;
    assert_eq!((forged.status.as_u16(), world.repeats.asked()), (401, asked));
}

#[tokio::test]
async fn repeated_deliveries_run_again_where_the_integration_asks_for_it() {
    let mut runnable = integration(CORE);
    runnable.integration.settings.incoming.run_repeated_deliveries = true;
    let world = standard_world(runnable);
    for _ in 0..2 {
        assert!(!is_replayed(&deliver(&world, &standard("msg_1", "{}"), "{}").await));
    }
    assert_eq!((world.records().len(), world.repeats.asked()), (2, 0));
}

#[tokio::test]
async fn a_call_with_both_keys_is_the_same_by_either() {
    let world = standard_world(accepting(CORE));
    let with = |id: &str, key: &str| {
        let mut headers = standard(id, "{}");
        headers.push(("idempotency-key", key.to_owned()));
        headers
    };
    let first = deliver(&world, &with("msg_1", "k-1"), "{}").await;
    for (id, key) in [("msg_1", "k-2"), ("msg_2", "k-1")] {
        let again = deliver(&world, &with(id, key), "{}").await;
        assert!(is_replayed(&again) && again.text == first.text, "{id} {key}");
    }
    assert!(!is_replayed(&deliver(&world, &with("msg_2", "k-2"), "{}").await), "what was taken on the way was let go");
}

/// The body and the headers of a delivery with this id at this time.
type Signed = fn(&str, i64) -> (String, Vec<(&'static str, String)>);

fn hmac_of(text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes())
}

/// Senders of schemes that need no id, but take one.
fn naming() -> [(SignatureScheme, Signed); 5] {
    let generic = GenericSignature {
        header: "x-signature".to_owned(),
        prefix: String::new(),
        algorithm: tidegate_model::SignatureAlgorithm::Sha256,
        encoding: tidegate_model::SignatureEncoding::Hex,
        template: "{id}.{body}".parse().unwrap(),
        timestamp_header: None,
        id_header: Some("x-id".to_owned()),
    };
    [
        (SignatureScheme::Github, |id, _| {
            ("{}".to_owned(), vec![("x-hub-signature-256", github("{}")), ("x-github-delivery", id.to_owned())])
        }),
        (SignatureScheme::Stripe, |id, time| {
            let body = json!({ "id": id, "type": "charge.succeeded" }).to_string();
            let signature = format!("t={time},v1={}", hex(hmac_of(&format!("{time}.{body}"))));
            (body, vec![("stripe-signature", signature)])
        }),
        (SignatureScheme::Slack, |id, time| {
            let body = json!({ "type": "event_callback", "event_id": id }).to_string();
            let signature = format!("v0={}", hex(hmac_of(&format!("v0:{time}:{body}"))));
            (body, vec![("x-slack-request-timestamp", time.to_string()), ("x-slack-signature", signature)])
        }),
        (SignatureScheme::Shopify, |id, _| {
            let signature = STANDARD.encode(hmac_of("{}"));
            ("{}".to_owned(), vec![("x-shopify-hmac-sha256", signature), ("x-shopify-webhook-id", id.to_owned())])
        }),
        (SignatureScheme::Generic(generic), |id, _| {
            ("{}".to_owned(), vec![("x-signature", hex(hmac_of(&format!("{id}.{{}}")))), ("x-id", id.to_owned())])
        }),
    ]
}

#[tokio::test]
async fn each_scheme_that_names_its_deliveries_is_recognised() {
    let time = start().timestamp();
    for (scheme, sign) in naming() {
        let world = world(signed(integration(CORE), scheme.clone()));
        let (body, headers) = sign("evt_1", time);
        let first = deliver(&world, &headers, &body).await;
        assert_eq!((first.status.as_u16(), is_replayed(&first)), (200, false), "{scheme:?} {}", first.text);
        // A second later, as a sender that repeats signs anew.
        world.clock.advance(TimeDelta::seconds(1));
        let (body, headers) = sign("evt_1", time + 1);
        let again = deliver(&world, &headers, &body).await;
        assert!(is_replayed(&again) && again.text == first.text, "{scheme:?} {}", again.text);
        let (body, headers) = sign("evt_2", time + 1);
        assert!(!is_replayed(&deliver(&world, &headers, &body).await), "{scheme:?}");
    }
}

#[tokio::test]
async fn an_empty_id_is_none_so_that_no_delivery_is_taken_for_another() {
    for (scheme, sign) in naming() {
        let world = world(signed(integration(CORE), scheme.clone()));
        let (body, headers) = sign("", start().timestamp());
        for _ in 0..2 {
            let answer = deliver(&world, &headers, &body).await;
            assert_eq!((answer.status.as_u16(), is_replayed(&answer)), (200, false), "{scheme:?} {}", answer.text);
        }
        assert_eq!((world.records().len(), world.repeats.asked()), (2, 0), "{scheme:?}");
    }
    // Standard Webhooks asks for one.
    let world = standard_world(integration(CORE));
    let refused = deliver(&world, &standard("", "{}"), "{}").await;
    assert_eq!((refused.status.as_u16(), world.repeats.asked()), (401, 0), "{}", refused.text);
    let error = world.records().remove(0).error;
    assert_eq!(error.as_deref(), Some("signature: the header webhook-id is not as the scheme has it"));
}
