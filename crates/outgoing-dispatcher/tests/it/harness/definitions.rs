//! Integrations, defined in a line.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_model::{
    Change, Clock, DeliveryOrdering, Direction, Event, EventType, ExecutionUser, HttpMethod, Integration,
    IntegrationId, Json, Logic, LogicId, LogicKind, OutgoingSettings, Settings, Subscription, SystemRandomness,
    Timestamp, UserId,
};

use super::{World, order, tenant};

/// An OUTGOING Integration to be; by default a POST on every change of `Order`.
pub(crate) struct Definition {
    name: String,
    url: String,
    method: HttpMethod,
    core: String,
    enable: Option<String>,
    events: Vec<EventType>,
    active: bool,
    expiry_date: Option<Timestamp>,
    settings: Settings,
}

impl Definition {
    pub(crate) fn new(name: &str, url: impl Into<String>, core: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.into(),
            method: HttpMethod::Post,
            core: core.to_owned(),
            enable: None,
            events: vec![EventType::Create, EventType::Update, EventType::Delete],
            active: true,
            expiry_date: None,
            settings: Settings::default(),
        }
    }

    /// One call at a time for each object, in the order of its events.
    pub(crate) fn in_order(mut self) -> Self {
        self.settings.outgoing.ordering = DeliveryOrdering::PerObject;
        self
    }

    pub(crate) fn get(mut self) -> Self {
        self.method = HttpMethod::Get;
        self
    }

    pub(crate) fn enabled_by(mut self, script: &str) -> Self {
        self.enable = Some(script.to_owned());
        self
    }

    pub(crate) fn inactive(mut self) -> Self {
        self.active = false;
        self
    }

    pub(crate) fn until(mut self, end: Timestamp) -> Self {
        self.expiry_date = Some(end);
        self
    }

    pub(crate) fn masking(mut self, header: &str) -> Self {
        self.settings.masked_headers.push(header.to_owned());
        self
    }

    pub(crate) fn with(mut self, outgoing: OutgoingSettings) -> Self {
        self.settings.outgoing = outgoing;
        self
    }

    pub(crate) fn on(mut self, event: EventType) -> Self {
        self.events = vec![event];
        self
    }

    pub(crate) async fn insert(self, world: &World) -> IntegrationId {
        let core = logic(world, &self.name, LogicKind::Core, &self.core).await;
        let enable = match &self.enable {
            Some(script) => Some(logic(world, &self.name, LogicKind::Enable, script).await),
            None => None,
        };
        let id = IntegrationId::generate(&*world.clock, &SystemRandomness);
        let now = world.clock.now();
        let object_type = order();
        let subscribed = |event_type| Subscription { object_type: object_type.clone(), event_type };
        let integration = Integration {
            id,
            tenant: tenant(),
            name: self.name.clone(),
            description: None,
            direction: Direction::Outgoing {
                url: self.url,
                subscriptions: self.events.into_iter().map(subscribed).collect(),
            },
            http_method: self.method,
            active: self.active,
            effective_date: None,
            expiry_date: self.expiry_date,
            core_logic: core,
            enable_logic: enable,
            core_version: None,
            enable_version: None,
            settings: self.settings,
            paused: None,
            execution_user: ExecutionUser {
                id: UserId::generate(&*world.clock, &SystemRandomness),
                username: format!("integration/{}", self.name),
            },
            created_at: now,
            updated_at: now,
        };
        world.store.insert_integration(&integration, None, &definition_event(world)).await.unwrap();
        id
    }
}

async fn logic(world: &World, name: &str, kind: LogicKind, source: &str) -> LogicId {
    let now = world.clock.now();
    let logic = Logic {
        id: LogicId::generate(&*world.clock, &SystemRandomness),
        tenant: tenant(),
        name: format!("{name}-{kind:?}"),
        kind,
        description: None,
        source: source.into(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    world.store.insert_logic(&logic, &definition_event(world)).await.unwrap();
    logic.id
}

/// The event of a change of a definition; it stays in the outbox here.
pub(crate) fn definition_event(world: &World) -> Event {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Event {
        id: format!("definition-{}", NEXT.fetch_add(1, Ordering::Relaxed)).parse().unwrap(),
        tenant: tenant(),
        object_type: "Integration".parse().unwrap(),
        object_id: "any".parse().unwrap(),
        change: Change::Create { new: Json::empty_object() },
        time: world.clock.now(),
    }
}
