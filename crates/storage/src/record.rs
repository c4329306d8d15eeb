//! A record or a delivery as its table keeps it, ready to be stored with many others.

use tidegate_model::Execution;
use uuid::Uuid;

use crate::body::{self, DeliveryBody};
use crate::codec::trigger;
use crate::contract::{Hold, Kept};

/// Narrow key columns, and the packed whole.
pub(crate) struct RecordRow<'e> {
    pub(crate) tenant: &'e str,
    pub(crate) id: Uuid,
    pub(crate) integration: Uuid,
    pub(crate) status: &'static str,
    pub(crate) trigger: &'static str,
    pub(crate) started_at: i64,
    pub(crate) event_id: Option<&'e str>,
    pub(crate) object_type: Option<&'e str>,
    pub(crate) object_id: Option<&'e str>,
    pub(crate) search: String,
    pub(crate) body: Vec<u8>,
}

impl<'e> RecordRow<'e> {
    /// Packs a record.
    pub(crate) fn of(execution: &'e Execution) -> Result<Self, sqlx::Error> {
        let event = execution.event.as_ref();
        Ok(Self {
            tenant: execution.tenant.as_str(),
            id: execution.id.0,
            integration: execution.integration.0,
            status: execution.status.as_str(),
            trigger: trigger(execution.trigger),
            started_at: execution.started_at.timestamp_micros(),
            event_id: event.map(|e| e.id.as_str()),
            object_type: event.map(|e| e.object_type.as_str()),
            object_id: event.map(|e| e.object_id.as_str()),
            search: body::search_text(execution),
            body: body::pack(execution)?,
        })
    }
}

/// A delivery that is new.
pub(crate) struct DeliveryRow<'e> {
    pub(crate) tenant: &'e str,
    pub(crate) id: Uuid,
    pub(crate) integration: Uuid,
    pub(crate) status: &'static str,
    pub(crate) trigger: &'static str,
    pub(crate) started_at: i64,
    pub(crate) event_id: &'e str,
    pub(crate) object_type: &'e str,
    pub(crate) object_id: &'e str,
    pub(crate) next_at: i64,
    pub(crate) lease: Option<(Uuid, i64)>,
    pub(crate) place: Option<i64>,
    pub(crate) parked: bool,
    pub(crate) search: String,
    pub(crate) body: Vec<u8>,
}

/// An event that may be new.
pub(crate) struct EventRow<'e> {
    pub(crate) tenant: &'e str,
    pub(crate) id: &'e str,
    pub(crate) body: Vec<u8>,
}

/// What changes of a delivery that stays open.
pub(crate) struct KeptRow<'e> {
    pub(crate) tenant: &'e str,
    pub(crate) id: Uuid,
    pub(crate) status: &'static str,
    pub(crate) search: String,
    pub(crate) body: Vec<u8>,
    pub(crate) next_at: i64,
    pub(crate) leased_until: Option<i64>,
    /// Where it is not leased.
    pub(crate) parked: bool,
}

impl<'e> KeptRow<'e> {
    /// Packs a delivery.
    pub(crate) fn of(kept: &Kept<'e>) -> Result<Self, sqlx::Error> {
        let (delivery, record) = (kept.delivery, &kept.delivery.execution);
        let leased_until = match kept.hold {
            Hold::Leased(until) => Some(until.timestamp_micros()),
            Hold::Due | Hold::Waiting => None,
        };
        Ok(Self {
            tenant: record.tenant.as_str(),
            id: record.id.0,
            status: record.status.as_str(),
            search: body::search_text(record),
            body: body::pack(&DeliveryBody { execution: record, plan: delivery.plan.as_ref() })?,
            next_at: delivery.next_at.timestamp_micros(),
            leased_until,
            parked: kept.hold == Hold::Waiting,
        })
    }
}
