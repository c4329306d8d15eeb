//! The audit log: every change leaves its entry, and so does who was refused.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::contract::Actor;
use tidegate_model::{
    Change, ClientOwner, Clock as _, Event, EventId, IntegrationSystemId, Json, Pause, PauseReason, RuntimeId, Scope,
    SystemRandomness,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::desk::{ADMIN, Desk, eventually, tenant, text};
use crate::walk::filled;
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;
use crate::walk::world::World;

const ENTRY: &str = "id time actor owner face address operation kind objectId before after error count";

/// Everything in a log, the newest first. What is done after it comes later.
async fn log(desk: &Desk, of: Option<&str>) -> Vec<Value> {
    let page =
        format!("query($a: PageCursor) {{ auditLog(after: $a) {{ data {{ {ENTRY} }} pageInfo {{ endCursor }} }} }}");
    let (mut all, mut after) = (Vec::new(), String::new());
    desk.clock.advance(TimeDelta::milliseconds(1));
    loop {
        let mut page = desk.ok(of, &page, json!({ "a": after })).await["auditLog"].take();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        after = text(&page["pageInfo"]["endCursor"].take());
        if after.is_empty() {
            return all;
        }
    }
}

/// What the walk does, in this order: the operation, its tenant's or the platform's log, its arguments, and the kind of thing. `@` is the id that
/// the entry must name; where there is none it is the id in the answer. `$label` is something that is there, or was made under that label.
fn steps() -> Vec<(&'static str, bool, Value, &'static str, &'static str, &'static str)> {
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

#[tokio::test]
async fn an_entry_tells_what_was_and_what_is_and_of_secrets_only_that_they_were_set() {
    let (desk, schema) = (Desk::with_tenants().await, Schema::read());
    let run = async |operation: &str, arguments: Value| {
        desk.clock.advance(TimeDelta::milliseconds(1));
        desk.ok(Some("acme"), &schema.request(operation, &arguments), arguments).await[operation].take()
    };
    let newest = async || log(&desk, Some("acme")).await.remove(0);
    let made = run("registerApplication", json!({ "in": { "name": "crm", "description": "old" } })).await;
    let entry = newest().await;
    assert_eq!((&entry["before"], &entry["after"]["name"]), (&Value::Null, &json!("crm")));
    assert_eq!(entry["time"], "2026-03-01T12:00:00.001Z");
    run("updateApplication", json!({ "id": made["id"], "in": { "name": "crm", "description": "new" } })).await;
    let entry = newest().await;
    assert_eq!(
        (&entry["before"], &entry["after"]),
        (&json!({ "description": "old" }), &json!({ "description": "new" }))
    );
    run("unregisterApplication", json!({ "id": made["id"] })).await;
    let entry = newest().await;
    assert_eq!((&entry["before"]["description"], &entry["after"]), (&json!("new"), &Value::Null));

    let input = json!({ "in": { "name": "erp", "kind": "BEARER", "secret": "s", "allowedHosts": ["erp.example"] } });
    let made = run("createCredential", input).await;
    run("updateCredential", json!({ "id": made["id"], "in": { "secret": "t", "allowedHosts": ["erp.example"] } }))
        .await;
    let entry = newest().await;
    assert_eq!((&entry["before"], &entry["after"]), (&json!({}), &json!({ "secret": "set" })));
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    run("regenerateWebhookUrls", json!({ "ids": [hook] })).await;
    assert_eq!(newest().await["after"], json!({ "webhookUrl": "regenerated" }));

    // What changes nothing is no change.
    let before = log(&desk, Some("acme")).await.len();
    run("createObjectType", json!({ "in": { "name": "Order" } })).await;
    run("createObject", json!({ "objectType": "Order", "id": "1", "data": { "n": 1 } })).await;
    run("updateObject", json!({ "objectType": "Order", "id": "1", "data": { "n": 1.0 } })).await;
    assert_eq!(log(&desk, Some("acme")).await.len(), before + 2);
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let outgoing = desk.create_outgoing("acme", "erp", "Order").await;
    let before = (log(&desk, None).await, log(&desk, Some("acme")).await);
    for (mutation, code) in [
        ("mutation { createTenant(in: {id: \"acme\", name: \"again\"}) { id } }".to_owned(), 21),
        ("mutation { createObjectType(in: {name: \"Order\"}) { id } }".to_owned(), 21),
        (format!("mutation {{ regenerateWebhookUrls(ids: [\"{hook}\", \"{outgoing}\"]) {{ id }} }}"), 27),
        ("mutation { deleteLogic(id: \"0195f3a0-0000-7000-8000-000000000000\") { id } }".to_owned(), 20),
        ("mutation { stopReplay(id: \"0195f3a0-0000-7000-8000-000000000000\") { id } }".to_owned(), 20),
    ] {
        assert_eq!(desk.refused(Some("acme"), &mutation, json!({})).await.0, code, "{mutation}");
    }
    assert_eq!((log(&desk, None).await, log(&desk, Some("acme")).await), before);
}

#[tokio::test]
async fn a_scripts_changes_stand_under_its_execution_user() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    desk.clock.advance(TimeDelta::milliseconds(1));
    let actor = Actor { tenant: tenant("acme"), attribution: "user:integration/shop".to_owned() };
    let (order, id) = ("Order".parse().unwrap(), "7".parse().unwrap());
    let data = Json::parse(r#"{"n":1}"#).unwrap();
    desk.director.objects().upsert(&actor, &order, &id, &data).await.unwrap();
    let entry = log(&desk, Some("acme")).await.remove(0);
    let told =
        [&entry["actor"], &entry["face"], &entry["operation"], &entry["kind"], &entry["objectId"], &entry["after"]];
    let expected = ["user:integration/shop", "SCRIPT", "createObject", "Order", "7"].map(|text| json!(text));
    assert_eq!(told[..5], expected.iter().collect::<Vec<_>>());
    assert_eq!(told[5], &json!({ "n": 1 }));
}

/// A request for `/graphql` over a connection from there.
fn from(peer: &str, token: &str, query: &str, forwarded: &str) -> Request<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    let request = Request::post("/graphql").header("authorization", format!("Bearer {token}")).header("tenant", "acme");
    let request = request.header("x-forwarded-for", forwarded).extension(ConnectInfo(peer));
    request.body(json!({ "query": query }).to_string().into()).unwrap()
}

#[tokio::test]
async fn an_entry_tells_from_where_and_through_which_face() {
    let (desk, protos) = (Desk::with_tenants().await, Protos::read());
    let create = |name: &str| format!("mutation {{ createObjectType(in: {{name: \"{name}\"}}) {{ id }} }}");
    for (peer, forwarded, expected) in [
        ("203.0.113.5:4000", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1:4000", "192.0.2.66, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("[::ffff:10.0.0.1]:4000", "198.51.100.2", "198.51.100.2"),
    ] {
        let name = format!("T{}", expected.replace('.', "_"));
        desk.send(from(peer, ADMIN, &create(&name), forwarded)).await.data();
        let entry = log(&desk, Some("acme")).await.remove(0);
        assert_eq!((&entry["address"], &entry["face"]), (&json!(expected), &json!("GRAPHQL")));
    }
    let input = json!({ "in": { "name": "OverGrpc" } });
    protos.call(&desk, (ADMIN, Some("acme")), "CreateObjectType", &input).await.unwrap();
    let entry = log(&desk, Some("acme")).await.remove(0);
    assert_eq!((&entry["face"], &entry["operation"]), (&json!("GRPC"), &json!("createObjectType")));
    let event = json!({ "specversion": "1.0", "id": "e-1", "source": "/", "type": "x.Order.create", "subject": "1",
        "data": { "objectId": "1", "new": {} } });
    let request = Request::post("/v1/events")
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("tenant", "acme")
        .header("content-type", "application/cloudevents+json");
    let answer = desk.send(request.body(event.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let entry = log(&desk, Some("acme")).await.remove(0);
    assert_eq!(
        (&entry["face"], &entry["operation"], &entry["objectId"]),
        (&json!("HTTP"), &json!("publishEvent"), &json!("e-1"))
    );
}

#[tokio::test]
async fn the_log_is_read_page_by_page_and_narrowed_under_a_scope_of_its_own() {
    let (desk, schema) = (Desk::with_tenants().await, Schema::read());
    let system = IntegrationSystemId::generate(&*desk.clock, &SystemRandomness);
    let other = desk.grant("system", ClientOwner::IntegrationSystem(system), Scope::of_integration_system());
    desk.create_type("acme", "Order").await;
    for n in 0..5 {
        desk.clock.advance(TimeDelta::minutes(10));
        let arguments = json!({ "objectType": "Order", "id": format!("{n}"), "data": { "n": n } });
        let create = schema.request("createObject", &arguments);
        desk.ask_as(if n < 3 { ADMIN } else { "system" }, Some("acme"), &create, arguments).await.data();
    }
    let found = async |filter: Value| {
        let query = "query($f: AuditFilter) { auditLog(filter: $f) { totalCount data { kind objectId } } }";
        let page = desk.ok(Some("acme"), query, json!({ "f": filter })).await["auditLog"].take();
        let ids: Vec<_> = page["data"].as_array().unwrap().iter().map(|one| text(&one["objectId"])).collect();
        assert_eq!(page["totalCount"], ids.len());
        ids
    };
    assert_eq!(found(json!({ "kind": "Order" })).await, ["4", "3", "2", "1", "0"]);
    assert_eq!(found(json!({ "kind": "Order", "objectId": "2" })).await, ["2"]);
    assert_eq!(found(json!({ "actor": format!("client:{other}") })).await, ["4", "3"]);
    assert_eq!(
        found(json!({ "kind": "Order", "from": "2026-03-01T12:20:00Z", "to": "2026-03-01T12:40:00Z" })).await,
        ["2", "1"]
    );
    assert_eq!(found(json!({ "refused": true })).await, Vec::<String>::new());
    assert_eq!(found(json!({ "refused": false })).await.len(), 6);
    let long = "x".repeat(257);
    let (code, message) = desk
        .refused(
            Some("acme"),
            "query($f: AuditFilter) { auditLog(filter: $f) { totalCount } }",
            json!({ "f": { "objectId": long } }),
        )
        .await;
    assert!(code == 22 && message.contains("filter.objectId"), "{message}");

    let page = "query($a: PageCursor) { auditLog(first: 4, after: $a, filter: {kind: \"Order\"}) { data { id objectId } pageInfo { endCursor hasNextPage } } }";
    let first = desk.ok(Some("acme"), page, json!({})).await["auditLog"].take();
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let cursor = first["pageInfo"]["endCursor"].clone();
    let arguments = json!({ "objectType": "Order", "id": "late", "data": {} });
    desk.ok(Some("acme"), &schema.request("createObject", &arguments), arguments).await;
    let second = desk.ok(Some("acme"), page, json!({ "a": cursor })).await["auditLog"].take();
    assert_eq!(second["data"].as_array().unwrap().len(), 1, "what came meanwhile moves nothing: {second}");
    assert_eq!(second["data"][0]["objectId"], "0");
    assert_eq!(desk.refused(Some("other"), page, json!({ "a": cursor })).await.0, 22, "a cursor of another tenant's");

    let one = "query($id: ID!) { auditEntry(id: $id) { objectId } }";
    let id = json!({ "id": first["data"][0]["id"] });
    assert_eq!(desk.ok(Some("acme"), one, id.clone()).await["auditEntry"]["objectId"], "4");
    assert!(desk.ok(Some("other"), one, id.clone()).await["auditEntry"].is_null());
    assert!(desk.ok(None, one, id.clone()).await["auditEntry"].is_null());

    let mut others = Scope::all();
    others.remove(&"audit_log:read".parse().unwrap());
    desk.grant("others", ClientOwner::Administrator, others);
    desk.grant_scopes("auditor", &["audit_log:read"]);
    for (query, variables) in [(page, json!({})), (one, id)] {
        let (code, message) = desk.ask_as("others", Some("acme"), query, variables.clone()).await.refusal();
        assert!(code == 23 && message.contains("audit_log:read"), "{message}");
        desk.ask_as("auditor", Some("acme"), query, variables.clone()).await.data();
        assert_eq!(
            desk.ask_as("system", None, query, variables).await.refusal().0,
            24,
            "the platform's is the operator's"
        );
    }
    let runtime = ClientOwner::Runtime(tenant("acme"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
    desk.grant("bound", runtime, Scope::all());
    assert!(desk.ask_as("bound", None, page, json!({})).await.data()["auditLog"]["data"][0].is_object());
}

/// A director that works, until it is stopped.
struct Working(CancellationToken, TaskTracker);

impl Working {
    fn start(desk: &Desk) -> Self {
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (director, token) = (desk.director.clone(), shutdown.clone());
        tasks.spawn(async move { director.run(token).await });
        tasks.close();
        Self(shutdown, tasks)
    }

    async fn stop(self) {
        self.0.cancel();
        self.1.wait().await;
    }
}

async fn refusals(desk: &Desk, of: Option<&str>) -> Vec<Value> {
    log(desk, of).await.into_iter().filter(|entry| !entry["error"].is_null()).collect()
}

#[tokio::test]
async fn who_is_refused_is_told_of_in_its_own_log_once_at_once_and_then_counted() {
    let desk = Desk::with_tenants().await;
    let working = Working::start(&desk);
    let runtime = ClientOwner::Runtime(tenant("acme"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
    let client = desk.grant("reader", runtime, ["object:read".parse().unwrap()].into());
    let create = "mutation { renamed: createObjectType(in: {name: \"Order\"}) { id } }";
    for _ in 0..5 {
        assert_eq!(desk.ask_as("reader", None, create, json!({})).await.refusal().0, 23);
    }
    eventually(async || refusals(&desk, Some("acme")).await.len() == 1).await;
    let first = refusals(&desk, Some("acme")).await.remove(0);
    let told = [&first["actor"], &first["operation"], &first["kind"], &first["objectId"], &first["error"]];
    let expected = [&format!("client:{client}"), "createObjectType", "Scope", "object:write", "InsufficientScopes"];
    assert_eq!(told, expected.map(|text| json!(text)).each_ref());
    // Those that followed within the minute.
    desk.clock.advance(TimeDelta::minutes(2));
    eventually(async || refusals(&desk, Some("acme")).await.len() == 2).await;
    let counts: Vec<_> = refusals(&desk, Some("acme")).await.iter().map(|one| one["count"].as_i64().unwrap()).collect();
    assert_eq!(counts.iter().sum::<i64>(), 5, "{counts:?}");

    assert_eq!(desk.ask_as("reader", Some("other"), "{ objectTypes { id } }", json!({})).await.refusal().0, 25);
    let found = async || {
        let all = refusals(&desk, Some("acme")).await;
        all.into_iter()
            .any(|one| one["error"] == "TenantNotFound" && one["kind"] == "Tenant" && one["objectId"] == "other")
    };
    eventually(found).await;
    assert!(refusals(&desk, Some("other")).await.is_empty(), "the other tenant hears nothing of acme's client");
    assert!(log(&desk, Some("acme")).await.iter().all(|entry| entry["error"].is_string()), "nothing was changed");
    working.stop().await;
}

#[tokio::test]
async fn a_stranger_cannot_fill_the_disk() {
    let desk = Desk::with_tenants().await;
    let working = Working::start(&desk);
    let runtime = ClientOwner::Runtime(tenant("acme"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
    desk.grant("reader", runtime, BTreeSet::new());
    for n in 0..200 {
        let peer = format!("203.0.113.{}:{}", n % 250, 1000 + n);
        let answer = desk.send(from(&peer, &format!("made-up-{n}"), "{ tenants { totalCount } }", "")).await;
        assert_eq!(answer.status, 401);
        // One that is known tries names of tenants.
        desk.ask_as("reader", Some(&format!("tenant-{n}")), "{ tenants { totalCount } }", json!({})).await.refusal();
    }
    working.stop().await;
    let (platform, acme) = (refusals(&desk, None).await, refusals(&desk, Some("acme")).await);
    assert!((1..=2).contains(&platform.len()), "{platform:#?}");
    assert!(acme.len() <= 40, "{}", acme.len());
    for (all, actor) in [(platform, "stranger"), (acme, "client:")] {
        assert!(all.iter().all(|one| text(&one["actor"]).starts_with(actor)), "{all:#?}");
        assert_eq!(all.iter().map(|one| one["count"].as_i64().unwrap()).sum::<i64>(), 200, "none is lost");
    }
}

#[tokio::test]
async fn entries_go_when_they_are_older_than_they_are_kept() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Old").await;
    desk.clock.advance(TimeDelta::hours(25));
    desk.create_type("acme", "New").await;
    let working = Working::start(&desk);
    eventually(async || log(&desk, Some("acme")).await.len() == 1).await;
    assert_eq!(log(&desk, Some("acme")).await[0]["after"]["name"], "New");
    working.stop().await;
}
