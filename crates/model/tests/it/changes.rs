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

#[test]
fn a_number_that_is_written_differently_has_not_changed() {
    let (old, new) =
        (json(r#"{"a":1.0,"b":1e2,"e":-0,"in":[{"x":1.50}]}"#), json(r#"{"a":1,"b":100,"e":0,"in":[{"x":1.5}]}"#));
    assert_eq!(changed_attributes(&old, &new).as_str(), "{}");
    assert_eq!(changed_attributes(&new, &old).as_str(), "{}");
    let old = json(r#"{"near":9007199254740993,"max":18446744073709551615,"min":-9223372036854775808}"#);
    let new = json(r#"{"near":9007199254740992.0,"max":18446744073709551614,"min":-9223372036854775807}"#);
    assert_eq!(changed_attributes(&old, &new), old);
    assert_eq!(changed_attributes(&new, &old), new);
}

fn state() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let value = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
    proptest::collection::btree_map("[a-e]", value, 0..5)
}

proptest! {
    #[test]
    fn an_integer_is_the_same_as_a_decimal_and_as_no_neighbour(n in -(1_i64 << 53)..(1 << 53), large in any::<i64>()) {
        let of = |text: String| json(&format!("{{\"n\":{text}}}"));
        let changed = |a: String, b: String| changed_attributes(&of(a), &of(b)) != Json::empty_object();
        let written = [format!("{n}.00"), format!("{n}e0")].map(|text| changed(n.to_string(), text.clone()) || changed(text, n.to_string()));
        prop_assert_eq!(written, [false, false]);
        let next = format!("{}.0", n + 1);
        prop_assert!(changed(n.to_string(), next));
        prop_assert!(changed(large.to_string(), large.wrapping_add(1).to_string()));
    }

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
