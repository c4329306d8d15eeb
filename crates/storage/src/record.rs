//! A record as its table keeps it, ready to be inserted with many others.

use tidegate_model::Execution;
use uuid::Uuid;

use crate::body;
use crate::codec::trigger;

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
