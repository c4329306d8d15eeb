//! Pure rules about the attributes of objects: what assigning them makes, and when two states mean the same.

use std::collections::HashMap;

use serde_json::{Number, Value};

use crate::{Error, Json, Object};

/// `before` with the given top-level attributes assigned; those that it had keep their place, and the others their text.
pub fn assigned(before: &Json, given: Vec<(String, Json)>) -> Json {
    let mut all = before.attributes().unwrap_or_default();
    let mut places: HashMap<String, usize> =
        all.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    for (key, value) in given {
        if let Some(&place) = places.get(&key) {
            all[place].1 = value;
        } else {
            places.insert(key.clone(), all.len());
            all.push((key, value));
        }
    }
    Json::object(all.iter().map(|(key, value)| (key.as_str(), value)))
}

/// Whether two texts mean the same JSON: the order of keys, spacing and how a number is written do not count.
pub fn means_the_same(a: &Json, b: &Json) -> bool {
    a == b || same(&a.to_value(), &b.to_value())
}

impl Object {
    /// Whether it has each wanted attribute with that meaning. Its id is one of them, as whoever reads it sees it.
    pub fn matches(&self, wanted: &[(String, Value)]) -> bool {
        if wanted.is_empty() {
            return true;
        }
        let Some(attributes) = self.data.attributes() else { return false };
        wanted.iter().all(|(key, value)| match key.as_str() {
            "id" => value.as_str() == Some(self.id.as_str()),
            key => attributes.iter().any(|(name, has)| name == key && same(&has.to_value(), value)),
        })
    }

    /// The object on the version that a caller expects; `InvalidOperation` on another one.
    pub fn at_version(self, expected: Option<i32>) -> Result<Self, Error> {
        match expected {
            Some(version) if version != self.version => Err(Error::InvalidOperation(format!(
                "{} {} is at version {}, not at {version}",
                self.object_type, self.id, self.version
            ))),
            _ => Ok(self),
        }
    }
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
    fn assigning_changes_what_is_given_and_leaves_every_other_text_alone() {
        let before = json(r#"{"price": 1.50,"big":9007199254740993,"gone":1}"#);
        let given = json(r#"{"gone":null,"more":[ 1 ]}"#).attributes().unwrap();
        assert_eq!(
            assigned(&before, given).as_str(),
            r#"{"price":1.50,"big":9007199254740993,"gone":null,"more":[ 1 ]}"#
        );
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
