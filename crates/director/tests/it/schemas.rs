//! JSON Schemas: of object types, for every way that an object changes, and of what callers of an Integration send.

use serde_json::{Value, json};
use tidegate_model::contract::{Actor, ObjectAction, ObjectChange};
use tidegate_model::{Error, Json};

use crate::desk::{Desk, tenant, text};
use crate::trials::tried;

const TYPE: &str = "mutation($in: ObjectTypeInput!) { createObjectType(in: $in) { id schema } }";
const CHANGE_TYPE: &str =
    "mutation($id: ID!, $in: ObjectTypeUpdateInput!) { updateObjectType(id: $id, in: $in) { id name schema } }";
const DELETE_TYPE: &str = "mutation($id: ID!) { deleteObjectType(id: $id) { id name } }";
const CREATE: &str =
    "mutation($id: ID, $d: JSON!) { createObject(objectType: \"Order\", id: $id, data: $d) { data version } }";
const UPDATE: &str =
    "mutation($id: ID!, $d: JSON!) { updateObject(objectType: \"Order\", id: $id, data: $d) { data version } }";

fn order() -> Value {
    json!({ "type": "object", "required": ["qty"], "properties": {
        "qty": { "type": "integer", "minimum": 1 }, "lines": { "items": { "$ref": "#/$defs/line" } } },
        "$defs": { "line": { "required": ["sku"] } } })
}

/// A desk whose acme has orders of which the schema tells what they are; answers the type's id.
async fn desk() -> (Desk, String) {
    let desk = Desk::with_tenants().await;
    let made = desk.ok(Some("acme"), TYPE, json!({ "in": { "name": "Order", "schema": order() } })).await;
    assert_eq!(made["createObjectType"]["schema"], order());
    (desk, text(&made["createObjectType"]["id"]))
}

#[tokio::test]
async fn an_object_that_does_not_fit_is_refused_with_the_places_and_without_the_values() {
    let (desk, _) = desk().await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": { "qty": 1, "lines": [{ "sku": "a" }] } })).await;
    let wrong = json!({ "id": "2", "d": { "qty": "hunter2", "lines": [{}, { "sku": 1 }, { "hunter2": 1 }] } });
    let (code, message) = desk.refused(Some("acme"), CREATE, wrong).await;
    assert_eq!(code, 22);
    for told in
        ["data/qty: expected an integer", "data/lines/0: expected the property \"sku\"", "data/lines/2: expected"]
    {
        assert!(message.contains(told), "{told}: {message}");
    }
    assert!(!message.contains("hunter2"), "{message}");
    // What an update leaves is checked with what it assigns.
    for wrong in [json!({ "qty": 0 }), json!({ "lines": [{}] })] {
        let (code, message) = desk.refused(Some("acme"), UPDATE, json!({ "id": "1", "d": wrong })).await;
        assert_eq!((code, message.contains("data/")), (22, true), "{message}");
    }
    let updated = desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": { "note": "x" } })).await;
    assert_eq!(updated["updateObject"]["version"], 2);
    assert_eq!(desk.committed().await.len(), 2, "what is refused has no event");
}

#[tokio::test]
async fn many_misfits_are_told_in_part() {
    let (desk, _) = desk().await;
    let lines: Vec<_> = (0..500).map(|n| json!({ "n": n })).collect();
    let (_, message) = desk.refused(Some("acme"), CREATE, json!({ "d": { "qty": 1, "lines": lines } })).await;
    assert_eq!(message.matches("expected the property").count(), 20, "{message}");
}

#[tokio::test]
async fn scripts_are_held_to_it_in_trials_and_in_transactions_too() {
    let (desk, _) = desk().await;
    for call in [
        "objects.create('Order', { qty = 'hunter2' })",
        "objects.upsert('Order', 'o', { qty = 'hunter2' })",
        "objects.create('Order', { qty = 1 }, 'o') objects.update('Order', 'o', { qty = 'hunter2' })",
        "objects.transaction(function() objects.create('Order', { qty = 'hunter2' }) end)",
    ] {
        let source = format!("{call} return {{}}");
        let done = tried(&desk, json!({ "source": source, "type": "INCOMING", "sample": {} })).await;
        let error = done["error"].as_str().unwrap_or_else(|| panic!("{call}: {done}"));
        assert!(error.contains("data/qty: expected an integer") && !error.contains("hunter2"), "{call}: {error}");
    }
    let fine = "objects.transaction(function() objects.create('Order', { qty = 2 }) end) return {}";
    let done = tried(&desk, json!({ "source": fine, "type": "INCOMING", "sample": {} })).await;
    assert_eq!((&done["status"], done["changes"].as_array().unwrap().len()), (&json!("SUCCESS"), 1), "{done}");

    let objects = desk.director.objects();
    let actor = Actor { tenant: tenant("acme"), attribution: "user:integration/shop".to_owned() };
    let change = |id: &str, text: &str| ObjectChange {
        object_type: "Order".parse().unwrap(),
        id: id.parse().unwrap(),
        base: None,
        action: ObjectAction::Assign(Json::parse(text).unwrap()),
    };
    let refused = objects.apply(&actor, &[change("a", r#"{"qty":1}"#), change("b", "{}")]).await;
    let Err(Error::InvalidData(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations[0].field, "Order b: data");
    assert!(desk.committed().await.is_empty(), "none of them was made");
}

#[tokio::test]
async fn a_schema_is_replaced_and_objects_that_are_there_are_checked_when_they_change_next() {
    let (desk, id) = desk().await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "1", "d": { "qty": 1 } })).await;
    let stricter = json!({ "required": ["qty", "state"] });
    let changed = desk.ok(Some("acme"), CHANGE_TYPE, json!({ "id": id, "in": { "schema": stricter } })).await;
    assert_eq!(changed["updateObjectType"], json!({ "id": id, "name": "Order", "schema": stricter }));
    let read = "{ object(objectType: \"Order\", id: \"1\") { version } }";
    assert_eq!(desk.ok(Some("acme"), read, json!({})).await["object"]["version"], 1);
    assert_eq!(desk.refused(Some("acme"), UPDATE, json!({ "id": "1", "d": { "qty": 2 } })).await.0, 22);
    desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": { "state": "open" } })).await;

    let wrong = json!({ "id": id, "in": { "schema": { "type": "no type" } } });
    let (code, message) = desk.refused(Some("acme"), CHANGE_TYPE, wrong).await;
    assert!(code == 22 && message.contains("in.schema") && message.contains("/type"), "{message}");
    assert_eq!(desk.refused(Some("other"), CHANGE_TYPE, json!({ "id": id, "in": {} })).await.0, 20);
    assert_eq!(desk.refused(Some("other"), DELETE_TYPE, json!({ "id": id })).await.0, 20);
    assert_eq!(desk.refused(Some("acme"), DELETE_TYPE, json!({ "id": id })).await.0, 27, "there are objects of it");

    let changed = desk.ok(Some("acme"), CHANGE_TYPE, json!({ "id": id, "in": {} })).await;
    assert_eq!(changed["updateObjectType"]["schema"], Value::Null);
    desk.ok(Some("acme"), UPDATE, json!({ "id": "1", "d": { "qty": "any" } })).await;
    desk.ok(Some("acme"), "mutation { deleteObject(objectType: \"Order\", id: \"1\") { id } }", json!({})).await;
    let deleted = desk.ok(Some("acme"), DELETE_TYPE, json!({ "id": id })).await;
    assert_eq!(deleted["deleteObjectType"]["name"], "Order");
    assert_eq!(desk.refused(Some("acme"), CREATE, json!({ "d": {} })).await.0, 20);
}

#[tokio::test]
async fn what_is_no_schema_is_refused_when_it_is_saved() {
    let desk = Desk::with_tenants().await;
    for schema in [
        json!([1]),
        json!({ "type": "no type" }),
        json!({ "$ref": "https://example.com/other.json" }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!({ "pattern": "(" }),
        json!({ "$comment": "x".repeat(70_000) }),
    ] {
        let (code, message) =
            desk.refused(Some("acme"), TYPE, json!({ "in": { "name": "X", "schema": schema } })).await;
        assert!(code == 22 && message.contains("in.schema"), "{message}");
    }
}

const INTEGRATION: &str =
    "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id incoming { bodySchema checkBody } } }";
const UPDATE_INTEGRATION: &str = "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) { incoming { bodySchema checkBody } } }";

#[tokio::test]
async fn an_integration_keeps_the_schema_of_its_callers_and_whether_it_is_checked() {
    let desk = Desk::with_tenants().await;
    let logic = desk.create_logic("acme", "core", "CORE").await;
    let input = |incoming: Value| {
        json!({ "in": { "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic,
        "incoming": incoming } })
    };
    for (incoming, field) in [
        (json!({ "bodySchema": { "type": 1 } }), "in.incoming.bodySchema"),
        (json!({ "bodySchema": { "$ref": "http://10.0.0.1/" }, "checkBody": true }), "in.incoming.bodySchema"),
        (json!({ "checkBody": true }), "in.incoming.checkBody"),
    ] {
        let (code, message) = desk.refused(Some("acme"), INTEGRATION, input(incoming)).await;
        assert!(code == 22 && message.contains(field), "{field}: {message}");
    }
    let incoming = json!({ "bodySchema": order(), "checkBody": true });
    let made = desk.ok(Some("acme"), INTEGRATION, input(incoming.clone())).await["createIntegration"].take();
    assert_eq!(made["incoming"], incoming);
    let again = json!({ "id": made["id"], "in": { "httpMethod": "POST", "active": true, "coreLogicID": logic,
        "incoming": { "bodySchema": order() } } });
    let changed = desk.ok(Some("acme"), UPDATE_INTEGRATION, again).await;
    assert_eq!(changed["updateIntegration"]["incoming"], json!({ "bodySchema": order(), "checkBody": false }));
    let without = json!({ "id": made["id"], "in": { "httpMethod": "POST", "active": true, "coreLogicID": logic } });
    let changed = desk.ok(Some("acme"), UPDATE_INTEGRATION, without).await;
    assert_eq!(changed["updateIntegration"]["incoming"], json!({ "bodySchema": null, "checkBody": false }));

    let outgoing = json!({ "in": { "name": "out", "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic,
        "url": "http://sink.example/", "subscriptions": [{ "objectType": "Order", "eventType": "CREATE" }],
        "incoming": { "bodySchema": {} } } });
    assert!(desk.refused(Some("acme"), INTEGRATION, outgoing).await.1.contains("in.incoming"));
}
