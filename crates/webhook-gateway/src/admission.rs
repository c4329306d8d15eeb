//! Whose turn it is: so many calls in hand at once, of one Integration, of one tenant, of all.
//!
//! A call waits where it is one too many without holding a place further on: an Integration that is flooded fills its own places and its
//! own queue, and takes none of its tenant's; a tenant takes none of the others'. Queues are bounded in length and in time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_model::{IntegrationId, TenantId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many calls of the same may be in hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widths {
    pub(crate) tenant: usize,
    pub(crate) integration: usize,
}

/// The calls in hand.
#[derive(Debug)]
pub(crate) struct Admission {
    all: Arc<Gate>,
    /// Those that somebody holds or waits for.
    gates: Mutex<HashMap<Whose, Arc<Gate>>>,
    waiting: usize,
    patience: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whose {
    Tenant(TenantId),
    Integration(TenantId, IntegrationId),
}

#[derive(Debug)]
struct Gate {
    width: usize,
    places: Arc<Semaphore>,
    /// One permit for each call that may wait.
    queue: Semaphore,
}

/// Too many calls are in hand, and too many wait or have waited too long.
#[derive(Debug)]
pub(crate) struct Full;

/// A call's place in hand, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _all: OwnedSemaphorePermit,
    _tenant: Place,
    _integration: Place,
}

#[derive(Debug)]
struct Place {
    admission: Arc<Admission>,
    whose: Whose,
    gate: Option<Arc<Gate>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// Lets in `all` calls at once; as many may wait at each gate, each for `patience` altogether.
    pub(crate) fn new(all: usize, patience: Duration) -> Self {
        Self { all: Arc::new(Gate::new(all, all)), gates: Mutex::default(), waiting: all, patience }
    }

    /// Waits for a turn.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        tenant: &TenantId,
        integration: IntegrationId,
        widths: Widths,
    ) -> Result<Turn, Full> {
        let deadline = Instant::now() + self.patience;
        let place = self.place(Whose::Integration(tenant.clone(), integration), widths.integration);
        let integration = place.enter(deadline).await?;
        let place = self.place(Whose::Tenant(tenant.clone()), widths.tenant);
        let tenant = place.enter(deadline).await?;
        let all = self.all.enter(deadline).await?;
        Ok(Turn { _all: all, _tenant: tenant, _integration: integration })
    }

    fn place(self: &Arc<Self>, whose: Whose, width: usize) -> Place {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let known = gates.get(&whose).filter(|gate| gate.width == width).cloned();
        let gate = known.unwrap_or_else(|| {
            // One of another width was set up before a change; who is in it ends there.
            let gate = Arc::new(Gate::new(width, self.waiting));
            gates.insert(whose.clone(), gate.clone());
            gate
        });
        Place { admission: self.clone(), whose, gate: Some(gate), permit: None }
    }
}

impl Gate {
    fn new(width: usize, waiting: usize) -> Self {
        let most = |permits: usize| permits.clamp(1, Semaphore::MAX_PERMITS);
        Self { width, places: Arc::new(Semaphore::new(most(width))), queue: Semaphore::new(most(waiting)) }
    }

    async fn enter(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(permit) = self.places.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _waits = self.queue.try_acquire().map_err(|_| Full)?;
        match timeout_at(deadline, self.places.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }
}

impl Place {
    async fn enter(mut self, deadline: Instant) -> Result<Self, Full> {
        let gate = self.gate.clone().ok_or(Full)?;
        self.permit = Some(gate.enter(deadline).await?);
        Ok(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        self.gate = None;
        let mut gates = self.admission.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // Held by the map alone: nobody is in it, and nobody waits.
        if gates.get(&self.whose).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const WIDTHS: Widths = Widths { tenant: 2, integration: 1 };

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    async fn enter(admission: &Arc<Admission>, of: &str, integration: u128, widths: Widths) -> Result<Turn, Full> {
        admission.enter(&tenant(of), IntegrationId(Uuid::from_u128(integration)), widths).await
    }

    #[tokio::test]
    async fn an_integration_fills_its_own_places_a_tenant_its_own_and_all_of_them_all() {
        let admission = Arc::new(Admission::new(4, Duration::from_millis(1)));
        let one = enter(&admission, "acme", 1, WIDTHS).await.unwrap();
        assert!(enter(&admission, "acme", 1, WIDTHS).await.is_err(), "the Integration's place is taken");
        let two = enter(&admission, "acme", 2, WIDTHS).await.unwrap();
        assert!(enter(&admission, "acme", 3, WIDTHS).await.is_err(), "the tenant's places are taken");
        let _others = [
            enter(&admission, "other", 1, WIDTHS).await.unwrap(),
            enter(&admission, "other", 2, WIDTHS).await.unwrap(),
        ];
        assert!(enter(&admission, "third", 1, WIDTHS).await.is_err(), "all places are taken");
        drop(one);
        let three = enter(&admission, "third", 1, WIDTHS).await.unwrap();
        drop((two, three));
        enter(&admission, "acme", 1, WIDTHS).await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_gets_the_next_turn_and_who_is_one_too_many_does_not_wait() {
        let admission = Arc::new(Admission::new(1, Duration::from_mins(1)));
        let widths = Widths { tenant: 1, integration: 1 };
        let first = enter(&admission, "acme", 1, widths).await.unwrap();
        let mut second = Box::pin(enter(&admission, "acme", 1, widths));
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut second).await.is_err());
        assert!(
            enter(&admission, "acme", 1, widths).await.is_err(),
            "the queue is full: told at once, within the minute"
        );
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn a_width_that_is_changed_holds_for_the_next_and_an_empty_gate_is_forgotten() {
        let admission = Arc::new(Admission::new(4, Duration::from_millis(1)));
        let old = enter(&admission, "acme", 1, WIDTHS).await.unwrap();
        let wide = Widths { integration: 2, tenant: 4 };
        let new = enter(&admission, "acme", 1, wide).await.unwrap();
        let newer = enter(&admission, "acme", 1, wide).await.unwrap();
        assert!(enter(&admission, "acme", 1, wide).await.is_err());
        drop(old);
        assert_eq!(admission.gates.lock().unwrap().len(), 2);
        drop((new, newer));
        assert!(admission.gates.lock().unwrap().is_empty());
    }
}
