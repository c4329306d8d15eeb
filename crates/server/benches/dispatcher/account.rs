//! Whose the processors' time was.

use std::fmt;
use std::time::Duration;

use crate::shared::as_float;
use crate::shared::process::{Machine, own_processor_time};
use crate::shared::tidegate::Tidegate;

/// Of a while, or since all began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Tidegate's, by role.
    roles: Vec<(&'static str, Duration)>,
    /// This process's: the load and the sink.
    own: Duration,
    machine: Machine,
    deliveries: usize,
}

impl Account {
    pub(crate) fn so_far(tidegate: &Tidegate) -> Self {
        let machine = Machine::so_far();
        Self { roles: tidegate.processor_times(), own: own_processor_time(), machine, deliveries: 0 }
    }

    /// What came on top of it, for so many deliveries.
    pub(crate) fn until_now(&self, tidegate: &Tidegate, deliveries: usize) -> Self {
        let now = Self::so_far(tidegate);
        let roles = now.roles.iter().zip(&self.roles);
        Self {
            roles: roles.map(|((role, now), (_, then))| (*role, now.saturating_sub(*then))).collect(),
            own: now.own.saturating_sub(self.own),
            machine: Machine {
                busy: now.machine.busy.saturating_sub(self.machine.busy),
                idle: now.machine.idle.saturating_sub(self.machine.idle),
            },
            deliveries,
        }
    }

    /// Both of them, one after the other.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        if self.roles.is_empty() {
            return other.clone();
        }
        self.roles.iter_mut().zip(&other.roles).for_each(|((_, sum), (_, more))| *sum += *more);
        self.own += other.own;
        self.machine.busy += other.machine.busy;
        self.machine.idle += other.machine.idle;
        self.deliveries += other.deliveries;
        self
    }

    fn tidegate(&self) -> Duration {
        self.roles.iter().map(|(_, used)| *used).sum()
    }

    /// Microseconds of Tidegate's for each delivery.
    pub(crate) fn per_delivery(&self) -> f64 {
        self.each(self.tidegate())
    }

    fn each(&self, used: Duration) -> f64 {
        used.as_secs_f64() * 1e6 / as_float(self.deliveries.max(1))
    }
}

/// Microseconds for each delivery; what nobody here used is the servers', and whatever else runs.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.roles.len() > 1 {
            for (role, used) in &self.roles {
                write!(f, "{role} {:.0}, ", self.each(*used))?;
            }
        }
        let others = self.machine.busy.saturating_sub(self.own + self.tidegate());
        let whole = self.machine.busy + self.machine.idle;
        let idle = self.machine.idle.as_secs_f64() * 100.0 / whole.as_secs_f64().max(f64::EPSILON);
        write!(
            f,
            "load and sink {:.0}, all others {:.0}; processors idle {idle:.0} of 100",
            self.each(self.own),
            self.each(others)
        )
    }
}
