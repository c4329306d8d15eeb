//! JSON as text that is known to be valid: what a caller sent stays what the caller sent.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// How deeply arrays and objects may be nested in anything that enters.
pub const MAX_DEPTH: usize = 64;

/// A valid JSON text, nested at most [`MAX_DEPTH`] deep, cheap to clone.
///
/// Numbers, key order and spacing stay as they were written (64-bit integers do not become doubles). Equality is that of the text;
/// compare [`Json::to_value`]s where meaning counts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

/// Why a text is not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidJson(String);

impl Json {
    /// Accepts `text` when it is valid JSON (RFC 8259) within the depth limit.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, InvalidJson> {
        let text = text.into();
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        DeserializeSeed::deserialize(Checked(0), &mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|e| InvalidJson(e.to_string()))?;
        Ok(Self(text))
    }

    /// Accepts bytes when they are UTF-8 and valid JSON.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, InvalidJson> {
        let text = std::str::from_utf8(bytes).map_err(|e| InvalidJson(format!("not UTF-8: {e}")))?;
        Self::parse(text)
    }

    /// Takes text that is known to be valid JSON because this platform wrote it.
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The JSON of a value of ours; such values always have one.
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()).into())
    }

    /// `{}`.
    pub fn empty_object() -> Self {
        Self::trusted("{}")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the outermost value is an object.
    pub fn is_object(&self) -> bool {
        self.0.trim_start().starts_with('{')
    }

    /// The value; numbers that fit neither 64-bit integers nor doubles lose digits here, and only here.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }

    /// The top-level attributes with their exact texts, in the order written; `None` when this is no object. A key that comes twice
    /// counts with its last value.
    pub fn attributes(&self) -> Option<Vec<(String, Json)>> {
        struct Attributes;
        impl<'de> Visitor<'de> for Attributes {
            type Value = Vec<(String, Json)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all: Vec<(String, Json)> = Vec::new();
                let mut places = std::collections::HashMap::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    let value = Json(value.get().into());
                    if let Some(&place) = places.get(&key) {
                        let known: &mut (String, Json) = &mut all[place];
                        known.1 = value;
                    } else {
                        places.insert(key.clone(), all.len());
                        all.push((key, value));
                    }
                }
                Ok(all)
            }
        }
        if !self.is_object() {
            return None;
        }
        serde_json::Deserializer::from_str(&self.0).deserialize_map(Attributes).ok()
    }

    /// Builds an object from attributes, in the order given.
    pub fn object<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a Json)>) -> Self {
        let mut text = String::from("{");
        for (i, (key, value)) in attributes.into_iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(Json::of(&key).as_str());
            text.push(':');
            text.push_str(value.as_str());
        }
        text.push('}');
        Self(text.into())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Json {
    type Err = InvalidJson;

    fn from_str(text: &str) -> Result<Self, InvalidJson> {
        Self::parse(text)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// Walks a text without building anything.
struct Checked(usize);

impl Checked {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.0 >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(self.0 + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        while seq.next_element_seed(Checked(depth))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        while map.next_key::<Cow<'_, str>>()?.is_some() {
            map.next_value_seed(Checked(depth))?;
        }
        Ok(())
    }
}
