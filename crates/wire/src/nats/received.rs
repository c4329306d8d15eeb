//! What publishers put on the bus, understood or kept aside (CONTRACT section 9).

use async_nats::HeaderMap;
use bytes::Bytes;
use tidegate_model::cloud_event::{CloudEvent, parse_change, percent_decoded};
use tidegate_model::contract::{Incomprehensible, Received};
use tidegate_model::{Event, EventType, TenantId, Timestamp, TypeName};

use super::raw::Stored;

/// Reads a message in structured or binary mode; tenant, type and kind of change come from its subject below `root`.
pub(super) fn received(
    root: &str,
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: &Bytes,
    time: Timestamp,
) -> Received {
    match understand(root, subject, headers, payload, time) {
        Ok(event) => Received::Event(event),
        Err(reason) => kept_aside(root, subject, headers, payload, time, reason),
    }
}

/// Reads a message as it is stored. One whose headers are broken is no event, whatever can still be read of them.
pub(super) fn received_raw(root: &str, message: &Stored, time: Timestamp) -> Received {
    let Stored { subject, headers, payload, .. } = message;
    if message.headers_are_whole {
        received(root, subject, Some(headers), payload, time)
    } else {
        kept_aside(root, subject, Some(headers), payload, time, HEADERS.to_owned())
    }
}

/// Why a message with broken headers is no event.
const HEADERS: &str =
    "headers: cannot be read; expected NATS/1.0 and then lines of a name, a colon and a value, in UTF-8";

fn kept_aside(
    root: &str,
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: &[u8],
    time: Timestamp,
    reason: String,
) -> Received {
    Received::Incomprehensible(Incomprehensible {
        tenant: below(root, subject).split('.').next().and_then(|tenant| tenant.parse().ok()),
        subject: subject.to_owned(),
        payload: shown(headers, payload),
        reason,
        time,
    })
}

fn understand(
    root: &str,
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: &[u8],
    time: Timestamp,
) -> Result<Event, String> {
    let (tenant, object_type, event_type) = place(root, subject)?;
    let attribute = |name: &str| header(headers, &format!("ce-{name}")).map(percent_decoded);
    let event = if attribute("specversion").is_some() {
        CloudEvent::from_binary(attribute, header(headers, "content-type"), payload)
    } else {
        CloudEvent::from_structured(payload)
    };
    event.and_then(|event| event.into_event(tenant, object_type, event_type, time)).map_err(|fault| fault.to_string())
}

fn place(root: &str, subject: &str) -> Result<(TenantId, TypeName, EventType), String> {
    let [tenant, object_type, change] = below(root, subject).split('.').collect::<Vec<_>>()[..] else {
        return Err(format!("subject: expected {root}.<tenant>.<ObjectType>.<create|update|delete>"));
    };
    Ok((
        tenant.parse().map_err(|_| format!("subject: expected a tenant as {}, not {tenant:?}", TenantId::RULE))?,
        object_type
            .parse()
            .map_err(|_| format!("subject: expected an object type as {}, not {object_type:?}", TypeName::RULE))?,
        parse_change(change).ok_or_else(|| format!("subject: expected create, update or delete, not {change:?}"))?,
    ))
}

/// What of the subject is below the root; nothing where it is not.
fn below<'a>(root: &str, subject: &'a str) -> &'a str {
    subject.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default()
}

/// What is kept of a message that is no event.
fn shown(headers: Option<&HeaderMap>, payload: &[u8]) -> Vec<u8> {
    if header(headers, "ce-specversion").is_none() {
        return payload.to_vec();
    }
    let all = headers.into_iter().flat_map(HeaderMap::iter);
    let attributes = all.filter_map(|(name, values)| {
        let name = name.to_string().to_ascii_lowercase();
        Some((name.strip_prefix("ce-")?.to_owned(), percent_decoded(values.first()?.as_str())))
    });
    CloudEvent::restructured(attributes, header(headers, "content-type"), payload).as_str().as_bytes().to_vec()
}

/// Finds a header in any case: NATS keeps it as the publisher wrote it.
fn header<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    let all = headers?.iter();
    let mut values = all.filter(|(known, _)| known.to_string().eq_ignore_ascii_case(name)).flat_map(|(_, v)| v);
    values.next().map(async_nats::HeaderValue::as_str)
}
