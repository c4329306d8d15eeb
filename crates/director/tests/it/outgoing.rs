//! How an OUTGOING Integration wants its calls made: what of it is accepted, told and kept.

use serde_json::{Value, json};
use tidegate_model::{Change, Clock as _, Event, Json, Pause, PauseReason, RetrySchedule};

use crate::desk::{Desk, text};

const CREATE: &str =
    "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id outgoing { credential signingCredentials
    schedule { delaysSeconds } timeoutMs concurrency ratePerSecond } } }";
const UPDATE: &str =
    "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) { outgoing {
    credential signingCredentials schedule { delaysSeconds } timeoutMs } } }";
const CREDENTIAL: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id } }";

/// A desk with credentials, and one Logic, whose id it answers.
async fn desk() -> (Desk, String) {
    let desk = Desk::with_tenants().await;
    let hosts = json!(["shop.example"]);
    for credential in [
        json!({ "name": "hook", "kind": "SIGNING", "secret": "whsec_AAECAwQF" }),
        json!({ "name": "hook-2", "kind": "SIGNING", "secret": "whsec_BBECAwQF" }),
        json!({ "name": "hook-3", "kind": "SIGNING", "secret": "whsec_CCECAwQF" }),
        json!({ "name": "text", "kind": "SIGNING", "secret": "no base64!" }),
        json!({ "name": "shop", "kind": "BEARER", "allowedHosts": hosts, "secret": "three" }),
    ] {
        desk.ok(Some("acme"), CREDENTIAL, json!({ "in": credential })).await;
    }
    let core = desk.create_logic("acme", "core", "CORE").await;
    (desk, core)
}

fn input(core: &str, outgoing: &Value) -> Value {
    json!({ "in": { "name": "erp", "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": core, "url": "https://shop.example/in",
        "subscriptions": [{ "objectType": "Order", "eventType": "CREATE" }], "outgoing": outgoing } })
}

#[tokio::test]
async fn how_calls_are_made_is_kept_as_it_was_asked_for_and_replaced_whole() {
    let (desk, core) = desk().await;
    let asked = json!({ "credential": "shop", "signingCredentials": ["hook", "hook-2"],
        "schedule": { "delaysSeconds": [5, 300, 604_800] }, "timeoutMs": 60_000, "concurrency": 128, "ratePerSecond": 10_000 });
    let made = desk.ok(Some("acme"), CREATE, input(&core, &asked)).await["createIntegration"].take();
    assert_eq!(made["outgoing"], asked);
    let id = text(&made["id"]).parse().unwrap();
    let runnable = desk.director.registry().find(&"acme".parse().unwrap(), id).await.unwrap().unwrap();
    let kept = &runnable.integration.settings.outgoing;
    assert_eq!(kept.schedule, Some(RetrySchedule { delays_seconds: vec![5, 300, 604_800] }));
    assert_eq!(
        (kept.credential.as_deref(), kept.timeout_ms, kept.rate_per_second),
        (Some("shop"), Some(60_000), Some(10_000))
    );

    let mut update = input(&core, &json!({ "schedule": { "delaysSeconds": [] } }))["in"].take();
    update.as_object_mut().unwrap().retain(|key, _| !["name", "type"].contains(&key.as_str()));
    update["active"] = json!(true);
    let data = desk.ok(Some("acme"), UPDATE, json!({ "id": made["id"], "in": update })).await;
    let replaced =
        json!({ "credential": null, "signingCredentials": [], "schedule": { "delaysSeconds": [] }, "timeoutMs": null });
    assert_eq!(data["updateIntegration"]["outgoing"], replaced);
}

#[tokio::test]
async fn what_is_beyond_the_bounds_or_does_not_fit_is_refused_with_its_field() {
    let (desk, core) = desk().await;
    for (outgoing, field) in [
        (json!({ "timeoutMs": 0 }), "in.outgoing.timeoutMs"),
        (json!({ "timeoutMs": 60_001 }), "in.outgoing.timeoutMs"),
        (json!({ "concurrency": 0 }), "in.outgoing.concurrency"),
        (json!({ "concurrency": 129 }), "in.outgoing.concurrency"),
        (json!({ "ratePerSecond": 0 }), "in.outgoing.ratePerSecond"),
        (json!({ "ratePerSecond": 10_001 }), "in.outgoing.ratePerSecond"),
        (json!({ "schedule": { "delaysSeconds": [0] } }), "in.outgoing.schedule.delaysSeconds"),
        (json!({ "schedule": { "delaysSeconds": [604_801] } }), "in.outgoing.schedule.delaysSeconds"),
        (json!({ "schedule": { "delaysSeconds": vec![1; 31] } }), "in.outgoing.schedule.delaysSeconds"),
        (json!({ "credential": "nobody" }), "in.outgoing.credential"),
        (json!({ "credential": "hook" }), "in.outgoing.credential"),
        (json!({ "signingCredentials": ["nobody"] }), "in.outgoing.signingCredentials[0]"),
        (json!({ "signingCredentials": ["hook", "shop"] }), "in.outgoing.signingCredentials[1]"),
        (json!({ "signingCredentials": ["text"] }), "in.outgoing.signingCredentials[0]"),
        (json!({ "signingCredentials": ["hook", "hook"] }), "in.outgoing.signingCredentials[1]"),
        (json!({ "signingCredentials": ["hook", "hook-2", "hook-3"] }), "in.outgoing.signingCredentials"),
    ] {
        let (error, message) = desk.refused(Some("acme"), CREATE, input(&core, &outgoing)).await;
        assert!(error == 22 && message.contains(field), "{outgoing}: {error} {message}");
    }
    let incoming = json!({ "in": { "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core,
        "outgoing": { "timeoutMs": 5 } } });
    let (error, message) = desk.refused(Some("acme"), CREATE, incoming).await;
    assert!(error == 22 && message.contains("in.outgoing"), "{error} {message}");
}

#[tokio::test]
async fn a_credential_that_calls_are_made_with_cannot_be_deleted() {
    let (desk, core) = desk().await;
    let asked = json!({ "credential": "shop", "signingCredentials": ["hook", "hook-2"] });
    desk.ok(Some("acme"), CREATE, input(&core, &asked)).await;
    let all = desk.ok(Some("acme"), "{ credentials { data { id name } } }", json!({})).await;
    let delete = "mutation($id: ID!) { deleteCredential(id: $id) { id } }";
    for credential in all["credentials"]["data"].as_array().unwrap() {
        let variables = json!({ "id": credential["id"] });
        if ["shop", "hook", "hook-2"].contains(&credential["name"].as_str().unwrap()) {
            let (error, message) = desk.refused(Some("acme"), delete, variables).await;
            assert!(error == 27 && message.contains("erp"), "{error} {message}");
        } else {
            desk.ok(Some("acme"), delete, variables).await;
        }
    }
}

const PAUSED: &str = "query($id: ID!) { integration(id: $id) { paused { reason since } } }";
const RESUME: &str = "mutation($id: ID!) { resumeIntegration(id: $id) { id paused { reason } } }";

/// An OUTGOING Integration that was paused.
async fn paused(desk: &Desk, core: &str) -> Value {
    let made = desk.ok(Some("acme"), CREATE, input(core, &json!({}))).await["createIntegration"].take();
    let acme = "acme".parse().unwrap();
    let pause = Pause { reason: PauseReason::Gone, since: "2026-03-01T11:00:00Z".parse().unwrap() };
    let event = Event {
        id: "pause-1".parse().unwrap(),
        tenant: acme,
        object_type: "Integration".parse().unwrap(),
        object_id: text(&made["id"]).parse().unwrap(),
        change: Change::Create { new: Json::empty_object() },
        time: pause.since,
    };
    let id = text(&made["id"]).parse().unwrap();
    assert!(desk.store.pause(&event.tenant, id, pause, &event).await.unwrap());
    made["id"].clone()
}

#[tokio::test]
async fn a_pause_is_told_and_ended_by_whoever_may_write_integrations() {
    let (desk, core) = desk().await;
    let id = json!({ "id": paused(&desk, &core).await });
    let told = desk.ok(Some("acme"), PAUSED, id.clone()).await;
    assert_eq!(told["integration"]["paused"], json!({ "reason": "GONE", "since": "2026-03-01T11:00:00Z" }));
    let (error, _) = desk.refused(Some("other"), RESUME, id.clone()).await;
    assert_eq!(error, 20);
    for _ in 0..2 {
        let resumed = desk.ok(Some("acme"), RESUME, id.clone()).await;
        assert_eq!(resumed["resumeIntegration"], json!({ "id": id["id"], "paused": null }));
    }
    assert_eq!(desk.ok(Some("acme"), PAUSED, id.clone()).await["integration"]["paused"], Value::Null);
    let changes = desk.store.outbox_claim(uuid::Uuid::from_u128(7), desk.clock.now(), 1000).await.unwrap().unwrap();
    let resumed = changes.iter().filter(|(_, event)| match &event.change {
        Change::Update { old, new } => {
            old.to_value()["paused"]["reason"] == "GONE" && new.to_value()["paused"].is_null()
        }
        _ => false,
    });
    assert_eq!(resumed.count(), 1, "the event says what ended");
}

#[tokio::test]
async fn another_url_ends_a_pause_and_nothing_else_of_an_update_does() {
    let (desk, core) = desk().await;
    let id = paused(&desk, &core).await;
    let update = "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) { paused { reason } } }";
    let mut change = input(&core, &json!({ "timeoutMs": 500 }))["in"].take();
    change.as_object_mut().unwrap().retain(|key, _| !["name", "type"].contains(&key.as_str()));
    change["active"] = json!(true);
    let told = desk.ok(Some("acme"), update, json!({ "id": id, "in": change })).await;
    assert_eq!(told["updateIntegration"]["paused"]["reason"], "GONE");
    change["url"] = json!("https://shop.example/elsewhere");
    let told = desk.ok(Some("acme"), update, json!({ "id": id, "in": change })).await;
    assert_eq!(told["updateIntegration"]["paused"], Value::Null);
    assert_eq!(desk.ok(Some("acme"), PAUSED, json!({ "id": id })).await["integration"]["paused"], Value::Null);
}
