//! Each tenant's share of the engine: one that waits for slow answers waits in its own lane, and nobody behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_model::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lanes of the tenants that have runs in hand.
#[derive(Debug)]
pub(crate) struct Lanes {
    width: usize,
    lanes: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

/// A place in a tenant's lane, until dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    all: &'a Lanes,
    tenant: TenantId,
    lane: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    /// Makes lanes in which so many runs go side by side.
    pub(crate) fn new(width: usize) -> Self {
        Self { width: width.max(1), lanes: Mutex::default() }
    }

    /// Waits for a place, first come, first served.
    pub(crate) async fn enter(&self, tenant: &TenantId) -> Place<'_> {
        let lane = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            let lane = lanes.entry(tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.width)));
            Arc::clone(lane)
        };
        // Made before the wait: giving up the wait leaves the lane, too.
        let mut place = Place { all: self, tenant: tenant.clone(), lane: Some(Arc::clone(&lane)), permit: None };
        // Never closed, so there always is a permit.
        place.permit = lane.acquire_owned().await.ok();
        place
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.permit = None;
        self.lane = None;
        let mut lanes = self.all.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        // Held by the map alone: nobody is in it, and nobody waits.
        if lanes.get(&self.tenant).is_some_and(|lane| Arc::strong_count(lane) == 1) {
            lanes.remove(&self.tenant);
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
