//! [`Runnable`] and what it is made of.

use tidegate_model::{
    Direction, EventType, ExecutionUser, HttpMethod, Integration, Json, Pause, PauseReason, Runnable, Script, Settings,
    Subscription, Tenant,
};

use super::{Malformed, id, instant, optional_instant, required, to_instant};
use crate::grpc::pb;

impl From<&Runnable> for pb::Runnable {
    fn from(runnable: &Runnable) -> Self {
        Self {
            integration: Some((&runnable.integration).into()),
            organization: Some((&runnable.organization).into()),
            core: Some((&runnable.core).into()),
            enable: runnable.enable.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::Runnable> for Runnable {
    type Error = Malformed;

    fn try_from(runnable: pb::Runnable) -> Result<Self, Malformed> {
        Ok(Self {
            integration: required("integration", runnable.integration)?,
            organization: required("organization", runnable.organization)?,
            core: required("core", runnable.core)?,
            enable: runnable.enable.map(|script| required("enable", Some(script))).transpose()?,
        })
    }
}

impl From<&Integration> for pb::Integration {
    fn from(integration: &Integration) -> Self {
        Self {
            id: integration.id.to_string(),
            tenant: integration.tenant.to_string(),
            name: integration.name.clone(),
            description: integration.description.clone(),
            direction: Some((&integration.direction).into()),
            http_method: pb::HttpMethod::from(integration.http_method).into(),
            active: integration.active,
            effective_date: integration.effective_date.as_ref().map(to_instant),
            expiry_date: integration.expiry_date.as_ref().map(to_instant),
            core_logic: integration.core_logic.to_string(),
            core_version: integration.core_version,
            enable_logic: integration.enable_logic.map(|logic| logic.to_string()),
            enable_version: integration.enable_version,
            settings: Json::of(&integration.settings).to_string(),
            paused: integration.paused.as_ref().map(Into::into),
            execution_user: Some((&integration.execution_user).into()),
            created_at: Some(to_instant(&integration.created_at)),
            updated_at: Some(to_instant(&integration.updated_at)),
        }
    }
}

impl TryFrom<pb::Integration> for Integration {
    type Error = Malformed;

    fn try_from(integration: pb::Integration) -> Result<Self, Malformed> {
        let http_method = integration.http_method();
        Ok(Self {
            id: id("id", &integration.id)?,
            tenant: id("tenant", &integration.tenant)?,
            name: integration.name,
            description: integration.description,
            direction: required("direction", integration.direction)?,
            http_method: http_method.try_into()?,
            active: integration.active,
            effective_date: optional_instant("effective_date", integration.effective_date)?,
            expiry_date: optional_instant("expiry_date", integration.expiry_date)?,
            core_logic: id("core_logic", &integration.core_logic)?,
            core_version: integration.core_version,
            enable_logic: integration.enable_logic.map(|logic| id("enable_logic", &logic)).transpose()?,
            enable_version: integration.enable_version,
            settings: settings(&integration.settings)?,
            paused: integration.paused.map(|pause| required("paused", Some(pause))).transpose()?,
            execution_user: required("execution_user", integration.execution_user)?,
            created_at: instant("created_at", integration.created_at)?,
            updated_at: instant("updated_at", integration.updated_at)?,
        })
    }
}

fn settings(text: &str) -> Result<Settings, Malformed> {
    if text.is_empty() {
        return Ok(Settings::default());
    }
    serde_json::from_str(text).map_err(|fault| Malformed::new("settings", format!("settings as JSON: {fault}")))
}

impl From<&Pause> for pb::Pause {
    fn from(pause: &Pause) -> Self {
        let reason = match pause.reason {
            PauseReason::Gone => pb::PauseReason::Gone,
            PauseReason::Failing => pb::PauseReason::Failing,
        };
        Self { reason: reason.into(), since: Some(to_instant(&pause.since)) }
    }
}

impl TryFrom<pb::Pause> for Pause {
    type Error = Malformed;

    fn try_from(pause: pb::Pause) -> Result<Self, Malformed> {
        let reason = match pause.reason() {
            pb::PauseReason::Gone => PauseReason::Gone,
            pb::PauseReason::Failing => PauseReason::Failing,
            pb::PauseReason::Unspecified => return Err(Malformed::new("reason", "to be set")),
        };
        Ok(Self { reason, since: instant("since", pause.since)? })
    }
}

impl From<&Direction> for pb::integration::Direction {
    fn from(direction: &Direction) -> Self {
        match direction {
            Direction::Incoming => Self::Incoming(pb::Incoming {}),
            Direction::Outgoing { url, subscriptions } => Self::Outgoing(pb::Outgoing {
                url: url.clone(),
                subscriptions: subscriptions.iter().map(Into::into).collect(),
            }),
        }
    }
}

impl TryFrom<pb::integration::Direction> for Direction {
    type Error = Malformed;

    fn try_from(direction: pb::integration::Direction) -> Result<Self, Malformed> {
        use pb::integration::Direction as Pb;
        match direction {
            Pb::Incoming(pb::Incoming {}) => Ok(Self::Incoming),
            Pb::Outgoing(outgoing) => Ok(Self::Outgoing {
                url: outgoing.url,
                subscriptions: outgoing
                    .subscriptions
                    .into_iter()
                    .map(|subscription| required("subscriptions", Some(subscription)))
                    .collect::<Result<_, _>>()?,
            }),
        }
    }
}

impl From<&Subscription> for pb::Subscription {
    fn from(subscription: &Subscription) -> Self {
        Self {
            object_type: subscription.object_type.to_string(),
            event_type: pb::EventType::from(subscription.event_type).into(),
        }
    }
}

impl TryFrom<pb::Subscription> for Subscription {
    type Error = Malformed;

    fn try_from(subscription: pb::Subscription) -> Result<Self, Malformed> {
        Ok(Self {
            event_type: subscription.event_type().try_into()?,
            object_type: id("object_type", &subscription.object_type)?,
        })
    }
}

impl From<&ExecutionUser> for pb::ExecutionUser {
    fn from(user: &ExecutionUser) -> Self {
        Self { id: user.id.to_string(), username: user.username.clone() }
    }
}

impl TryFrom<pb::ExecutionUser> for ExecutionUser {
    type Error = Malformed;

    fn try_from(user: pb::ExecutionUser) -> Result<Self, Malformed> {
        Ok(Self { id: id("id", &user.id)?, username: user.username })
    }
}

impl From<&Tenant> for pb::Tenant {
    fn from(tenant: &Tenant) -> Self {
        Self { id: tenant.id.to_string(), name: tenant.name.clone(), created_at: Some(to_instant(&tenant.created_at)) }
    }
}

impl TryFrom<pb::Tenant> for Tenant {
    type Error = Malformed;

    fn try_from(tenant: pb::Tenant) -> Result<Self, Malformed> {
        Ok(Self { id: id("id", &tenant.id)?, name: tenant.name, created_at: instant("created_at", tenant.created_at)? })
    }
}

impl From<&Script> for pb::Script {
    fn from(script: &Script) -> Self {
        Self { logic: script.logic.to_string(), version: script.version, source: script.source.to_string() }
    }
}

impl TryFrom<pb::Script> for Script {
    type Error = Malformed;

    fn try_from(script: pb::Script) -> Result<Self, Malformed> {
        Ok(Self { logic: id("logic", &script.logic)?, version: script.version, source: script.source.into() })
    }
}

impl From<HttpMethod> for pb::HttpMethod {
    fn from(method: HttpMethod) -> Self {
        match method {
            HttpMethod::Get => Self::Get,
            HttpMethod::Post => Self::Post,
        }
    }
}

impl TryFrom<pb::HttpMethod> for HttpMethod {
    type Error = Malformed;

    fn try_from(method: pb::HttpMethod) -> Result<Self, Malformed> {
        match method {
            pb::HttpMethod::Get => Ok(Self::Get),
            pb::HttpMethod::Post => Ok(Self::Post),
            pb::HttpMethod::Unspecified => Err(Malformed::new("http_method", "a method that this version knows")),
        }
    }
}

impl From<EventType> for pb::EventType {
    fn from(event_type: EventType) -> Self {
        match event_type {
            EventType::Create => Self::Create,
            EventType::Update => Self::Update,
            EventType::Delete => Self::Delete,
        }
    }
}

impl TryFrom<pb::EventType> for EventType {
    type Error = Malformed;

    fn try_from(event_type: pb::EventType) -> Result<Self, Malformed> {
        match event_type {
            pb::EventType::Create => Ok(Self::Create),
            pb::EventType::Update => Ok(Self::Update),
            pb::EventType::Delete => Ok(Self::Delete),
            pb::EventType::Unspecified => Err(Malformed::new("event_type", "an event type that this version knows")),
        }
    }
}
