//! A walk through every mutation.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidegate_model::{Change, Clock as _, Event, EventId, Json, Pause, PauseReason, SystemRandomness};

use super::log;
use crate::desk::{Desk, tenant, text};
use crate::walk::filled;
use crate::walk::graphql::Schema;
use crate::walk::world::World;

type Step = (&'static str, bool, Value, &'static str, &'static str, &'static str);

/// What the walk does, in this order: the operation, its tenant's or the platform's log, its arguments, and the kind of thing. `@` is the id that
/// the entry must name; where there is none it is the id in the answer. `$label` is something that is there, or was made under that label.
#[expect(clippy::too_many_lines, reason = "one table, in the order of the walk")]
fn steps() -> Vec<Step> {
    let erp = ["erp.example"];
    let outgoing = json!({ "httpMethod": "POST", "active": false, "coreLogicID": "$core", "url": "http://sink.example/2",
        "subscriptions": [{ "objectType": "Order", "eventType": "DELETE" }] });
    vec![
        // operation, in the tenant's log, arguments, kind, label of the thing in the arguments, label to keep the answer's id under
        ("createTenant", false, json!({ "in": { "id": "walked", "name": "Walked" } }), "Tenant", "", "walked"),
        ("deleteTenant", false, json!({ "id": "@" }), "Tenant", "walked", ""),
        ("registerIntegrationSystem", false, json!({ "in": { "name": "system" } }), "IntegrationSystem", "", "system"),
        (
            "updateIntegrationSystem",
            false,
            json!({ "id": "@", "in": { "name": "system", "description": "d" } }),
            "IntegrationSystem",
            "system",
            "",
        ),
        ("requestClientCredentialsForIntegrationSystem", false, json!({ "id": "$system" }), "SystemAuth", "", "auth"),
        ("addClientSecretForIntegrationSystem", false, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        (
            "removeClientSecretForIntegrationSystem",
            false,
            json!({ "id": "@", "secretID": "$auth" }),
            "SystemAuth",
            "auth",
            "",
        ),
        ("deleteSystemAuthForIntegrationSystem", false, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        ("unregisterIntegrationSystem", false, json!({ "id": "@" }), "IntegrationSystem", "system", ""),
        ("registerApplication", true, json!({ "in": { "name": "app" } }), "Application", "", "app"),
        ("updateApplication", true, json!({ "id": "@", "in": { "name": "app-2" } }), "Application", "app", ""),
        ("requestClientCredentialsForApplication", true, json!({ "id": "$app" }), "SystemAuth", "", "auth"),
        ("addClientSecretForApplication", true, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        ("removeClientSecretForApplication", true, json!({ "id": "@", "secretID": "$auth" }), "SystemAuth", "auth", ""),
        ("deleteSystemAuthForApplication", true, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        ("unregisterApplication", true, json!({ "id": "@" }), "Application", "app", ""),
        ("registerRuntime", true, json!({ "in": { "name": "run" } }), "Runtime", "", "run"),
        ("updateRuntime", true, json!({ "id": "@", "in": { "name": "run-2" } }), "Runtime", "run", ""),
        ("requestClientCredentialsForRuntime", true, json!({ "id": "$run" }), "SystemAuth", "", "auth"),
        ("addClientSecretForRuntime", true, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        ("removeClientSecretForRuntime", true, json!({ "id": "@", "secretID": "$auth" }), "SystemAuth", "auth", ""),
        ("deleteSystemAuthForRuntime", true, json!({ "id": "@" }), "SystemAuth", "auth", ""),
        ("unregisterRuntime", true, json!({ "id": "@" }), "Runtime", "run", ""),
        (
            "createLogic",
            true,
            json!({ "in": { "name": "l", "kind": "CORE", "source": "return {}" } }),
            "Logic",
            "",
            "l",
        ),
        (
            "updateLogic",
            true,
            json!({ "id": "@", "in": { "source": "return { canary = 'canary-source' }" } }),
            "Logic",
            "l",
            "",
        ),
        ("deleteLogic", true, json!({ "id": "@" }), "Logic", "l", ""),
        ("tryLogic", true, json!({ "in": { "logicID": "@", "type": "INCOMING", "sample": {} } }), "Logic", "core", ""),
        ("compareLogic", true, json!({ "logicID": "@", "source": "return {}" }), "Logic", "core", ""),
        (
            "createIntegration",
            true,
            json!({ "in": { "name": "i", "type": "INCOMING", "httpMethod": "GET", "coreLogicID": "$core" } }),
            "Integration",
            "",
            "i",
        ),
        ("regenerateWebhookUrls", true, json!({ "ids": ["@"] }), "Integration", "i", ""),
        ("deleteIntegration", true, json!({ "id": "@" }), "Integration", "i", ""),
        ("resumeIntegration", true, json!({ "id": "@" }), "Integration", "outgoing", ""),
        ("updateIntegration", true, json!({ "id": "@", "in": outgoing }), "Integration", "outgoing", ""),
        (
            "createCredential",
            true,
            json!({ "in": { "name": "c", "kind": "BEARER", "secret": "canary-1", "allowedHosts": erp } }),
            "Credential",
            "",
            "c",
        ),
        (
            "updateCredential",
            true,
            json!({ "id": "@", "in": { "secret": "canary-2", "allowedHosts": erp } }),
            "Credential",
            "c",
            "",
        ),
        ("deleteCredential", true, json!({ "id": "@" }), "Credential", "c", ""),
        ("addSigningSecret", true, json!({ "id": "@", "secret": "canary-3" }), "Credential", "signing", ""),
        ("removeSigningSecret", true, json!({ "id": "@", "secretID": "$signingSecret" }), "Credential", "signing", ""),
        ("replayExecution", true, json!({ "id": "@" }), "Execution", "ended", ""),
        ("replayExecutions", true, json!({ "filter": { "eventId": "$event" } }), "Replay", "", "replays"),
        ("stopReplay", true, json!({ "id": "@" }), "Replay", "replays", ""),
        ("cancelExecution", true, json!({ "id": "@" }), "Execution", "open", ""),
        ("cancelExecutions", true, json!({ "filter": { "eventId": "$openToo event" } }), "Execution", "openToo", ""),
        ("resendAsideEvent", true, json!({ "id": "@", "payload": "$payload" }), "AsideEvent", "aside", ""),
        ("deleteAsideEvent", true, json!({ "id": "@" }), "AsideEvent", "asideToo", ""),
        ("createObjectType", true, json!({ "in": { "name": "Walked" } }), "ObjectType", "", "t"),
        (
            "updateObjectType",
            true,
            json!({ "id": "@", "in": { "schema": { "type": "object" } } }),
            "ObjectType",
            "t",
            "",
        ),
        ("createObject", true, json!({ "objectType": "Walked", "id": "@", "data": { "n": 1 } }), "Walked", "o", ""),
        ("updateObject", true, json!({ "objectType": "Walked", "id": "@", "data": { "n": 2 } }), "Walked", "o", ""),
        ("deleteObject", true, json!({ "objectType": "Walked", "id": "@" }), "Walked", "o", ""),
        ("deleteObjectType", true, json!({ "id": "@" }), "ObjectType", "t", ""),
        (
            "publishEvent",
            true,
            json!({ "in": { "id": "@", "objectType": "Walked", "eventType": "DELETE", "objectId": "1" } }),
            "Event",
            "e",
            "",
        ),
    ]
}

/// The id of what a mutation answers.
fn answered(answer: &Value) -> Option<&str> {
    let one = if answer.is_array() { &answer[0] } else { answer };
    one["id"].as_str().or(one["replay"]["id"].as_str())
}

async fn furnished(desk: &Desk, schema: &Schema) -> World {
    let mut world = World::furnish(desk, schema, "acme").await;
    let open = world.delivery(desk, false).await;
    let payload = json!({ "specversion": "1.0", "id": "p", "source": "/", "type": "x",
        "data": { "objectId": "1", "new": {} } });
    for (label, id) in [
        ("openToo", open.id.to_string()),
        ("openToo event", open.event.unwrap().id.to_string()),
        ("payload", payload.to_string()),
        ("o", "walked-1".to_owned()),
        ("e", "walked-2".to_owned()),
    ] {
        world.ids.insert(label.to_owned(), id);
    }
    let integration = world.ids["outgoing"].parse().unwrap();
    let pause = Pause { reason: PauseReason::Gone, since: desk.clock.now() };
    let event = Event {
        id: EventId::generate(&*desk.clock, &SystemRandomness),
        tenant: tenant("acme"),
        object_type: "Integration".parse().unwrap(),
        object_id: world.ids["outgoing"].parse().unwrap(),
        change: Change::Delete { old: Json::empty_object() },
        time: desk.clock.now(),
    };
    assert!(desk.store.pause(&tenant("acme"), integration, pause, &event).await.unwrap());
    world
}

#[tokio::test]
async fn every_mutation_leaves_one_entry_with_actor_and_thing_and_no_secret() {
    let (desk, schema) = (Desk::with_tenants().await, Schema::read());
    let mut world = furnished(&desk, &schema).await;
    let mut missing: BTreeSet<_> = schema.operations("Mutation").iter().map(|m| m.name.node.to_string()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for of in [None, Some("acme")] {
        seen.extend(log(&desk, of).await.iter().map(|entry| text(&entry["id"])));
    }
    for (operation, tenants, arguments, kind, thing, label) in steps() {
        let at = world.ids.get(thing).cloned().unwrap_or_default();
        let arguments = filled(&arguments, &at, &|name| world.ids[name].clone());
        let answer = desk.ok(tenants.then_some("acme"), &schema.request(operation, &arguments), arguments).await;
        let answer = &answer[operation];
        let id = if thing.is_empty() { answered(answer).unwrap().to_owned() } else { at };
        let mut fresh = Vec::new();
        for (of, its) in [(None, !tenants), (Some("acme"), tenants)] {
            let entries = log(&desk, of).await;
            let new: Vec<_> = entries.into_iter().filter(|entry| seen.insert(text(&entry["id"]))).collect();
            assert!(its || new.is_empty(), "{operation} stands in the other log: {new:?}");
            fresh.extend(new);
        }
        let [entry] = &fresh[..] else { panic!("{operation} left {} entries: {fresh:#?}", fresh.len()) };
        let told = [&entry["operation"], &entry["kind"], &entry["objectId"], &entry["face"], &entry["error"]];
        assert_eq!(told, [&json!(operation), &json!(kind), &json!(id), &json!("GRAPHQL"), &Value::Null], "{entry}");
        let actor = text(&entry["actor"]);
        assert!(actor.starts_with("client:") && entry["owner"] == "administrator" && entry["count"] == 1, "{entry}");
        world.secrets.extend(answer["auth"]["credential"]["clientSecret"].as_str().map(str::to_owned));
        world.secrets.extend(answer["webhookUrl"].as_str().map(str::to_owned));
        world.secrets.extend(answer[0]["webhookUrl"].as_str().map(str::to_owned));
        if !label.is_empty() {
            world.ids.insert(label.to_owned(), id);
        }
        missing.remove(operation);
    }
    assert!(missing.is_empty(), "no step of the walk makes: {missing:?}");
    let everything = json!([log(&desk, None).await, log(&desk, Some("acme")).await]).to_string();
    assert!(world.secrets.len() > 8, "{:?}", world.secrets);
    for secret in world.secrets.iter().map(|url| url.trim_start_matches("https://gate.example/webhook/")) {
        assert!(!everything.contains(secret), "{secret} is in the log");
    }
    assert!(!everything.contains("canary"), "a canary is in the log");
}
