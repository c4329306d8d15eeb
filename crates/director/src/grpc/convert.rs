//! What messages of several nouns are made of.

use tidegate_model::{Error, EventType, HttpMethod, Json, Timestamp};
use tidegate_wire::api::{Instant, v1};

use crate::paging::{Asked, Listed};

/// Which page a request asks for.
pub(super) fn asked(first: Option<i32>, after: Option<String>) -> Asked {
    Asked { first, after }
}

/// A page: its rows, where it stands, and how many there are in all.
pub(super) fn page<T, M>(listed: Listed<T>, row: impl FnMut(T) -> M) -> (Vec<M>, Option<v1::PageInfo>, i32) {
    let listed = listed.map(row);
    let info = v1::PageInfo {
        start_cursor: listed.start_cursor,
        end_cursor: listed.end_cursor,
        has_next_page: listed.has_next,
    };
    (listed.data, Some(info), i32::try_from(listed.total).unwrap_or(i32::MAX))
}

/// A message that has to be there.
pub(super) fn required<T>(field: &str, message: Option<T>) -> Result<T, Error> {
    message.ok_or_else(|| Error::invalid(field, "to be set"))
}

/// JSON, of which messages hold the text.
pub(super) fn json(field: &str, text: String) -> Result<Json, Error> {
    Json::parse(text).map_err(|fault| Error::invalid(field, format!("the text of a JSON value: {fault}")))
}

/// JSON that may be left out.
pub(super) fn optional_json(field: &str, text: Option<String>) -> Result<Option<Json>, Error> {
    text.map(|text| json(field, text)).transpose()
}

pub(super) fn text_of(json: &Json) -> String {
    json.as_str().to_owned()
}

pub(super) fn instant(time: Timestamp) -> Instant {
    tidegate_wire::api::instant(&time)
}

/// An instant that may be left out, as exact as those that are kept.
pub(super) fn time(field: &str, instant: Option<Instant>) -> Result<Option<Timestamp>, Error> {
    let refused = || Error::invalid(field, "an instant in the years 1 to 9999");
    let told =
        |instant| tidegate_wire::api::time(field, Some(instant)).ok().flatten().and_then(tidegate_model::writable);
    instant.map(|instant| told(instant).ok_or_else(refused)).transpose()
}

pub(super) fn http_method(method: HttpMethod) -> i32 {
    let method = match method {
        HttpMethod::Get => v1::HttpMethod::Get,
        HttpMethod::Post => v1::HttpMethod::Post,
    };
    method.into()
}

pub(super) fn http_method_of(field: &str, method: i32) -> Result<HttpMethod, Error> {
    match v1::HttpMethod::try_from(method) {
        Ok(v1::HttpMethod::Get) => Ok(HttpMethod::Get),
        Ok(v1::HttpMethod::Post) => Ok(HttpMethod::Post),
        Ok(v1::HttpMethod::Unspecified) | Err(_) => Err(Error::invalid(field, "GET or POST")),
    }
}

pub(super) fn event_type(event_type: EventType) -> i32 {
    let event_type = match event_type {
        EventType::Create => v1::EventType::Create,
        EventType::Update => v1::EventType::Update,
        EventType::Delete => v1::EventType::Delete,
    };
    event_type.into()
}

pub(super) fn event_type_of(field: &str, event_type: i32) -> Result<EventType, Error> {
    match v1::EventType::try_from(event_type) {
        Ok(v1::EventType::Create) => Ok(EventType::Create),
        Ok(v1::EventType::Update) => Ok(EventType::Update),
        Ok(v1::EventType::Delete) => Ok(EventType::Delete),
        Ok(v1::EventType::Unspecified) | Err(_) => Err(Error::invalid(field, "CREATE, UPDATE or DELETE")),
    }
}
