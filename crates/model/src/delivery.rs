//! Deliveries: the debts of the platform. One per event and matching Integration, until it has arrived or is dead.

use serde::{Deserialize, Serialize};

use crate::{
    DeliveryOrdering, Event, EventRef, Execution, ExecutionId, HttpMethod, Integration, Json, Status, Timestamp,
    Trigger,
};

/// The call that core logic asked for; made once by the script, attempted until it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// The method.
    pub method: HttpMethod,
    /// Absolute; of a GET with the body in its query.
    pub url: String,
    /// The script's headers: name to text.
    pub headers: Json,
    /// Of a POST: a JSON object.
    pub body: Option<Json>,
}

/// A delivery as whoever makes it holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The record so far; its id is the delivery's, its status is open.
    pub execution: Execution,
    /// Which Integration, event and object: as in the record.
    pub event: Event,
    /// What to call; `None` until the scripts have run.
    pub plan: Option<PlannedCall>,
    /// When it is due.
    pub next_at: Timestamp,
    /// Whether it waits until those before it about its object have ended: its Integration's setting when it was made.
    pub ordering: DeliveryOrdering,
}

impl Delivery {
    /// One that nothing has been done for yet, due at once.
    pub fn open(event: Event, integration: &Integration, id: ExecutionId, now: Timestamp) -> Self {
        let execution = Execution {
            id,
            tenant: event.tenant.clone(),
            integration: integration.id,
            trigger: Trigger::Event,
            status: Status::Pending,
            skip_reason: None,
            started_at: now,
            finished_at: None,
            request: None,
            event: Some(EventRef {
                id: event.id.clone(),
                object_type: event.object_type.clone(),
                event_type: event.change.event_type(),
                object_id: event.object_id.clone(),
            }),
            attempts: Vec::new(),
            next_attempt_at: Some(now),
            calls: Vec::new(),
            enable_result: None,
            core_result: None,
            log: Vec::new(),
            error: None,
            core_logic_version: None,
            enable_logic_version: None,
            execution_user: integration.execution_user.clone(),
            replay_of: None,
        };
        let ordering = integration.settings.outgoing.ordering;
        Self { execution, event, plan: None, next_at: now, ordering }
    }

    /// One that is made because an ended one is to be made again.
    #[must_use]
    pub fn replay_of(mut self, before: ExecutionId) -> Self {
        self.execution.trigger = Trigger::Replay;
        self.execution.replay_of = Some(before);
        self
    }
}
