//! What scripts see of a domain event.

use std::sync::Arc;

use serde_json::json;
use tidegate_model::{Change, Outcome, SkipReason};

use crate::harness::{Definition, engine, event, json as text, noon, outgoing, succeeded};

const SEEN: &str = "return { object = object, oldObject = oldObject, newObject = newObject, objectType = objectType.name, eventType = eventType }";

#[tokio::test]
async fn each_kind_of_change_has_its_own_variables() {
    let engine = engine();
    let cases = [
        (
            Change::Create { new: text(r#"{"qty":1}"#) },
            json!({"object": {"id": "o-1", "qty": 1}, "newObject": {"id": "o-1", "qty": 1}, "objectType": "Order", "eventType": "CREATE"}),
        ),
        (
            Change::Update {
                old: text(r#"{"qty":1,"note":null,"same":[]}"#),
                new: text(r#"{"qty":2,"note":"x","same":[]}"#),
            },
            json!({
                "object": {"id": "o-1", "qty": 2, "note": "x", "same": []},
                "newObject": {"id": "o-1", "qty": 2, "note": "x", "same": []},
                "oldObject": {"qty": 1, "note": null}, "objectType": "Order", "eventType": "UPDATE",
            }),
        ),
        (
            Change::Delete { old: text(r#"{"qty":2}"#) },
            json!({"object": {"id": "o-1", "qty": 2}, "oldObject": {"qty": 2}, "objectType": "Order", "eventType": "DELETE"}),
        ),
    ];
    for (change, expected) in cases {
        let done = engine.run_outgoing(&Arc::new(outgoing(SEEN)), &event(change), noon()).await;
        assert_eq!(succeeded(&done), expected);
    }
}

#[tokio::test]
async fn variables_of_the_other_direction_are_not_there() {
    let engine = engine();
    let core = "return { none = headers == nil and parameters == nil and rawBody == nil and requestUrl == nil and requestTime == nil,
        url = integration.url, type = integration.type }";
    let change = Change::Create { new: text("{}") };
    let done = engine.run_outgoing(&Arc::new(outgoing(core)), &event(change), noon()).await;
    assert_eq!(succeeded(&done), json!({"none": true, "url": "https://third.example/hook", "type": "OUTGOING"}));
}

#[tokio::test]
async fn enable_logic_decides_by_the_event() {
    let engine = engine();
    let definition = Arc::new(outgoing("return {}").enabled_by("return { result = newObject.qty > 5 }"));
    for (qty, enabled) in [(3, false), (9, true)] {
        let change = Change::Create { new: text(&format!(r#"{{"qty":{qty}}}"#)) };
        let done = engine.run_outgoing(&definition, &event(change), noon()).await;
        assert_eq!(done.outcome == Outcome::Skipped(SkipReason::NotEnabled), !enabled);
    }
}
