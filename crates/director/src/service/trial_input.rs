//! What a trial runs on: a sample that the caller gives, or what a record kept.

use std::sync::Arc;

use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::contract::TrialInput;
use tidegate_model::{
    Error, Event, EventId, EventType, Execution, HttpMethod, IncomingCall, Json, TenantId, Timestamp, TypeName,
};

use super::Services;
use crate::rules::Rules;

/// A sample, as the caller wrote it. Which of these count says the direction.
#[derive(Default)]
pub(crate) struct SampleInput {
    pub method: Option<HttpMethod>,
    pub url: Option<String>,
    pub headers: Option<Json>,
    pub parameters: Option<Json>,
    pub raw_body: Option<String>,
    pub object_type: Option<String>,
    pub event_type: Option<EventType>,
    pub object_id: Option<String>,
    pub old: Option<Json>,
    pub new: Option<Json>,
}

impl Services {
    /// The call that a sample is.
    pub(super) fn sample_call(&self, sample: SampleInput) -> Result<IncomingCall, Error> {
        let mut rules = Rules::default();
        let SampleInput { object_type, event_type, object_id, old, new, .. } = &sample;
        let of_events = object_type.is_some() || event_type.is_some() || object_id.is_some();
        rules.expect(
            !of_events && old.is_none() && new.is_none(),
            "in.sample",
            "a call (method, url, headers, parameters, rawBody) for type INCOMING",
        );
        let parameters = sample.parameters.unwrap_or_else(Json::empty_object);
        let composite = parameters.as_str().trim_start().starts_with(['{', '[']);
        rules.expect(composite, "in.sample.parameters", "an object or an array");
        let headers = texts(&sample.headers.unwrap_or_else(Json::empty_object));
        rules.expect(headers.is_some(), "in.sample.headers", "an object whose values are texts");
        rules.check()?;
        let method = sample.method.unwrap_or(HttpMethod::Post);
        Ok(IncomingCall {
            method,
            url: sample.url.unwrap_or_else(|| format!("{}/webhook/", self.webhook_url)),
            headers: headers.unwrap_or_default(),
            raw_body: sample.raw_body.map_or_else(|| body_of(method, &parameters), |body| body.into_bytes().into()),
            parameters,
            time: self.clock.now(),
        })
    }

    /// The event that a sample is.
    pub(super) fn sample_event(&self, tenant: &TenantId, sample: SampleInput) -> Result<Event, Error> {
        let mut rules = Rules::default();
        let SampleInput { method, url, headers, parameters, raw_body, .. } = &sample;
        let of_calls = method.is_some() || url.is_some() || headers.is_some();
        rules.expect(
            !of_calls && parameters.is_none() && raw_body.is_none(),
            "in.sample",
            "an event (objectType, eventType, objectId, old, new) for type OUTGOING",
        );
        let object_type = sample.object_type.unwrap_or_default();
        let object_type = rules.take(object_type.parse::<TypeName>(), "in.sample.objectType", TypeName::RULE);
        rules.expect(sample.event_type.is_some(), "in.sample.eventType", "CREATE, UPDATE or DELETE");
        rules.check()?;
        let (Some(object_type), Some(event_type)) = (object_type, sample.event_type) else {
            return Err(Error::invalid("in.sample", "an event"));
        };
        let object_id = Json::of(&sample.object_id.as_deref().unwrap_or("sample"));
        let mut data = vec![("objectId", &object_id)];
        data.extend(sample.old.as_ref().map(|old| ("old", old)));
        data.extend(sample.new.as_ref().map(|new| ("new", new)));
        let id = EventId::generate(&*self.clock, &*self.randomness);
        let cloud = CloudEvent { id, kind: String::new(), time: None, data: Json::object(data) };
        cloud
            .into_event(tenant.clone(), object_type, event_type, self.clock.now())
            .map_err(|e| Error::invalid(format!("in.sample.{}", e.field.trim_start_matches("data.")), e.expected))
    }

    /// What the run of this record ran on.
    pub(super) async fn recorded_input(&self, record: &Execution) -> Result<TrialInput, Error> {
        if let Some(request) = &record.request {
            return Ok(TrialInput::Incoming(IncomingCall {
                method: request.method,
                url: request.url.clone(),
                headers: texts(&request.headers).unwrap_or_default(),
                parameters: request.parameters.clone(),
                raw_body: body_of(request.method, &request.parameters),
                time: record.started_at,
            }));
        }
        let event = match &record.event {
            Some(about) => self.store.event(&record.tenant, &about.id).await?,
            None => None,
        };
        event.map(TrialInput::Outgoing).ok_or_else(|| cannot_be_tried(record, "its input is no longer kept"))
    }
}

/// Refuses to try a record.
pub(super) fn cannot_be_tried(record: &Execution, why: &str) -> Error {
    Error::InvalidOperation(format!("execution {} cannot be tried: {why}", record.id))
}

/// When a trial runs, to its scripts.
pub(super) fn time_of(input: &TrialInput) -> Timestamp {
    match input {
        TrialInput::Incoming(call) => call.time,
        TrialInput::Outgoing(event) => event.time,
    }
}

/// A record keeps what was understood of a body, not its bytes.
fn body_of(method: HttpMethod, parameters: &Json) -> Arc<[u8]> {
    match method {
        HttpMethod::Get => Arc::default(),
        HttpMethod::Post => parameters.as_str().as_bytes().into(),
    }
}

/// Lower-case names and texts of an object; `None` when it is not one of texts.
fn texts(object: &Json) -> Option<Vec<(String, String)>> {
    let text = |(name, value): (String, Json)| Some((name.to_ascii_lowercase(), value.to_value().as_str()?.to_owned()));
    object.attributes()?.into_iter().map(text).collect()
}
