//! Events from outside: somebody else's objects, published through GraphQL or as CloudEvents over HTTP.

use serde_json::json;
use tidegate_model::cloud_event::{CloudEvent, InvalidCloudEvent};
use tidegate_model::{Error, Event, EventId, EventType, Json, Made, TenantId, TypeName};

use super::Services;
use crate::access::{Access, Operation};
use crate::rules::{MAX_STATE_DEPTH, Rules, depth};

/// How many bytes an event may have in its structured form: what a message of the bus holds, with room for its headers.
const MAX_EVENT: usize = 900 * 1024;

/// How deep in the structured form a state stands: in the envelope, in `data`.
const ENVELOPE_DEPTH: usize = 2;

/// What an event is made of.
pub(crate) struct EventInput {
    pub id: Option<String>,
    pub object_type: String,
    pub event_type: EventType,
    pub object_id: String,
    pub old: Option<Json>,
    pub new: Option<Json>,
}

impl Services {
    /// Answers the event's id once the event is durable. An id that was published before adds nothing.
    pub(crate) async fn publish_event(&self, access: &Access, input: EventInput) -> Result<EventId, Error> {
        let tenant = access.within(Operation::PublishEvents)?;
        let mut rules = Rules::default();
        let object_type = rules.take(input.object_type.parse::<TypeName>(), "in.objectType", TypeName::RULE);
        let id = match input.id {
            Some(id) => rules.take(id.parse(), "in.id", EventId::RULE),
            None => Some(EventId::generate(&*self.clock, &*self.randomness)),
        };
        rules.check()?;
        let (Some(id), Some(object_type)) = (id, object_type) else {
            return Err(Error::invalid("in", "an event"));
        };
        let object_id = Json::of(&input.object_id);
        let mut data = vec![("objectId", &object_id)];
        data.extend(input.old.as_ref().map(|old| ("old", old)));
        data.extend(input.new.as_ref().map(|new| ("new", new)));
        let cloud = CloudEvent { id, kind: String::new(), time: None, data: Json::object(data) };
        let event = cloud
            .into_event(tenant.clone(), object_type, input.event_type, self.clock.now())
            .map_err(|e| Error::invalid(format!("in.{}", e.field.trim_start_matches("data.")), e.expected))?;
        check_form(&event).map_err(|e| Error::invalid("in", e.expected))?;
        self.events.publish(&event).await?;
        self.tell(access, Some(tenant), "publishEvent", [published(std::slice::from_ref(&event))]).await?;
        Ok(event.id)
    }

    /// The domain events that these are, or the first fault; `batch` puts the place into the fault's field.
    pub(crate) fn understood(
        &self,
        tenant: &TenantId,
        events: Vec<CloudEvent>,
        batch: bool,
    ) -> Result<Vec<Event>, InvalidCloudEvent> {
        let understood = |event: CloudEvent| {
            let (object_type, event_type) = event.subject_of_type()?;
            let event = event.into_event(tenant.clone(), object_type, event_type, self.clock.now())?;
            check_form(&event)?;
            Ok(event)
        };
        let placed = |(i, event)| {
            understood(event).map_err(|e: InvalidCloudEvent| InvalidCloudEvent {
                field: if batch { format!("[{i}].{}", e.field) } else { e.field },
                expected: e.expected,
            })
        };
        events.into_iter().enumerate().map(placed).collect()
    }

    /// Publishes in order and answers the ids once all are durable. Publishing again what was published before changes nothing,
    /// so a caller who got an error sends the whole again.
    pub(crate) async fn publish(
        &self,
        access: &Access,
        tenant: &TenantId,
        events: &[Event],
    ) -> Result<Vec<EventId>, Error> {
        self.events.publish_all(events).await?;
        if !events.is_empty() {
            self.tell(access, Some(tenant), "publishEvent", [published(events)]).await?;
        }
        Ok(events.iter().map(|e| e.id.clone()).collect())
    }
}

/// What is told of a call that published these. Their states stay where they are.
fn published(events: &[Event]) -> Made {
    let made = Made { kind: "Event".to_owned(), id: None, before: None, after: None };
    if let [event] = events {
        let told = json!({
            "objectType": event.object_type,
            "eventType": event.change.event_type(),
            "objectId": event.object_id,
        });
        return Made { id: Some(event.id.to_string()), ..made }.to_state(Json::of(&told));
    }
    let ids: Vec<_> = events.iter().map(|event| &event.id).collect();
    made.to_state(Json::of(&json!({ "ids": ids })))
}

/// Refuses what could not be read where it arrives.
pub(super) fn check_form(event: &Event) -> Result<(), InvalidCloudEvent> {
    let structured = CloudEvent::structured(event);
    let expected = if structured.as_str().len() > MAX_EVENT {
        format!("at most {} KiB in all", MAX_EVENT / 1024)
    } else if depth(&structured) > MAX_STATE_DEPTH + ENVELOPE_DEPTH {
        format!("states nested at most {MAX_STATE_DEPTH} deep")
    } else {
        return Ok(());
    };
    Err(InvalidCloudEvent { field: "data".to_owned(), expected })
}
