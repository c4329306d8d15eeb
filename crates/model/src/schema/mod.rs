//! JSON Schema, draft 2020-12: what an object, or the body of a webhook, must be.
//!
//! Schemas are written by tenants and checked against what strangers send, so both are bounded: a schema in its size, its patterns and
//! where a `$ref` may lead (`parts`), a check in what it may cost (`layout`). Nothing is ever fetched. `format` is an annotation, as the draft has it.
//!
//! ```
//! use tidegate_model::{Json, schema::Schema};
//!
//! let schema = Schema::compile(&Json::parse(r#"{"properties":{"qty":{"minimum":1}},"required":["id"]}"#).unwrap()).unwrap();
//! let misfits = schema.check(&serde_json::json!({ "id": 1, "qty": 0 })).unwrap_err();
//! let told: Vec<_> = misfits.iter().map(|misfit| format!("{}: {}", misfit.pointer, misfit.expected)).collect();
//! assert_eq!(told, ["/qty: at least 1"]);
//! ```

mod kept;
mod layout;
mod misfit;
mod parts;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::{Error, Json, Violation};
use layout::Layout;

pub use kept::Schemas;
pub use misfit::Misfit;

/// How many bytes a schema may have.
pub const MAX_SCHEMA: usize = 64 * 1024;

/// How deeply a schema may be nested: an event may carry it.
pub const MAX_SCHEMA_DEPTH: usize = 32;

/// How many misfits are told of one value.
pub const MAX_MISFITS: usize = 20;

/// How many bytes a compiled pattern may have.
const MAX_PATTERN: usize = 512 * 1024;

/// What one check may cost, in steps of some ten nanoseconds.
const MAX_COST: u64 = 30_000_000;

/// What a check may cost to be made in passing.
const QUICK: u64 = 50_000;

/// Up to this cost all misfits are looked for; of what costs more the first is told, where it can be told without all others.
const ALL_MISFITS: u64 = 100_000;

/// How many schemas may be looked into within each other: what a thread's stack holds.
const MAX_CHAIN: u32 = 400;

/// A schema, ready to check with.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    layout: Layout,
}

/// Why a text is not accepted as a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a JSON Schema (draft 2020-12): {0}")]
pub struct InvalidSchema(String);

impl Schema {
    /// Reads a schema: an object, or a boolean.
    pub fn compile(json: &Json) -> Result<Self, InvalidSchema> {
        if json.as_str().len() > MAX_SCHEMA {
            return Err(InvalidSchema(format!("at most {} KiB", MAX_SCHEMA / 1024)));
        }
        let value = json.to_value();
        if depth(&value) > MAX_SCHEMA_DEPTH {
            return Err(InvalidSchema(format!("nested at most {MAX_SCHEMA_DEPTH} deep")));
        }
        let layout = Layout::of(&value).map_err(InvalidSchema)?;
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN);
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .with_pattern_options(patterns)
            .should_validate_formats(false);
        let validator = options.build(&value).map_err(|error| InvalidSchema(misfit::of_schema(&error)))?;
        Ok(Self { validator, layout })
    }

    /// Whether a check of this value takes so little time that it can be made on a thread that others wait for.
    pub fn is_quick(&self, value: &Value) -> bool {
        self.layout.cost(value).is_some_and(|cost| cost <= QUICK)
    }

    /// Tells what of this value does not fit: at most [`MAX_MISFITS`], each with its place and never with a value. A value that costs too
    /// much to check does not fit.
    pub fn check(&self, value: &Value) -> Result<(), Vec<Misfit>> {
        let Some(cost) = self.layout.cost(value).filter(|cost| *cost <= MAX_COST) else {
            return Err(vec![Misfit::whole("something smaller, or nested less deeply: this is too much to check")]);
        };
        if self.validator.is_valid(value) {
            return Ok(());
        }
        let misfits: Vec<Misfit> = if cost <= ALL_MISFITS {
            self.validator.iter_errors(value).take(MAX_MISFITS).map(|error| Misfit::of(&error)).collect()
        } else if self.layout.has_branches() {
            // What fails in every branch carries the failures of each.
            Vec::new()
        } else {
            self.validator.validate(value).err().iter().map(Misfit::of).collect()
        };
        Err(if misfits.is_empty() { vec![Misfit::whole("what the schema says")] } else { misfits })
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(named) => 1 + named.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The refusal of a value that does not fit, which stands in `field`.
pub fn refused(field: &str, misfits: Vec<Misfit>) -> Error {
    let violation =
        |misfit: Misfit| Violation { field: format!("{field}{}", misfit.pointer), expected: misfit.expected };
    Error::InvalidData(misfits.into_iter().map(violation).collect())
}
