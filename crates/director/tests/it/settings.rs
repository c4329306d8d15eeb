//! What of an Integration has a default: pinned versions and limits.

use serde_json::{Value, json};
use tidegate_model::contract::{Resolved, WebhookKeyHash};

use crate::desk::{Desk, text};

const CREATE: &str = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id webhookUrl
    coreLogic { version source } coreLogicVersion enableLogicVersion limits { enableCpuMs coreTimeoutMs memoryMiB httpCalls } } }";
const UPDATE: &str = "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) {
    coreLogic { version } coreLogicVersion limits { coreTimeoutMs } } }";

async fn resolved_source(desk: &Desk, made: &Value) -> String {
    let url = text(&made["webhookUrl"]);
    let key = WebhookKeyHash::of(url.rsplit('/').next().unwrap());
    match desk.director.registry().resolve(key).await.unwrap() {
        Resolved::One(runnable) => runnable.core.source.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn write_version(desk: &Desk, logic: &str, source: &str) {
    let update = "mutation($id: ID!, $in: LogicUpdateInput!) { updateLogic(id: $id, in: $in) { version } }";
    desk.ok(Some("acme"), update, json!({ "id": logic, "in": { "source": source } })).await;
}

#[tokio::test]
async fn a_pinned_version_runs_while_newer_ones_are_written_and_the_newest_again_when_the_pin_is_gone() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    write_version(&desk, &core, "return { v = 2 }").await;
    let input =
        json!({ "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core, "coreLogicVersion": 2 });
    let made = desk.ok(Some("acme"), CREATE, json!({ "in": input })).await["createIntegration"].take();
    write_version(&desk, &core, "return { v = 3 }").await;
    assert_eq!(resolved_source(&desk, &made).await, "return { v = 2 }");
    assert_eq!((&made["coreLogicVersion"], &made["coreLogic"]["version"]), (&json!(2), &json!(2)));

    let input = json!({ "httpMethod": "POST", "active": true, "coreLogicID": core });
    let data = desk.ok(Some("acme"), UPDATE, json!({ "id": made["id"], "in": input })).await;
    let updated = &data["updateIntegration"];
    assert_eq!((&updated["coreLogicVersion"], &updated["coreLogic"]["version"]), (&Value::Null, &json!(3)));
    assert_eq!(resolved_source(&desk, &made).await, "return { v = 3 }");
}

#[tokio::test]
async fn a_version_that_is_not_there_cannot_be_pinned() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let enable = desk.create_logic("acme", "enable", "ENABLE").await;
    let input = json!({ "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core });
    for (more, field) in [
        (json!({ "coreLogicVersion": 2 }), "in.coreLogicVersion"),
        (json!({ "coreLogicVersion": 0 }), "in.coreLogicVersion"),
        (json!({ "enableLogicVersion": 1 }), "in.enableLogicVersion"),
        (json!({ "enableLogicID": enable, "enableLogicVersion": 7 }), "in.enableLogicVersion"),
    ] {
        let mut input = input.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (error, message) = desk.refused(Some("acme"), CREATE, json!({ "in": input })).await;
        assert!(error == 22 && message.contains(field), "{error} {message}");
    }
}

#[tokio::test]
async fn limits_are_kept_within_the_operators_bounds_and_replaced_whole() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let with = |limits: Value| json!({ "in": { "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core, "limits": limits } });
    for (limits, field) in [
        (json!({ "enableCpuMs": 1001 }), "in.limits.enableCpuMs"),
        (json!({ "coreCpuMs": 0 }), "in.limits.coreCpuMs"),
        (json!({ "enableTimeoutMs": 5_001 }), "in.limits.enableTimeoutMs"),
        (json!({ "coreTimeoutMs": 30_001 }), "in.limits.coreTimeoutMs"),
        (json!({ "memoryMiB": 1 }), "in.limits.memoryMiB"),
        (json!({ "memoryMiB": 129 }), "in.limits.memoryMiB"),
        (json!({ "httpCalls": 101 }), "in.limits.httpCalls"),
    ] {
        let (error, message) = desk.refused(Some("acme"), CREATE, with(limits)).await;
        assert!(error == 22 && message.contains(field), "{error} {message}");
    }
    let limits = json!({ "enableCpuMs": 5, "coreTimeoutMs": 30_000, "memoryMiB": 128, "httpCalls": 0 });
    let made = desk.ok(Some("acme"), CREATE, with(limits.clone())).await["createIntegration"].take();
    assert_eq!(made["limits"], limits);

    let input = json!({ "httpMethod": "POST", "active": true, "coreLogicID": core });
    let data = desk.ok(Some("acme"), UPDATE, json!({ "id": made["id"], "in": input })).await;
    assert_eq!(
        data["updateIntegration"]["limits"],
        json!({ "coreTimeoutMs": null }),
        "what is not said is the default again"
    );
}

#[tokio::test]
async fn how_callers_are_met_is_kept_within_reason_and_is_of_incoming_ones_alone() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let create = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id
        maskedHeaders incoming { rateLimit { calls per } concurrency idempotencyKey runRepeatedDeliveries } } }";
    let with = |incoming: Value| json!({ "in": { "name": format!("hook-{}", incoming["concurrency"]), "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core, "incoming": incoming } });
    for (incoming, field) in [
        (json!({ "rateLimit": { "calls": 1_000_001, "per": "HOUR" } }), "in.incoming.rateLimit.calls"),
        (json!({ "concurrency": 0 }), "in.incoming.concurrency"),
        (json!({ "concurrency": 10_001 }), "in.incoming.concurrency"),
    ] {
        let (error, message) = desk.refused(Some("acme"), create, with(incoming)).await;
        assert!(error == 22 && message.contains(field), "{error} {message}");
    }
    for masked in [vec!["no name"], vec![""], vec!["x-pin"; 33]] {
        let mut input = with(json!({}));
        input["in"]["maskedHeaders"] = json!(masked);
        let (error, message) = desk.refused(Some("acme"), create, input).await;
        assert!(error == 22 && message.contains("in.maskedHeaders"), "{error} {message}");
    }
    let incoming = json!({
        "rateLimit": { "calls": 600, "per": "MINUTE" }, "concurrency": 5, "idempotencyKey": "REQUIRED", "runRepeatedDeliveries": true
    });
    let mut input = with(incoming.clone());
    input["in"]["maskedHeaders"] = json!(["X-Pin"]);
    let made = desk.ok(Some("acme"), create, input).await["createIntegration"].take();
    assert_eq!((&made["incoming"], &made["maskedHeaders"]), (&incoming, &json!(["X-Pin"])));

    let said_nothing = desk.ok(Some("acme"), create, with(json!({}))).await["createIntegration"].take();
    assert_eq!(
        said_nothing["incoming"],
        json!({ "rateLimit": null, "concurrency": null, "idempotencyKey": "NONE", "runRepeatedDeliveries": false })
    );

    let mut outgoing = with(incoming)["in"].take();
    outgoing["type"] = json!("OUTGOING");
    outgoing["url"] = json!("https://example.com/");
    outgoing["name"] = json!("out");
    outgoing["subscriptions"] = json!([{ "objectType": "Application", "eventType": "CREATE" }]);
    let (error, message) = desk.refused(Some("acme"), create, json!({ "in": outgoing })).await;
    assert!(error == 22 && message.contains("in.incoming"), "{error} {message}");
}
