//! One event becomes one delivery per Integration that listens to it.

use tidegate_model::contract::Registry;
use tidegate_model::{
    Clock, Delivery, Error, Event, EventRef, Execution, ExecutionId, Randomness, Runnable, Status, Trigger,
};

/// The deliveries of an event: one per matching Integration, inactive ones included, for those leave records too.
///
/// The tenant of a foreign publisher's event may not exist; then the error says so, and is not the registry's absence.
pub(crate) async fn fan_out(
    event: &Event,
    registry: &dyn Registry,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<Vec<Delivery>, Error> {
    let listening = registry.subscribers(&event.tenant, &event.object_type, event.change.event_type()).await?;
    Ok(listening.iter().map(|runnable| delivery(event, runnable, clock, randomness)).collect())
}

fn delivery(event: &Event, runnable: &Runnable, clock: &dyn Clock, randomness: &dyn Randomness) -> Delivery {
    let now = clock.now();
    let execution = Execution {
        id: ExecutionId::generate(clock, randomness),
        tenant: event.tenant.clone(),
        integration: runnable.integration.id,
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
        execution_user: runnable.integration.execution_user.clone(),
        replay_of: None,
    };
    let ordering = runnable.integration.settings.outgoing.ordering;
    Delivery { execution, event: event.clone(), plan: None, next_at: now, ordering }
}
