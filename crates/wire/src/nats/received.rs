//! What publishers put on the bus, understood or kept aside (CONTRACT section 9).

use async_nats::HeaderMap;
use bytes::Bytes;
use tidegate_model::cloud_event::{CloudEvent, parse_change};
use tidegate_model::contract::{Incomprehensible, Received};
use tidegate_model::{Event, EventType, TenantId, Timestamp, TypeName};

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
        Err(reason) => Received::Incomprehensible(Incomprehensible {
            subject: subject.to_owned(),
            payload: payload.to_vec(),
            reason,
            time,
        }),
    }
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
    let rest = subject.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let [tenant, object_type, change] = rest.split('.').collect::<Vec<_>>()[..] else {
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

/// Finds a header in any case: NATS keeps it as the publisher wrote it.
fn header<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    let all = headers?.iter();
    let mut values = all.filter(|(known, _)| known.to_string().eq_ignore_ascii_case(name)).flat_map(|(_, v)| v);
    values.next().map(async_nats::HeaderValue::as_str)
}

/// Undoes the percent-encoding that the CloudEvents bindings ask for in headers. A text that is not so encoded stays.
fn percent_decoded(text: &str) -> String {
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
