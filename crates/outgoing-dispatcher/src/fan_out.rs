//! One event becomes one delivery per Integration that listens to it.

use tidegate_model::contract::Registry;
use tidegate_model::{Clock, Delivery, Error, Event, ExecutionId, Randomness};

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
    let id = || ExecutionId::generate(clock, randomness);
    let open = listening.iter().map(|one| Delivery::open(event.clone(), &one.integration, id(), clock.now()));
    Ok(open.collect())
}
