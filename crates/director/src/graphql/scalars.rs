use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::SecondsFormat;
use tidegate_model::{INSTANT, Timestamp, parse_instant};

/// An instant: RFC 3339, answered in UTC.
#[derive(Clone, Copy)]
pub(super) struct DateTime(pub(super) Timestamp);

/// Any JSON value.
#[derive(Clone)]
pub(super) struct Json(pub(super) tidegate_model::Json);

/// An opaque place in a list; of use in that list alone.
#[derive(Clone)]
pub(super) struct PageCursor(pub(super) String);

#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        parse_instant(text).map(Self).ok_or_else(|| InputValueError::custom(format!("expected {INSTANT}")))
    }

    // Asked before anything runs: the refusal then names the field, and `explained` says what was expected there.
    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// The executor's refusal of a value, with what was expected: of a scalar of ours it tells the name alone.
pub(super) fn explained(refusal: String) -> String {
    if refusal.ends_with("expected type \"DateTime\"") { format!("{refusal}: {INSTANT}") } else { refusal }
}

#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = serde_json::to_string(&value).map_err(|_| InputValueError::custom("expected JSON"))?;
        let json =
            tidegate_model::Json::parse(text).map_err(|e| InputValueError::custom(format!("expected JSON: {e}")))?;
        Ok(Self(json))
    }

    fn to_value(&self) -> Value {
        serde_json::from_str(self.0.as_str()).unwrap_or(Value::Null)
    }
}

#[Scalar]
impl ScalarType for PageCursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl From<tidegate_model::Json> for Json {
    fn from(json: tidegate_model::Json) -> Self {
        Self(json)
    }
}

impl From<Timestamp> for DateTime {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}
