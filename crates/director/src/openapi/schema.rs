//! An Integration's schema as a component of its document: what leads within it leads there too.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Keywords whose values are no schemas, whatever they look like.
const VALUES: [&str; 5] = ["const", "enum", "default", "example", "examples"];

/// Keywords whose values are schemas by names.
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// A schema that was moved into a document.
pub(super) struct Moved {
    pub(super) schema: Value,
}

impl Moved {
    /// Moves a schema to `#/components/schemas/<name>`.
    pub(super) fn to(name: &str, schema: &Value) -> Self {
        let id = schema.get("$id").and_then(Value::as_str).unwrap_or_default().trim_end_matches('#');
        let mut anchors = HashMap::new();
        collect_anchors(schema, &mut String::new(), &mut anchors);
        let moving = Moving { root: format!("#/components/schemas/{name}"), id, anchors };
        let mut schema = moving.moved(schema);
        if let Value::Object(keywords) = &mut schema {
            // The document says which dialect it is, and where it is.
            keywords.remove("$schema");
            keywords.remove("$id");
        }
        Self { schema }
    }
}

struct Moving<'a> {
    root: String,
    id: &'a str,
    /// Where each anchor stands.
    anchors: HashMap<String, String>,
}

impl Moving<'_> {
    fn moved(&self, schema: &Value) -> Value {
        match schema {
            Value::Array(all) => all.iter().map(|one| self.moved(one)).collect(),
            Value::Object(keywords) => {
                Value::Object(keywords.iter().map(|(name, value)| self.keyword(name, value)).collect())
            }
            other => other.clone(),
        }
    }

    fn keyword(&self, name: &str, value: &Value) -> (String, Value) {
        let value = match (name, value) {
            ("$ref" | "$dynamicRef", Value::String(to)) => return ("$ref".to_owned(), Value::String(self.target(to))),
            (name, value) if VALUES.contains(&name) => value.clone(),
            (name, Value::Object(all)) if NAMED.contains(&name) => {
                let each = all.iter().map(|(name, schema)| (name.clone(), self.moved(schema)));
                Value::Object(each.collect::<Map<_, _>>())
            }
            (_, value) => self.moved(value),
        };
        (name.to_owned(), value)
    }

    fn target(&self, to: &str) -> String {
        let to = to.strip_prefix(self.id).unwrap_or(to);
        let fragment = to.strip_prefix('#').unwrap_or(to);
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            Some(fragment)
        } else {
            self.anchors.get(fragment).map(String::as_str)
        };
        format!("{}{}", self.root, pointer.unwrap_or_default())
    }
}

fn collect_anchors(value: &Value, at: &mut String, anchors: &mut HashMap<String, String>) {
    let mut within = |name: &str, value: &Value, anchors: &mut HashMap<String, String>| {
        let length = at.len();
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        collect_anchors(value, at, anchors);
        at.truncate(length);
    };
    match value {
        Value::Object(keywords) => {
            keywords.iter().for_each(|(name, value)| within(name, value, anchors));
            for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(|name| keywords.get(name)?.as_str()) {
                anchors.insert(anchor.to_owned(), at.clone());
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| within(&place.to_string(), value, anchors));
        }
        _ => {}
    }
}
