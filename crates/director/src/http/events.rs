//! `POST /v1/events`: CloudEvents over HTTP, in binary, structured and batch mode (CONTRACT section 9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tidegate_model::cloud_event::{CloudEvent, InvalidCloudEvent, percent_decoded};

use super::refusal::Refusal;
use super::{Face, Peer, Unread};
use crate::access::Operation;

pub(super) async fn publish(State(face): State<Arc<Face>>, peer: Peer, headers: HeaderMap, body: Body) -> Response {
    match accept(&face, peer, &headers, body).await {
        Ok(ids) => {
            let body = json!({ "ids": ids }).to_string();
            (StatusCode::ACCEPTED, [(CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(refusal) => refusal.answer(),
    }
}

async fn accept(
    face: &Face,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<tidegate_model::EventId>, Refusal> {
    let access = face.admit(tidegate_model::Face::Http, headers, peer, "publishEvent").await?;
    let tenant = access.within(Operation::PublishEvents)?;
    let body = face.read(headers, body).await.map_err(|e| match e {
        Unread::TooLarge => Refusal::TooLarge(face.max_body),
        Unread::Encoded(encoding) => Refusal::Encoded(encoding),
        Unread::Broken => Refusal::Fault(fault("payload", "a whole request")),
    })?;
    let (events, batch) = read(headers, &body).map_err(Refusal::Fault)?;
    let events = face.services.understood(tenant, events, batch).map_err(Refusal::Fault)?;
    Ok(face.services.publish(&access, tenant, &events).await?)
}

/// The events in a request, by the mode that its content type says.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<(Vec<CloudEvent>, bool), InvalidCloudEvent> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let content_type = text("content-type");
    let essence = content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/cloudevents+json" => Ok((vec![CloudEvent::from_structured(body)?], false)),
        "application/cloudevents-batch+json" => Ok((CloudEvent::from_batch(body)?, true)),
        _ if headers.contains_key("ce-specversion") => {
            let attribute = |name: &str| text(&format!("ce-{name}")).map(|value| percent_decoded(&unquoted(&value)));
            Ok((vec![CloudEvent::from_binary(attribute, content_type.as_deref(), body)?], false))
        }
        _ => Err(fault(
            "content-type",
            "application/cloudevents+json, application/cloudevents-batch+json, or the headers ce-specversion, ce-id, ...",
        )),
    }
}

/// A header's value without the quotes that it may be in (RFC 9110 section 5.6.4).
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let mut escaped = false;
    let kept = |letter: &char| {
        escaped = *letter == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(kept).collect()
}

fn fault(field: &str, expected: &str) -> InvalidCloudEvent {
    InvalidCloudEvent { field: field.to_owned(), expected: expected.to_owned() }
}
