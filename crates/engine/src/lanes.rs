//! Each tenant's share of the engine: one that waits for slow answers waits in its own lane, and nobody behind it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_model::TenantId;
use tokio::sync::Semaphore;

/// The lanes of the tenants that have runs in hand.
#[derive(Debug)]
pub(crate) struct Lanes {
    width: usize,
    lanes: Mutex<HashMap<TenantId, Arc<Lane>>>,
}

#[derive(Debug)]
struct Lane {
    tenant: TenantId,
    places: Semaphore,
    /// Those that have a place, and those that wait for one. It only grows while the map is held.
    inside: AtomicUsize,
}

/// A place in a tenant's lane, until dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    all: &'a Lanes,
    lane: Arc<Lane>,
    taken: bool,
}

impl Lanes {
    /// Makes lanes in which so many runs go side by side.
    pub(crate) fn new(width: usize) -> Self {
        Self { width: width.max(1), lanes: Mutex::default() }
    }

    /// Waits for a place, first come, first served.
    pub(crate) async fn enter(&self, tenant: &TenantId) -> Place<'_> {
        // Made before the wait: giving up the wait leaves the lane, too.
        let mut place = Place { all: self, lane: self.lane_of(tenant), taken: false };
        // Never closed, so there always is a permit.
        if let Ok(permit) = place.lane.places.acquire().await {
            permit.forget();
            place.taken = true;
        }
        place
    }

    fn lane_of(&self, tenant: &TenantId) -> Arc<Lane> {
        let mut lanes = self.lock();
        if let Some(lane) = lanes.get(tenant) {
            lane.inside.fetch_add(1, Ordering::Relaxed);
            return Arc::clone(lane);
        }
        let places = Semaphore::new(self.width);
        let lane = Arc::new(Lane { tenant: tenant.clone(), places, inside: AtomicUsize::new(1) });
        lanes.insert(tenant.clone(), Arc::clone(&lane));
        lane
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.taken {
            self.lane.places.add_permits(1);
        }
        if self.lane.inside.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let mut lanes = self.all.lock();
        // Somebody may have come since, or have gone again and have taken the lane away.
        let is_empty = self.lane.inside.load(Ordering::Relaxed) == 0;
        if is_empty && lanes.get(&self.lane.tenant).is_some_and(|lane| Arc::ptr_eq(lane, &self.lane)) {
            lanes.remove(&self.lane.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_lane_is_forgotten() {
        let lanes = Lanes::new(2);
        let acme: TenantId = "acme".parse().unwrap();
        let (first, second) = (lanes.enter(&acme).await, lanes.enter(&acme).await);
        let third = tokio::time::timeout(std::time::Duration::ZERO, lanes.enter(&acme)).await;
        assert!(third.is_err());
        drop((first, second));
        assert!(lanes.lanes.lock().unwrap().is_empty());
        let kept = lanes.enter(&acme).await;
        assert_eq!(lanes.lanes.lock().unwrap().len(), 1);
        drop(kept);
    }
}
