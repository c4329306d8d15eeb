//! The tenants whose scripts keep a Lua thread to themselves, where they cannot give way, while others wait for it. For a while they run
//! on another thread, so that nobody else waits for them again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidegate_model::TenantId;

/// So long they run apart after they did not give way.
const FOR: Duration = Duration::from_secs(30);

/// The tenants that run apart.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    any: AtomicBool,
    until: Mutex<HashMap<TenantId, Instant>>,
}

impl Apart {
    /// Notes that scripts of a tenant did not give way.
    pub(crate) fn note(&self, tenant: &TenantId, now: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, until| *until > now);
        until.insert(tenant.clone(), now + FOR);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Whether no tenant runs apart.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Relaxed)
    }

    /// Whether a tenant runs apart.
    pub(crate) fn has(&self, tenant: &TenantId, now: Instant) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.get(tenant).is_some_and(|until| *until <= now) {
            until.remove(tenant);
            self.any.store(!until.is_empty(), Ordering::Relaxed);
        }
        until.contains_key(tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_runs_apart_for_a_while() {
        let (apart, now) = (Apart::default(), Instant::now());
        let (acme, other): (TenantId, TenantId) = ("acme".parse().unwrap(), "other".parse().unwrap());
        assert!(!apart.has(&acme, now));
        apart.note(&acme, now);
        assert!(apart.has(&acme, now) && !apart.has(&other, now));
        apart.note(&acme, now + FOR / 2);
        assert!(apart.has(&acme, now + FOR) && !apart.has(&acme, now + FOR * 2));
        assert!(apart.is_empty());
    }
}
