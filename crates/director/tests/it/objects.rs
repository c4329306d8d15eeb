use serde_json::json;
use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::{Change, EventType};

use crate::desk::{Desk, text};

const CREATE: &str = "mutation($id: ID, $d: JSON!) { createObject(objectType: \"Order\", id: $id, data: $d) { id objectType data version createdAt updatedAt createdBy updatedBy } }";
const UPDATE: &str = "mutation($id: ID!, $d: JSON!, $v: Int) { updateObject(objectType: \"Order\", id: $id, data: $d, ifVersion: $v) { data version updatedAt updatedBy } }";
const DELETE: &str =
    "mutation($id: ID!, $v: Int) { deleteObject(objectType: \"Order\", id: $id, ifVersion: $v) { data version } }";
const READ: &str = "query($id: ID!) { object(objectType: \"Order\", id: $id) { data version } }";

async fn desk() -> Desk {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    desk
}

#[tokio::test]
async fn an_object_lives_and_each_change_is_a_version_with_its_event() {
    let desk = desk().await;
    let client = desk.grant("app", tidegate_model::ClientOwner::Administrator, tidegate_model::Scope::all());
    let answer =
        desk.ask_as("app", Some("acme"), CREATE, json!({ "id": "o-1", "d": { "qty": 1, "note": null } })).await;
    let by = format!("client:{client}");
    assert_eq!(
        answer.data()["createObject"],
        json!({
            "id": "o-1", "objectType": "Order", "data": { "qty": 1, "note": null }, "version": 1, "createdBy": by, "updatedBy": by,
            "createdAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:00Z",
        })
    );
    desk.clock.advance(chrono::TimeDelta::seconds(1));
    let updated = desk.ok(Some("acme"), UPDATE, json!({ "id": "o-1", "d": { "qty": 2, "tag": "x" } })).await;
    assert_eq!(updated["updateObject"]["data"], json!({ "qty": 2, "note": null, "tag": "x" }));
    assert_eq!(updated["updateObject"]["version"], 2);
    assert_eq!(updated["updateObject"]["updatedAt"], "2026-03-01T12:00:01Z");
    assert_ne!(updated["updateObject"]["updatedBy"], json!(by));
    let deleted = desk.ok(Some("acme"), DELETE, json!({ "id": "o-1" })).await;
    assert_eq!(deleted["deleteObject"], json!({ "data": { "qty": 2, "note": null, "tag": "x" }, "version": 2 }));
    assert!(desk.ok(Some("acme"), READ, json!({ "id": "o-1" })).await["object"].is_null());

    let events = desk.committed().await;
    let kinds: Vec<_> = events.iter().map(|e| e.change.event_type()).collect();
    assert_eq!(kinds, [EventType::Create, EventType::Update, EventType::Delete]);
    assert!(events.iter().all(|e| e.object_type.as_str() == "Order" && e.object_id.as_str() == "o-1"));
    assert_eq!(
        events[1].change.old_object().unwrap().to_value(),
        json!({ "qty": 1, "tag": null }),
        "what changed, and was added"
    );
    let Change::Delete { old } = &events[2].change else { panic!() };
    assert_eq!(old.to_value(), json!({ "qty": 2, "note": null, "tag": "x" }));
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_version_and_no_event() {
    let desk = desk().await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": { "a": { "x": 1, "y": [2] } } })).await;
    for same in [json!({ "a": { "y": [2.0], "x": 1 } }), json!({}), json!({ "id": "1" })] {
        let after = desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": same })).await;
        assert_eq!(after["updateObject"]["version"], 1, "{same}");
    }
    assert_eq!(desk.committed().await.len(), 1);
}

#[tokio::test]
async fn json_comes_back_unchanged() {
    let desk = desk().await;
    let data = json!({
        "big": 9_007_199_254_740_993_i64, "max": u64::MAX, "min": i64::MIN, "float": 1.0, "tiny": 5e-324, "none": null, "list": [], "map": {},
        "unicode": "ä\u{1F600}\u{0} \"\\", "": "empty key", "deep": [[[{ "a": [true, false] }]]],
    });
    desk.ok(Some("acme"), CREATE, json!({ "id": "j", "d": data })).await;
    let read = desk.ok(Some("acme"), READ, json!({ "id": "j" })).await["object"]["data"].clone();
    assert_eq!(read, data);
    assert_eq!(read["float"].to_string(), "1.0", "a float stays one");
    let literal = "mutation { createObject(objectType: \"Order\", id: \"l\", data: {a: [1, 2.5, null, {b: \"c\"}], e: WORD}) { data } }";
    let made = desk.ok(Some("acme"), literal, json!({})).await;
    assert_eq!(made["createObject"]["data"], json!({ "a": [1, 2.5, null, { "b": "c" }], "e": "WORD" }));
}

#[tokio::test]
async fn versions_guard_against_lost_updates() {
    let desk = desk().await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": { "a": 1 } })).await;
    desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": { "a": 2 }, "v": 1 })).await;
    assert_eq!(desk.refused(Some("acme"), UPDATE, json!({ "id": "1", "d": { "a": 3 }, "v": 1 })).await.0, 27);
    assert_eq!(desk.refused(Some("acme"), DELETE, json!({ "id": "1", "v": 1 })).await.0, 27);
    let read = desk.ok(Some("acme"), READ, json!({ "id": "1" })).await;
    assert_eq!(read["object"], json!({ "data": { "a": 2 }, "version": 2 }));
    desk.ok(Some("acme"), DELETE, json!({ "id": "1", "v": 2 })).await;
}

#[tokio::test]
async fn many_writers_of_one_object_lose_nothing() {
    let desk = desk().await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": {} })).await;
    let writes = (0..20).map(|i| {
        let attribute = format!("a{i}");
        let desk = &desk;
        async move { desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": { attribute: i } })).await }
    });
    futures::future::join_all(writes).await;
    let read = desk.ok(Some("acme"), READ, json!({ "id": "1" })).await["object"].clone();
    assert_eq!(read["version"], 21);
    assert_eq!(read["data"].as_object().unwrap().len(), 20);
    let versions = desk.committed().await;
    let sizes: Vec<_> = versions.iter().map(|e| e.change.object().to_value().as_object().unwrap().len()).collect();
    assert_eq!(sizes, (0..=20).collect::<Vec<_>>(), "events in the order of the changes");
}

#[tokio::test]
async fn ids_are_unique_kept_out_of_the_data_and_made_when_absent() {
    let desk = desk().await;
    let made = desk.ok(Some("acme"), CREATE, json!({ "d": { "a": 1 } })).await["createObject"].clone();
    assert_eq!(text(&made["id"]).len(), 36);
    let kept =
        desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": { "id": "1", "a": 1 } })).await["createObject"].clone();
    assert_eq!(kept["data"], json!({ "a": 1 }));
    assert_eq!(desk.refused(Some("acme"), CREATE, json!({ "id": "1", "d": {} })).await.0, 21);
    let nested = |depth: usize| (1..depth).fold(json!([]), |inner, _| json!([inner]));
    desk.ok(Some("acme"), CREATE, json!({ "id": "deep", "d": { "a": nested(55) } })).await;
    for (field, variables) in [
        ("data", json!({ "id": "2", "d": { "a": nested(56) } })),
        ("data.id", json!({ "id": "2", "d": { "id": "3" } })),
        ("data", json!({ "id": "2", "d": [1] })),
        ("data", json!({ "id": "2", "d": "text" })),
        ("data", json!({ "id": "2", "d": { "big": "x".repeat(256 * 1024) } })),
        ("id", json!({ "id": "", "d": {} })),
        ("id", json!({ "id": "a\nb", "d": {} })),
    ] {
        let (code, message) = desk.refused(Some("acme"), CREATE, variables).await;
        assert_eq!((code, message.contains(field)), (22, true), "{field}: {message}");
    }
    for event in desk.committed().await {
        let sent = CloudEvent::structured(&event);
        assert!(CloudEvent::from_structured(sent.as_str().as_bytes()).is_ok(), "what was accepted can be read: {sent}");
    }
    assert_eq!(desk.refused(Some("acme"), UPDATE, json!({ "id": "nope", "d": {} })).await.0, 20);
    assert_eq!(desk.refused(Some("acme"), DELETE, json!({ "id": "" })).await.0, 20);
}

#[tokio::test]
async fn object_types_are_unique_named_by_the_rule_and_not_built_in() {
    let desk = desk().await;
    let create = "mutation($n: String!, $s: JSON) { createObjectType(in: {name: $n, schema: $s}) { name schema } }";
    let made = desk.ok(Some("acme"), create, json!({ "n": "Account", "s": { "type": "object" } })).await;
    assert_eq!(made["createObjectType"], json!({ "name": "Account", "schema": { "type": "object" } }));
    assert_eq!(desk.refused(Some("acme"), create, json!({ "n": "Order" })).await.0, 21);
    for bad in ["", "1a", "a b", "Application", "Integration", "ObjectType", &"x".repeat(65)] {
        assert!(desk.refused(Some("acme"), create, json!({ "n": bad })).await.1.contains("in.name"), "{bad}");
    }
    assert!(desk.refused(Some("acme"), create, json!({ "n": "X", "s": [1] })).await.1.contains("in.schema"));
    let list = desk.ok(Some("acme"), "{ objectTypes { name } }", json!({})).await;
    assert_eq!(list["objectTypes"], json!([{ "name": "Account" }, { "name": "Order" }]));

    assert_eq!(desk.refused(Some("acme"), "{ objects(objectType: \"Nope\") { totalCount } }", json!({})).await.0, 20);
    let unknown = "mutation { createObject(objectType: \"no such\", data: {}) { id } }";
    assert_eq!(desk.refused(Some("acme"), unknown, json!({})).await.0, 20);
    assert_eq!(desk.refused(Some("other"), CREATE, json!({ "d": {} })).await.0, 20, "types are per tenant");
}
