use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::{Change, Clock, Event, EventType, Json, SystemClock, changed_attributes};

fn event(change: Change) -> Event {
    Event {
        id: "e-1".parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        object_type: "Order".parse().unwrap(),
        object_id: "o 1/é".parse().unwrap(),
        change,
        time: SystemClock.now(),
    }
}

fn understood(bytes: &[u8]) -> Result<Event, String> {
    let cloud = CloudEvent::from_structured(bytes).map_err(|e| e.to_string())?;
    let (object_type, event_type) = cloud.subject_of_type().map_err(|e| e.to_string())?;
    cloud.into_event("acme".parse().unwrap(), object_type, event_type, SystemClock.now()).map_err(|e| e.to_string())
}

#[test]
fn what_the_platform_publishes_it_understands_again() {
    let json = |t: &str| Json::parse(t).unwrap();
    let changes = [
        Change::Create { new: json(r#"{"n":18446744073709551615,"x":1.10}"#) },
        Change::Update { old: json(r#"{"a":null}"#), new: json(r#"{"a":[],"b":{}}"#) },
        Change::Delete { old: json(r#"{"a":"\u00e9"}"#) },
    ];
    for change in changes {
        let event = event(change);
        let text = CloudEvent::structured(&event);
        assert_eq!(understood(text.as_str().as_bytes()), Ok(event));
    }
}

#[test]
fn each_fault_is_named() {
    let whole =
        r#"{"specversion":"1.0","id":"1","source":"/db","type":"shop.Order.create","data":{"objectId":7,"new":{}}}"#;
    assert_eq!(understood(whole.as_bytes()).unwrap().object_id.as_str(), "7");
    let cases = [
        (r#""1.0""#, r#""0.3""#, "specversion: expected \"1.0\""),
        (r#""id":"1","#, "", "id: expected 1 to 256 characters"),
        (r#""source":"/db","#, "", "source: expected"),
        ("shop.Order.create", "shop.Order.made", "type: expected"),
        ("shop.Order.create", "create", "type: expected"),
        (r#""objectId":7,"#, "", "data.objectId: expected"),
        (r#""objectId":7,"#, r#""objectId":7.5,"#, "data.objectId: expected"),
        (r#""new":{}"#, r#""new":[]"#, "data.new: expected an object"),
        (r#""new":{}"#, r#""new":null"#, "data.new: expected an object"),
        (r#""new":{}"#, r#""new":{},"old":{}"#, "data.old: expected nothing"),
        (r#"{"objectId":7,"new":{}}"#, "[]", "data: expected an object"),
        (r#""type""#, r#""time":"yesterday","type""#, "time: expected RFC 3339"),
        (r#""type""#, r#""time":"9999-12-31T23:59:60Z","type""#, "time: expected RFC 3339 in the years 1 to 9999"),
        (r#""type""#, r#""datacontenttype":"text/xml","type""#, "datacontenttype: expected"),
        ("}}}", "}}", "payload: expected JSON"),
    ];
    for (from, to, fault) in cases {
        let broken = whole.replace(from, to);
        let told = understood(broken.as_bytes()).expect_err(&broken);
        assert!(told.starts_with(fault), "{broken}\n  told {told}");
    }
}

#[test]
fn binary_mode_reads_attributes_from_headers() {
    let headers = [("specversion", "1.0"), ("id", "b1"), ("source", "/db"), ("type", "Order.delete")];
    let attribute = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    let cloud = CloudEvent::from_binary(attribute, Some("application/json"), br#"{"objectId":"x"}"#).unwrap();
    assert_eq!(cloud.subject_of_type().unwrap().1, EventType::Delete);
    let wrong = CloudEvent::from_binary(attribute, Some("text/plain"), b"{}").unwrap_err();
    assert_eq!(wrong.field, "datacontenttype");
}

#[test]
fn a_batch_is_understood_whole_or_not_at_all() {
    let one = r#"{"specversion":"1.0","id":"1","source":"/db","type":"Order.delete","data":{"objectId":"7"}}"#;
    assert_eq!(CloudEvent::from_batch(format!("[{one},{one}]").as_bytes()).unwrap().len(), 2);
    let wrong = CloudEvent::from_batch(format!("[{one},{{}}]").as_bytes()).unwrap_err();
    assert_eq!(wrong.field, "[1].specversion");
    assert_eq!(CloudEvent::from_batch(one.as_bytes()).unwrap_err().field, "payload");
}

fn state() -> impl Strategy<Value = BTreeMap<String, serde_json::Value>> {
    let value = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i64>().prop_map(Into::into),
        "[a-c]{0,2}".prop_map(Into::into),
        Just(serde_json::json!({ "deep": [1] })),
    ];
    proptest::collection::btree_map("[a-e]", value, 0..5)
}

proptest! {
    #[test]
    fn a_publisher_may_send_the_whole_former_state_or_only_what_changed(old in state(), new in state()) {
        let event = |old: &Json| {
            let data = serde_json::json!({ "objectId": "1", "old": old.to_value(), "new": new });
            let whole = serde_json::json!({ "specversion": "1.0", "id": "1", "source": "/", "type": "A.update", "data": data,
                "time": "2026-01-01T00:00:00Z" });
            understood(whole.to_string().as_bytes())
        };
        let (whole, now) = (Json::of(&old), Json::of(&new));
        let changed = changed_attributes(&whole, &now);
        for sent in [&whole, &changed] {
            let told = event(sent).unwrap().change.old_object().unwrap();
            prop_assert_eq!(told.to_value(), changed.to_value());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = understood(&bytes);
        let _ = CloudEvent::from_batch(&bytes);
    }
}
