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

/// Exactly: an integer is not made a double first, which beyond 2^53 would be that of its neighbours too.
fn same_number(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64() == b.as_f64(),
        (Some(integer), None) => is(b, integer),
        (None, Some(integer)) => is(a, integer),
    }
}

/// Whether a double is this integer, by the digits that it is written with.
fn is(double: &Number, integer: i128) -> bool {
    double.as_f64().is_some_and(|double| format!("{double}").parse() == Ok(integer))
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
        for (a, b) in [
            ("1", "1.0"),
            ("0", "-0"),
            ("9007199254740992", "9.007199254740992e15"),
            (r#"{"a":1,"b":[1e2]}"#, r#"{"b":[100],"a":1}"#),
            (r#""é""#, r#""\u00e9""#),
        ] {
            assert!(means_the_same(&json(a), &json(b)), "{a} {b}");
        }
        let different = [
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993", "9007199254740992.0"),
            ("18446744073709551615", "1.8446744073709552e19"),
            ("0", "0.5"),
            ("1", "\"1\""),
            ("{}", "[]"),
            ("null", "{}"),
        ];
        for (a, b) in different {
            assert!(!means_the_same(&json(a), &json(b)), "{a} {b}");
        }
    }
}
