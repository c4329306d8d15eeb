//! CloudEvents 1.0: the form in which events cross to and from publishers, on the bus and over HTTP (CONTRACT section 9).
//!
//! The envelope is CloudEvents' own; `data` is `{ "objectId": ..., "old": {...}|absent, "new": {...}|absent }`. Tenant, object type and kind of
//! change come from where the event was published: on NATS from the subject, over HTTP from the caller and the attribute `type`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::json;

use crate::{Change, Event, EventId, EventType, INSTANT, Json, ObjectId, TenantId, Timestamp, TypeName, parse_instant};

/// A CloudEvent whose envelope is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent {
    /// `id`: the event's id, unique within the tenant.
    pub id: EventId,
    /// `type`; its last two parts name object type and change: `com.example.Order.create`.
    pub kind: String,
    /// `time`, where the publisher gave one.
    pub time: Option<Timestamp>,
    /// `data`.
    pub data: Json,
}

/// Why something is not an event, by attribute and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}")]
pub struct InvalidCloudEvent {
    /// The attribute, or the path into `data`.
    pub field: String,
    /// What was expected.
    pub expected: String,
}

#[derive(Deserialize)]
struct Structured {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    r#type: Option<String>,
    time: Option<String>,
    datacontenttype: Option<String>,
    data: Option<Json>,
    data_base64: Option<String>,
}

impl CloudEvent {
    /// Reads structured mode: one JSON object with envelope and data.
    pub fn from_structured(bytes: &[u8]) -> Result<Self, InvalidCloudEvent> {
        let json = Json::parse_bytes(bytes).map_err(|e| invalid("payload", format!("JSON: {e}")))?;
        Self::from_json(&json)
    }

    /// Reads batch mode: a JSON array of structured events, whole or not at all.
    pub fn from_batch(bytes: &[u8]) -> Result<Vec<Self>, InvalidCloudEvent> {
        let json = Json::parse_bytes(bytes).map_err(|e| invalid("payload", format!("JSON: {e}")))?;
        let all: Vec<Json> =
            serde_json::from_str(json.as_str()).map_err(|_| invalid("payload", "an array of events"))?;
        all.iter()
            .enumerate()
            .map(|(i, one)| Self::from_json(one).map_err(|e| invalid(format!("[{i}].{}", e.field), e.expected)))
            .collect()
    }

    /// Reads binary mode: attributes from headers (named here without their `ce-`), the payload as data.
    pub fn from_binary(
        attribute: impl Fn(&str) -> Option<String>,
        content_type: Option<&str>,
        payload: &[u8],
    ) -> Result<Self, InvalidCloudEvent> {
        let data = Json::parse_bytes(payload).map_err(|e| invalid("data", format!("JSON: {e}")))?;
        Self::from_parts(Structured {
            specversion: attribute("specversion"),
            id: attribute("id"),
            source: attribute("source"),
            r#type: attribute("type"),
            time: attribute("time"),
            datacontenttype: content_type.map(str::to_owned),
            data: Some(data),
            data_base64: None,
        })
    }

    /// What came in binary mode, in structured mode: to be shown and corrected, so nothing is asked of it. Data that is no JSON is base64.
    pub fn restructured(
        attributes: impl IntoIterator<Item = (String, String)>,
        content_type: Option<&str>,
        payload: &[u8],
    ) -> Json {
        let mut all: Vec<(String, Json)> =
            attributes.into_iter().map(|(name, value)| (name, Json::of(&value))).collect();
        all.extend(content_type.map(|content| ("datacontenttype".to_owned(), Json::of(&content))));
        all.push(match Json::parse_bytes(payload) {
            Ok(data) => ("data".to_owned(), data),
            Err(_) => ("data_base64".to_owned(), Json::of(&STANDARD.encode(payload))),
        });
        Json::object(all.iter().map(|(name, value)| (name.as_str(), value)))
    }

    fn from_json(json: &Json) -> Result<Self, InvalidCloudEvent> {
        if !json.is_object() {
            return Err(invalid("payload", "a JSON object"));
        }
        let parts = serde_json::from_str(json.as_str())
            .map_err(|e| invalid("payload", format!("CloudEvents attributes: {e}")))?;
        Self::from_parts(parts)
    }

    fn from_parts(parts: Structured) -> Result<Self, InvalidCloudEvent> {
        if parts.specversion.as_deref() != Some("1.0") {
            return Err(invalid("specversion", "\"1.0\""));
        }
        if parts.source.is_none_or(|s| s.is_empty()) {
            return Err(invalid("source", "a URI reference, not empty"));
        }
        let id = parts.id.unwrap_or_default().try_into().map_err(|e: crate::InvalidId| invalid("id", e.rule))?;
        let kind = parts.r#type.filter(|t| !t.is_empty()).ok_or_else(|| invalid("type", "a text, not empty"))?;
        let time = parts.time.as_deref().map(parse_time).transpose()?;
        if let Some(content) = parts.datacontenttype.as_deref().filter(|c| !is_json(c)) {
            return Err(invalid("datacontenttype", format!("a JSON media type, not {content:?}")));
        }
        let data = match (parts.data, parts.data_base64) {
            (Some(data), None) => data,
            (None, Some(text)) => {
                let bytes = STANDARD.decode(text).map_err(|_| invalid("data_base64", "base64"))?;
                Json::parse_bytes(&bytes).map_err(|e| invalid("data_base64", format!("JSON: {e}")))?
            }
            _ => return Err(invalid("data", "one of data and data_base64")),
        };
        Ok(Self { id, kind, time, data })
    }

    /// Object type and kind of change, as the last two parts of `type` say: `com.example.Order.create`.
    pub fn subject_of_type(&self) -> Result<(TypeName, EventType), InvalidCloudEvent> {
        let expected = "<anything.><ObjectType>.<create|update|delete>";
        let mut parts = self.kind.rsplit('.');
        let change = parts.next().and_then(parse_change).ok_or_else(|| invalid("type", expected))?;
        let name = parts.next().and_then(|n| n.parse().ok()).ok_or_else(|| invalid("type", expected))?;
        Ok((name, change))
    }

    /// The event that this is, published for this tenant, object type and kind of change. A publisher that gave no time gets `now`.
    ///
    /// `old` may be the whole former state; absent it is `{}`. `null` is absent. `objectId` may be a text or an integer.
    pub fn into_event(
        self,
        tenant: TenantId,
        object_type: TypeName,
        event_type: EventType,
        now: Timestamp,
    ) -> Result<Event, InvalidCloudEvent> {
        let attributes = self.data.attributes().ok_or_else(|| invalid("data", "an object"))?;
        let find = |name: &str| {
            attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|v| v.as_str() != "null")
        };
        let state = |name: &'static str| match find(name) {
            Some(value) if value.is_object() => Ok(Some(value.clone())),
            Some(_) => Err(invalid(format!("data.{name}"), "an object, or nothing")),
            None => Ok(None),
        };
        let object_id = object_id(find("objectId"))?;
        let (old, new) = (state("old")?, state("new")?);
        let change = match (event_type, old, new) {
            (EventType::Create, None, Some(new)) => Change::Create { new },
            (EventType::Update, old, Some(new)) => Change::Update { old: old.unwrap_or_else(Json::empty_object), new },
            (EventType::Delete, old, None) => Change::Delete { old: old.unwrap_or_else(Json::empty_object) },
            (EventType::Create | EventType::Update, _, None) => return Err(invalid("data.new", "an object")),
            (EventType::Create, Some(_), _) => {
                return Err(invalid("data.old", "nothing: a creation has no former state"));
            }
            (EventType::Delete, _, Some(_)) => return Err(invalid("data.new", "nothing: a deletion leaves no state")),
        };
        let time = self.time.unwrap_or(now);
        Ok(Event { id: self.id, tenant, object_type, object_id, change, time })
    }

    /// The structured form in which the platform publishes an event.
    pub fn structured(event: &Event) -> Json {
        let (old, new) = match &event.change {
            Change::Create { new } => (None, Some(new)),
            Change::Update { old, new } => (Some(old), Some(new)),
            Change::Delete { old } => (Some(old), None),
        };
        let object_id = Json::of(&event.object_id);
        let mut data = vec![("objectId", &object_id)];
        data.extend(old.map(|o| ("old", o)));
        data.extend(new.map(|n| ("new", n)));
        let data = Json::object(data);
        let change = event.change.event_type().as_str().to_ascii_lowercase();
        let envelope = json!({
            "specversion": "1.0",
            "id": event.id,
            "source": format!("/tenants/{}", event.tenant),
            "type": format!("tidegate.{}.{change}", event.object_type),
            "time": event.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            "datacontenttype": "application/json",
        });
        let mut attributes = Json::of(&envelope).attributes().unwrap_or_default();
        attributes.push(("data".to_owned(), data));
        Json::object(attributes.iter().map(|(key, value)| (key.as_str(), value)))
    }
}

/// Reads `create`, `update` or `delete`, as subjects and types spell them.
pub fn parse_change(text: &str) -> Option<EventType> {
    [EventType::Create, EventType::Update, EventType::Delete]
        .into_iter()
        .find(|e| e.as_str().to_ascii_lowercase() == text)
}

/// Undoes the percent-encoding that the CloudEvents bindings ask for in headers. A text that is not so encoded stays.
pub fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let digit = |i: usize| tail.get(i).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            bytes.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn object_id(value: Option<&Json>) -> Result<ObjectId, InvalidCloudEvent> {
    let expected = || invalid("data.objectId", format!("a text of {}, or an integer", ObjectId::RULE));
    let text = match value.map(Json::to_value) {
        Some(serde_json::Value::String(text)) => text,
        Some(serde_json::Value::Number(number)) if !number.is_f64() => number.to_string(),
        _ => return Err(expected()),
    };
    text.try_into().map_err(|_| expected())
}

fn parse_time(text: &str) -> Result<Timestamp, InvalidCloudEvent> {
    parse_instant(text).ok_or_else(|| invalid("time", INSTANT))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json") || essence == "text/json"
}

fn invalid(field: impl Into<String>, expected: impl Into<String>) -> InvalidCloudEvent {
    InvalidCloudEvent { field: field.into(), expected: expected.into() }
}
