//! What is remembered of a destination for longer than a process lives: since when nothing arrived, and that its Integration is paused.
//!
//! The database knows both. So that a call that arrives costs no statement, it is asked again only after a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::contract::Notices;
use tidegate_model::{
    AuditEntry, Change, Clock, Error, Event, EventId, Face, Integration, InvalidId, Made, ObjectId, Pause, PauseReason,
    Randomness, Timestamp, Trace, TypeName, former_state, micros,
};
use tidegate_model::{IntegrationId, TenantId};
use tidegate_storage::Store;

/// How long what the database said is believed: another process may have told it something else.
const BELIEVED: TimeDelta = TimeDelta::minutes(10);

/// How many destinations are remembered before the old ones are forgotten.
const MOST: usize = 20_000;

/// How destinations stand.
pub(crate) struct Standings {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) notices: Arc<dyn Notices>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// After so long without a call that arrived, the Integration is paused.
    pub(crate) patience: Duration,
    pub(crate) known: Mutex<HashMap<IntegrationId, Known>>,
}

/// What the database was told, or said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    failing_since: Option<Timestamp>,
    at: Timestamp,
}

impl Standings {
    /// A call arrived.
    pub(crate) async fn arrived(&self, tenant: &TenantId, id: IntegrationId) {
        if self.believed(id).is_some_and(|known| known.failing_since.is_none()) {
            return;
        }
        // The store has logged why it could not; the next call that arrives says it again.
        if self.store.note_arrival(tenant, id).await.is_ok() {
            self.remember(id, None);
        }
    }

    /// A call failed. Since when none has arrived, where that is so long that the Integration is to be paused.
    pub(crate) async fn failed(&self, tenant: &TenantId, id: IntegrationId) -> Option<Timestamp> {
        let now = self.clock.now();
        let patience = TimeDelta::from_std(self.patience).unwrap_or(TimeDelta::MAX);
        let is_long = |since: Timestamp| now - since >= patience;
        match self.believed(id).and_then(|known| known.failing_since) {
            Some(since) if !is_long(since) => return None,
            _ => {}
        }
        let since = self.store.note_failure(tenant, id, now).await.ok().flatten()?;
        self.remember(id, Some(since));
        is_long(since).then_some(since)
    }

    /// Pauses the Integration; whether it is paused now.
    pub(crate) async fn pause(&self, tenant: &TenantId, id: IntegrationId, reason: PauseReason) -> bool {
        match self.try_pause(tenant, id, reason).await {
            Ok(paused) => paused,
            Err(error) => {
                tracing::error!(%tenant, integration = %id, reason = reason.as_str(), %error, "an Integration cannot be paused");
                false
            }
        }
    }

    async fn try_pause(&self, tenant: &TenantId, id: IntegrationId, reason: PauseReason) -> Result<bool, Error> {
        let Some(before) = self.store.integration(tenant, id).await? else { return Ok(false) };
        if before.paused.is_some() {
            return Ok(true);
        }
        let pause = Pause { reason, since: micros(self.clock.now()) };
        let after = Integration { paused: Some(pause), ..before.clone() };
        let event = self.event(&before, &after)?;
        let trace = Trace::of_system(Face::System, "pauseIntegration");
        let told = AuditEntry::of(&*self.clock, &*self.randomness, Some(tenant), trace, Made::from(&event));
        if self.store.audited(vec![told]).pause(tenant, id, pause, &event).await? {
            tracing::warn!(%tenant, integration = %id, reason = reason.as_str(), "an Integration is paused");
            self.notices.announce().await;
        }
        self.known().remove(&id);
        Ok(true)
    }

    /// The change of the built-in type `Integration`.
    fn event(&self, before: &Integration, after: &Integration) -> Result<Event, Error> {
        let misnamed = |_: InvalidId| Error::Internal { id: "built-in:Integration".to_owned() };
        let object_type: TypeName = "Integration".parse().map_err(misnamed)?;
        let object_id: ObjectId = before.id.to_string().try_into().map_err(misnamed)?;
        let new = after.state();
        Ok(Event {
            id: EventId::generate(&*self.clock, &*self.randomness),
            tenant: before.tenant.clone(),
            object_type,
            object_id,
            change: Change::Update { old: former_state(&before.state(), &new), new },
            time: self.clock.now(),
        })
    }

    fn believed(&self, id: IntegrationId) -> Option<Known> {
        let now = self.clock.now();
        self.known().get(&id).copied().filter(|known| now - known.at < BELIEVED)
    }

    fn remember(&self, id: IntegrationId, failing_since: Option<Timestamp>) {
        let at = self.clock.now();
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, known| at - known.at < BELIEVED);
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(id, Known { failing_since, at });
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<IntegrationId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
