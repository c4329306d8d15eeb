use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use tidegate_model::{Change, Json, changed_attributes, former_state};

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn an_update_tells_only_what_changed_with_its_former_value() {
    let old = json(r#"{"state":"open","title":"Leak","owner":null,"n":1}"#);
    let new = json(r#"{"state":"closed","title":"Leak","owner":"ada","n":1}"#);
    assert_eq!(changed_attributes(&old, &new).as_str(), r#"{"state":"open","owner":null}"#);
}

#[test]
fn an_attribute_that_is_gone_has_changed_and_spelling_has_not() {
    let old = json(r#"{"gone":1,"same":"\u00e9","deep":{"a":1,"b":2}}"#);
    let new = json(r#"{"same":"é","deep":{"b":2,"a":1}}"#);
    assert_eq!(changed_attributes(&old, &new).as_str(), r#"{"gone":1}"#);
}

#[test]
fn an_added_attribute_is_told_as_formerly_null() {
    let (old, new) = (json(r#"{"a":1}"#), json(r#"{"a":1,"b":2}"#));
    let change = Change::Update { old: former_state(&old, &new), new };
    assert_eq!(change.old_object().unwrap().as_str(), r#"{"b":null}"#);
}

fn state() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let value = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
    proptest::collection::btree_map("[a-e]", value, 0..5)
}

proptest! {
    #[test]
    fn exactly_the_differing_attributes_are_told(old in state(), new in state()) {
        let told = changed_attributes(&Json::of(&old), &Json::of(&new)).to_value();
        for (key, value) in &old {
            prop_assert_eq!(told.get(key), (new.get(key) != Some(value)).then_some(value));
        }
        prop_assert!(told.as_object().unwrap().keys().all(|k| old.contains_key(k)));
    }

    #[test]
    fn a_partial_former_state_tells_the_same(old in state(), new in state()) {
        let (old, new) = (Json::of(&old), Json::of(&new));
        let partial = changed_attributes(&old, &new);
        prop_assert_eq!(changed_attributes(&partial, &new).to_value(), partial.to_value());
    }
}
