//! Pure rules about the attributes of objects.

use serde_json::{Number, Value};
use tidegate_model::{Error, Json, ObjectId};

use crate::rules::{MAX_STATE_DEPTH, depth};

/// How many bytes of attributes an object may have: an update's event carries them twice, and has to fit in a message of the bus.
pub(super) const MAX_DATA: usize = 256 * 1024;

/// The attributes that a caller gave, without the id: an `id` that equals the object's says nothing new, another one is refused.
pub(super) fn given(data: &Json, id: &ObjectId) -> Result<Vec<(String, Json)>, Error> {
    let mut attributes = data.attributes().ok_or_else(|| Error::invalid("data", "a JSON object"))?;
    if let Some(place) = attributes.iter().position(|(key, _)| key == "id") {
        let (_, value) = attributes.remove(place);
        if value.to_value().as_str() != Some(id.as_str()) {
            return Err(Error::invalid("data.id", format!("no id, or the object's own: {id}")));
        }
    }
    Ok(attributes)
}

/// A JSON object of these attributes, each with the text it came with.
pub(super) fn assemble(attributes: &[(String, Json)]) -> Result<Json, Error> {
    let data = Json::object(attributes.iter().map(|(key, value)| (key.as_str(), value)));
    if data.as_str().len() > MAX_DATA {
        return Err(Error::invalid("data", format!("at most {} KiB in all", MAX_DATA / 1024)));
    }
    if depth(&data) > MAX_STATE_DEPTH {
        return Err(Error::invalid("data", format!("arrays and objects nested at most {MAX_STATE_DEPTH} deep")));
    }
    Ok(data)
}

/// `before` with the given top-level attributes assigned; those that it had keep their place, and the others their text.
pub(super) fn merge(before: &Json, given: Vec<(String, Json)>) -> Result<Json, Error> {
    let mut all = before.attributes().unwrap_or_default();
    let mut places: std::collections::HashMap<String, usize> =
        all.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    for (key, value) in given {
        if let Some(&place) = places.get(&key) {
            all[place].1 = value;
        } else {
            places.insert(key.clone(), all.len());
            all.push((key, value));
        }
    }
    assemble(&all)
}

/// Whether two texts mean the same JSON: the order of keys, spacing and how a number is written do not count.
pub(super) fn means_the_same(a: &Json, b: &Json) -> bool {
    a == b || same(&a.to_value(), &b.to_value())
}

/// Whether the object has each wanted attribute with that meaning.
pub(super) fn matches(data: &Json, wanted: &[(String, Value)]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let Some(attributes) = data.attributes() else { return false };
    wanted.iter().all(|(key, value)| attributes.iter().any(|(name, has)| name == key && same(&has.to_value(), value)))
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

/// Integers are compared as integers; only where one side is a double, both are.
fn same_number(a: &Number, b: &Number) -> bool {
    if a.is_f64() || b.is_f64() { a.as_f64() == b.as_f64() } else { a == b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn merging_assigns_what_is_given_and_leaves_every_other_text_alone() {
        let before = json(r#"{"price": 1.50,"big":9007199254740993,"gone":1}"#);
        let given = json(r#"{"gone":null,"more":[ 1 ]}"#).attributes().unwrap();
        let merged = merge(&before, given).unwrap();
        assert_eq!(merged.as_str(), r#"{"price":1.50,"big":9007199254740993,"gone":null,"more":[ 1 ]}"#);
    }

    #[test]
    fn an_id_among_the_attributes_is_dropped_when_it_is_the_objects_own_and_refused_otherwise() {
        let id: ObjectId = "7".parse().unwrap();
        assert_eq!(given(&json(r#"{"a":1,"id":"7"}"#), &id).unwrap().len(), 1);
        for other in [r#"{"id":"8"}"#, r#"{"id":7}"#, r#"{"id":null}"#] {
            assert!(matches!(given(&json(other), &id), Err(Error::InvalidData(_))), "{other}");
        }
        assert!(matches!(given(&json("[1]"), &id), Err(Error::InvalidData(_))));
    }

    #[test]
    fn meaning_counts_and_not_writing() {
        for (a, b) in [("1", "1.0"), (r#"{"a":1,"b":[1e2]}"#, r#"{"b":[100],"a":1}"#), (r#""é""#, r#""\u00e9""#)] {
            assert!(means_the_same(&json(a), &json(b)), "{a} {b}");
        }
        for (a, b) in [("9007199254740993", "9007199254740992"), ("1", "\"1\""), ("{}", "[]"), ("null", "{}")] {
            assert!(!means_the_same(&json(a), &json(b)), "{a} {b}");
        }
    }
}
