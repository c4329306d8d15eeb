//! The audit log: every change leaves its entry, and so does who was refused.

mod refusals;
mod walk;

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::contract::Actor;
use tidegate_model::{ClientOwner, IntegrationSystemId, Json, RuntimeId, Scope, SystemRandomness};

use crate::desk::{ADMIN, Desk, tenant, text};
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;

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
    let count = "query($f: AuditFilter) { auditLog(filter: $f) { totalCount } }";
    for field in ["actor", "kind", "objectId"] {
        for (text, rule) in [("ä".repeat(257), "at most 256 characters"), ("\0".to_owned(), "no NUL characters")] {
            let refused = desk.refused(Some("acme"), count, json!({ "f": { field: text } })).await;
            assert_eq!(refused, (22, format!("invalid data: filter.{field}: expected {rule}")));
        }
        desk.ok(Some("acme"), count, json!({ "f": { field: "ä".repeat(256) } })).await;
    }

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
