//! The events of built-in types: what subscribers to `Application`, `Runtime`, `Integration`, `Logic` and `Credential` get.
//!
//! The states hold the names that GraphQL uses, without the times (which change with everything) and without what is secret or bulky:
//! no webhook URL, no source, no credential's secret.

use std::fmt::Display;

use serde_json::json;
use tidegate_model::{
    Application, Change, Credential, Error, Event, EventId, Integration, InvalidId, Json, Logic, ObjectId, Runtime,
    SystemDetails, TenantId, TypeName, former_state, means_the_same,
};

use super::Services;

/// Types that the platform has itself; a tenant's own may not be called so.
const RESERVED: [&str; 8] =
    ["Credential", "Application", "Runtime", "Integration", "IntegrationSystem", "Logic", "Tenant", "ObjectType"];

/// Built-in types whose changes are events in their tenant.
#[derive(Clone, Copy, Debug)]
pub(super) enum BuiltIn {
    Application,
    Credential,
    Runtime,
    Integration,
    Logic,
}

impl BuiltIn {
    fn name(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Credential => "Credential",
            Self::Runtime => "Runtime",
            Self::Integration => "Integration",
            Self::Logic => "Logic",
        }
    }
}

/// Whether the platform has a type of this name itself.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The update from one state to another; `None` when they are the same.
pub(super) fn update(old: &Json, new: Json) -> Option<Change> {
    (!means_the_same(old, &new)).then(|| Change::Update { old: former_state(old, &new), new })
}

impl Services {
    pub(super) fn builtin_event(
        &self,
        tenant: &TenantId,
        kind: BuiltIn,
        id: impl Display,
        change: Change,
    ) -> Result<Event, Error> {
        let misnamed = |fault: InvalidId| {
            tracing::error!(kind = kind.name(), %fault, "the event of a built-in type cannot be named");
            Error::Internal { id: format!("built-in:{}", kind.name()) }
        };
        let object_type: TypeName = kind.name().parse().map_err(misnamed)?;
        let object_id: ObjectId = id.to_string().try_into().map_err(misnamed)?;
        let event_id = EventId::generate(&*self.clock, &*self.randomness);
        let time = self.clock.now();
        Ok(Event { id: event_id, tenant: tenant.clone(), object_type, object_id, change, time })
    }
}

pub(super) fn application(application: &Application) -> Json {
    let mut state = details(&application.details);
    state["providerName"] = json!(application.provider_name);
    state["baseUrl"] = json!(application.base_url);
    Json::of(&state)
}

pub(super) fn runtime(runtime: &Runtime) -> Json {
    Json::of(&details(&runtime.details))
}

fn details(details: &SystemDetails) -> serde_json::Value {
    json!({
        "name": details.name,
        "description": details.description,
        "labels": details.labels.to_value(),
        "integrationSystemID": details.integration_system,
    })
}

pub(super) fn logic(logic: &Logic) -> Json {
    Json::of(&json!({
        "name": logic.name,
        "kind": logic.kind,
        "description": logic.description,
        "version": logic.version,
    }))
}

pub(super) fn credential(credential: &Credential) -> Json {
    Json::of(&json!({
        "name": credential.name,
        "kind": credential.kind,
        "description": credential.description,
        "allowedHosts": credential.allowed_hosts,
    }))
}

pub(super) fn integration(integration: &Integration) -> Json {
    integration.state()
}
