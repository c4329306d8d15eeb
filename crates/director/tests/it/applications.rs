use serde_json::json;
use tidegate_model::{Change, EventType};

use crate::desk::{Desk, text};

#[tokio::test]
async fn an_application_is_registered_replaced_and_unregistered_each_with_its_event() {
    let desk = Desk::with_tenants().await;
    let register = "mutation($in: ApplicationInput!) { registerApplication(in: $in) { id name labels createdAt updatedAt auths { id } } }";
    let input = json!({ "in": { "name": "shop", "providerName": "us", "baseUrl": "https://shop.example", "labels": { "tier": ["a", 1] } } });
    let made = desk.ok(Some("acme"), register, input).await["registerApplication"].clone();
    assert_eq!(made["labels"], json!({ "tier": ["a", 1] }));
    let id = made["id"].clone();
    assert_eq!(desk.refused(Some("acme"), register, json!({ "in": { "name": "shop" } })).await.0, 21);
    desk.ok(Some("other"), register, json!({ "in": { "name": "shop" } })).await;

    desk.clock.advance(chrono::TimeDelta::seconds(1));
    let update = "mutation($id: ID!, $in: ApplicationInput!) { updateApplication(id: $id, in: $in) { name providerName labels createdAt updatedAt } }";
    let updated = desk.ok(Some("acme"), update, json!({ "id": id, "in": { "name": "store" } })).await;
    assert_eq!(
        updated["updateApplication"],
        json!({ "name": "store", "providerName": null, "labels": {}, "createdAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:01Z" })
    );
    desk.ok(Some("acme"), update, json!({ "id": id, "in": { "name": "store" } })).await;
    desk.ok(Some("acme"), "mutation($id: ID!) { unregisterApplication(id: $id) { name } }", json!({ "id": id })).await;
    let read = desk.ok(Some("acme"), "query($id: ID!) { application(id: $id) { id } }", json!({ "id": id })).await;
    assert!(read["application"].is_null());

    let events: Vec<_> = desk.committed().await.into_iter().filter(|e| e.tenant.as_str() == "acme").collect();
    let kinds: Vec<_> = events.iter().map(|e| e.change.event_type()).collect();
    assert_eq!(
        kinds,
        [EventType::Create, EventType::Update, EventType::Delete],
        "an update that changes nothing is none"
    );
    assert!(events.iter().all(|e| e.object_type.as_str() == "Application" && json!(e.object_id) == id));
    let Change::Update { .. } = &events[1].change else { panic!() };
    let changed = events[1].change.old_object().unwrap().to_value();
    assert_eq!(
        changed,
        json!({ "name": "shop", "providerName": "us", "baseUrl": "https://shop.example", "labels": { "tier": ["a", 1] } })
    );
}

#[tokio::test]
async fn an_integration_system_that_there_is_not_cannot_be_linked() {
    let desk = Desk::with_tenants().await;
    let register = "mutation($in: ApplicationInput!) { registerApplication(in: $in) { id } }";
    for unknown in ["x", "0195f3a0-0000-7000-8000-000000000000"] {
        let input = json!({ "in": { "name": "a", "integrationSystemID": unknown } });
        assert_eq!(desk.refused(Some("acme"), register, input).await.0, 20, "{unknown}");
    }
    let none = desk.ok(Some("acme"), "{ applications { totalCount } }", json!({})).await;
    assert_eq!(none["applications"]["totalCount"], 0);
}

#[tokio::test]
async fn inputs_are_checked_and_told_by_field() {
    let desk = Desk::with_tenants().await;
    let register = "mutation($in: ApplicationInput!) { registerApplication(in: $in) { id } }";
    for (field, input) in [
        ("in.name", json!({ "name": "" })),
        ("in.name", json!({ "name": "a\nb" })),
        ("in.baseUrl", json!({ "name": "a", "baseUrl": "ftp://x" })),
        ("in.labels", json!({ "name": "a", "labels": [1] })),
    ] {
        let (code, message) = desk.refused(Some("acme"), register, json!({ "in": input })).await;
        assert_eq!((code, message.contains(field)), (22, true), "{field}: {message}");
    }
}

#[tokio::test]
async fn a_runtimes_credentials_are_its_own_and_end_with_it() {
    let desk = Desk::with_tenants().await;
    let made = desk.ok(Some("acme"), "mutation { registerRuntime(in: {name: \"r\"}) { id } }", json!({})).await;
    let id = made["registerRuntime"]["id"].clone();
    let request = "mutation($id: ID!) { requestClientCredentialsForRuntime(id: $id) { id type referenceObjectId auth { credential { ... on OAuthCredentialData { clientSecret } } } } }";
    let auth = desk.ok(Some("acme"), request, json!({ "id": id })).await["requestClientCredentialsForRuntime"].clone();
    assert_eq!((&auth["type"], &auth["referenceObjectId"]), (&json!("RUNTIME"), &id));
    assert!(auth["auth"]["credential"]["clientSecret"].is_string());
    let client = text(&auth["id"]).parse().unwrap();
    let kept = desk.store.client(client).await.unwrap().unwrap();
    assert_eq!(kept.owner.tenant().unwrap().as_str(), "acme");

    let delete = "mutation($id: ID!) { deleteSystemAuthForApplication(id: $id) { id } }";
    assert_eq!(desk.refused(Some("acme"), delete, json!({ "id": auth["id"] })).await.0, 20, "not an Application's");
    let delete = "mutation($id: ID!) { deleteSystemAuthForRuntime(id: $id) { id } }";
    assert_eq!(desk.refused(Some("other"), delete, json!({ "id": auth["id"] })).await.0, 20, "not this tenant's");
    assert!(desk.store.client(client).await.unwrap().is_some());
    desk.ok(Some("acme"), "mutation($id: ID!) { unregisterRuntime(id: $id) { id } }", json!({ "id": id })).await;
    assert!(desk.store.client(client).await.unwrap().is_none());
}
