//! Between the domain's types and the messages of `proto/`: one file per noun, and each refusal names the field.

mod credential;
mod integration;
mod object;

use prost_types::Timestamp as PbTimestamp;
use tidegate_model::{Error, Json, Timestamp};

/// A message that does not say what its contract promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {field}: expected {expected}")]
pub struct Malformed {
    /// The path from the outermost message.
    field: String,
    /// What should be there.
    expected: String,
}

impl Malformed {
    pub(crate) fn new(field: &str, expected: impl Into<String>) -> Self {
        Self { field: field.to_owned(), expected: expected.into() }
    }

    /// The same fault, seen from the message that holds this one in `field`.
    pub(crate) fn within(mut self, field: &str) -> Self {
        self.field = format!("{field}.{}", self.field);
        self
    }
}

/// What a caller is told about a request of its own that is malformed.
impl From<Malformed> for Error {
    fn from(fault: Malformed) -> Self {
        Error::invalid(fault.field, fault.expected)
    }
}

/// Takes a message that must be there, and converts it.
pub(crate) fn required<M, T: TryFrom<M, Error = Malformed>>(field: &str, message: Option<M>) -> Result<T, Malformed> {
    let message = message.ok_or_else(|| Malformed::new(field, "to be set"))?;
    T::try_from(message).map_err(|fault| fault.within(field))
}

/// Converts each of several messages; a refusal says which.
pub(crate) fn each<M, T: TryFrom<M, Error = Malformed>>(field: &str, messages: Vec<M>) -> Result<Vec<T>, Malformed> {
    let convert = |(i, message)| T::try_from(message).map_err(|fault| fault.within(&format!("{field}[{i}]")));
    messages.into_iter().enumerate().map(convert).collect()
}

/// Reads an id from its text.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|rule: T::Err| Malformed::new(field, rule.to_string()))
}

/// Reads JSON that must be an object; its text stays as it is.
pub(crate) fn json_object(field: &str, text: String) -> Result<Json, Malformed> {
    let json = Json::parse(text).map_err(|fault| Malformed::new(field, format!("JSON: {fault}")))?;
    if json.is_object() { Ok(json) } else { Err(Malformed::new(field, "a JSON object")) }
}

pub(crate) fn to_instant(time: &Timestamp) -> PbTimestamp {
    // A second holds 1 000 000 000 nanoseconds, and a leap second twice as many: both fit.
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0);
    PbTimestamp { seconds: time.timestamp(), nanos }
}

pub(crate) fn instant(field: &str, time: Option<PbTimestamp>) -> Result<Timestamp, Malformed> {
    let time = time.ok_or_else(|| Malformed::new(field, "to be set"))?;
    u32::try_from(time.nanos)
        .ok()
        .and_then(|nanos| Timestamp::from_timestamp(time.seconds, nanos))
        .ok_or_else(|| Malformed::new(field, "an instant between the years -262143 and 262142"))
}

pub(crate) fn optional_instant(field: &str, time: Option<PbTimestamp>) -> Result<Option<Timestamp>, Malformed> {
    time.map(|time| instant(field, Some(time))).transpose()
}
