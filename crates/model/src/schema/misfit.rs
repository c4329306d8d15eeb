//! What does not fit, in words that never hold what was sent.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// How many characters of a pointer, and of what was expected, are told.
const MAX_TEXT: usize = 256;

/// One thing that does not fit a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where it stands: a JSON Pointer (RFC 6901); a long one is cut. Empty is the whole.
    pub pointer: String,
    /// What was expected there.
    pub expected: String,
}

impl Misfit {
    pub(super) fn whole(expected: &str) -> Self {
        Self { pointer: String::new(), expected: expected.to_owned() }
    }

    pub(super) fn of(error: &ValidationError<'_>) -> Self {
        Self { pointer: cut(error.instance_path().as_str()), expected: cut(&expected(error.kind())) }
    }
}

/// What is wrong with a schema itself.
pub(super) fn of_schema(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str();
    let place = if place.is_empty() { String::new() } else { format!("at {}: ", cut(place)) };
    let what = match error.kind() {
        Kind::Referencing(_) => "each $ref within it".to_owned(),
        Kind::Format { format } if format == "regex" => {
            "a regular expression that is not too large (maxLength says a length for less), without look-around and back-references".to_owned()
        }
        kind => expected(kind),
    };
    cut(&format!("{place}expected {what}"))
}

/// What a keyword expects. Nothing of the value is told, and of its names only those that the schema has.
fn expected(kind: &Kind) -> String {
    match kind {
        Kind::AdditionalItems { limit } => format!("at most {limit} items"),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "no properties but those of the schema".to_owned()
        }
        Kind::UnevaluatedItems { .. } => "no items but those of the schema".to_owned(),
        Kind::AnyOf { .. } => "what at least one schema of anyOf says".to_owned(),
        Kind::OneOfMultipleValid { .. } => "what one schema of oneOf says, not several".to_owned(),
        Kind::OneOfNotValid { .. } => "what one schema of oneOf says".to_owned(),
        Kind::Not { .. } => "not what the schema of not says".to_owned(),
        Kind::Constant { expected_value } => told(expected_value),
        Kind::Enum { options } => format!("one of {}", listed(options)),
        Kind::Contains => "an item that contains says".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("text in {content_encoding}"),
        Kind::FromUtf8 { .. } => "encoded UTF-8".to_owned(),
        Kind::ContentMediaType { content_media_type } => format!("text of type {content_media_type}"),
        Kind::Format { format } => format!("the format {format}"),
        Kind::Pattern { pattern } => format!("text that matches {pattern}"),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinItems { limit } => format!("at least {limit} items"),
        Kind::MaxItems { limit } => format!("at most {limit} items"),
        Kind::MinProperties { limit } => format!("at least {limit} properties"),
        Kind::MaxProperties { limit } => format!("at most {limit} properties"),
        Kind::PropertyNames { error } => format!("names of properties: {}", expected(error.kind())),
        Kind::Required { property } => format!("the property {property}"),
        Kind::Type { kind: TypeKind::Single(one) } => type_name(*one).to_owned(),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            several.iter().map(type_name).collect::<Vec<_>>().join(" or ")
        }
        Kind::UniqueItems => "no item twice".to_owned(),
        Kind::FalseSchema => "nothing here".to_owned(),
        Kind::BacktrackLimitExceeded { .. }
        | Kind::RegexEngineFailure { .. }
        | Kind::Custom { .. }
        | Kind::Referencing(_) => "what the schema says".to_owned(),
    }
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "an array",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

fn listed(options: &Value) -> String {
    let Some(options) = options.as_array() else { return told(options) };
    let first: Vec<String> = options.iter().take(10).map(told).collect();
    let more = options.len().saturating_sub(first.len());
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

fn told(of_schema: &Value) -> String {
    let text = of_schema.to_string();
    if text.chars().count() > 60 { "a value that the schema names".to_owned() } else { text }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
