//! Things to store.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_model::{
    Application, ApplicationId, Change, Client, ClientId, ClientOwner, Direction, Event, EventRef, EventType,
    Execution, ExecutionId, ExecutionUser, HttpMethod, Integration, IntegrationId, IntegrationSystem,
    IntegrationSystemId, Json, Logic, LogicId, LogicKind, Object, ObjectType, ObjectTypeId, Runtime, RuntimeId, Scope,
    Secret, Settings, Status, Subscription, SystemClock, SystemDetails, SystemRandomness, Tenant, TenantId, Trigger,
    TypeName, UserId,
};
use uuid::Uuid;

use crate::harness::{Kept, start};

/// An id that sorts after those drawn before.
pub(crate) fn id() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let base = LogicId::generate(&SystemClock, &SystemRandomness).0.as_u128();
    // The machine's clock may stand still between two; counting milliseconds from the tests' own start on does not.
    let began = u64::try_from(start().timestamp_millis()).unwrap();
    let millis = u128::from(began + COUNT.fetch_add(1, Ordering::Relaxed));
    Uuid::from_u128((millis << 80) | (base & ((1 << 80) - 1)))
}

pub(crate) fn tenant_id(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(crate) fn type_name(name: &str) -> TypeName {
    name.parse().unwrap()
}

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant { id: tenant_id(name), name: format!("Tenant {name}"), created_at: start() }
}

/// Inserts tenants.
pub(crate) async fn with_tenants(kept: &Kept, names: &[&str]) -> TenantId {
    for name in names {
        kept.store.insert_tenant(&tenant(name)).await.unwrap();
    }
    tenant_id(names[0])
}

pub(crate) fn event(tenant: &TenantId, event_id: &str) -> Event {
    Event {
        id: event_id.parse().unwrap(),
        tenant: tenant.clone(),
        object_type: type_name("Order"),
        object_id: format!("order of {event_id}").parse().unwrap(),
        change: Change::Create { new: Json::parse(r#"{"qty":9007199254740993,"note":"ü\u0000"}"#).unwrap() },
        time: start(),
    }
}

/// Some event that nobody looks at.
pub(crate) fn any_event(tenant: &TenantId) -> Event {
    event(tenant, &id().to_string())
}

pub(crate) fn integration_system(name: &str) -> IntegrationSystem {
    IntegrationSystem { id: IntegrationSystemId(id()), name: name.to_owned(), description: Some("ä".to_owned()) }
}

pub(crate) fn details(name: &str) -> SystemDetails {
    SystemDetails {
        name: name.to_owned(),
        description: None,
        labels: Json::parse(r#"{"b":1, "a":[]}"#).unwrap(),
        integration_system: None,
        created_at: start(),
        updated_at: start(),
    }
}

pub(crate) fn application(tenant: &TenantId, name: &str) -> Application {
    Application {
        id: ApplicationId(id()),
        tenant: tenant.clone(),
        details: details(name),
        provider_name: Some("provider".to_owned()),
        base_url: None,
    }
}

pub(crate) fn runtime(tenant: &TenantId, name: &str) -> Runtime {
    Runtime { id: RuntimeId(id()), tenant: tenant.clone(), details: details(name) }
}

pub(crate) fn client(owner: ClientOwner) -> Client {
    Client::new(ClientId(id()), owner, Scope::of_tenant_client(), start(), Secret::new("secret").hash())
}

pub(crate) fn logic(tenant: &TenantId, name: &str) -> Logic {
    Logic {
        id: LogicId(id()),
        tenant: tenant.clone(),
        name: name.to_owned(),
        kind: LogicKind::Core,
        description: Some("first".to_owned()),
        source: "return {}".into(),
        version: 1,
        created_at: start(),
        updated_at: start(),
    }
}

pub(crate) fn incoming(tenant: &TenantId, name: &str, core: LogicId) -> Integration {
    Integration {
        id: IntegrationId(id()),
        tenant: tenant.clone(),
        name: name.to_owned(),
        description: None,
        direction: Direction::Incoming,
        http_method: HttpMethod::Post,
        active: true,
        effective_date: Some(start()),
        expiry_date: None,
        core_logic: core,
        enable_logic: None,
        core_version: None,
        enable_version: None,
        settings: Settings::default(),
        paused: None,
        execution_user: ExecutionUser { id: UserId(id()), username: format!("integration/{name}") },
        created_at: start(),
        updated_at: start(),
    }
}

pub(crate) fn outgoing(tenant: &TenantId, name: &str, core: LogicId, on: &[(&str, EventType)]) -> Integration {
    let mut subscriptions: Vec<_> = (on.iter())
        .map(|(object_type, event_type)| Subscription { object_type: type_name(object_type), event_type: *event_type })
        .collect();
    subscriptions.sort();
    let direction = Direction::Outgoing { url: "https://example.org/in".to_owned(), subscriptions };
    Integration { direction, ..incoming(tenant, name, core) }
}

pub(crate) fn object_type(tenant: &TenantId, name: &str) -> ObjectType {
    ObjectType { id: ObjectTypeId(id()), tenant: tenant.clone(), name: type_name(name), schema: None }
}

pub(crate) fn object(tenant: &TenantId, object_id: &str, data: &str) -> Object {
    Object {
        tenant: tenant.clone(),
        object_type: type_name("Order"),
        id: object_id.parse().unwrap(),
        data: Json::parse(data).unwrap(),
        version: 1,
        created_at: start(),
        updated_at: start(),
        created_by: "client:a".to_owned(),
        updated_by: "client:b".to_owned(),
    }
}

pub(crate) fn execution(integration: &Integration) -> Execution {
    Execution {
        id: ExecutionId(id()),
        tenant: integration.tenant.clone(),
        integration: integration.id,
        trigger: Trigger::Webhook,
        status: Status::Success,
        skip_reason: None,
        started_at: start(),
        finished_at: Some(start()),
        request: None,
        event: None,
        attempts: Vec::new(),
        next_attempt_at: None,
        calls: Vec::new(),
        enable_result: None,
        core_result: Some(Json::parse(r#"{"a":[],"n":9223372036854775807}"#).unwrap()),
        log: Vec::new(),
        error: None,
        core_logic_version: Some(1),
        enable_logic_version: None,
        execution_user: integration.execution_user.clone(),
        replay_of: None,
    }
}

/// The record so far of a delivery of `event`.
pub(crate) fn pending(integration: &Integration, event: &Event) -> Execution {
    Execution {
        trigger: Trigger::Event,
        status: Status::Pending,
        finished_at: None,
        core_result: None,
        event: Some(EventRef {
            id: event.id.clone(),
            object_type: event.object_type.clone(),
            event_type: event.change.event_type(),
            object_id: event.object_id.clone(),
        }),
        ..execution(integration)
    }
}
