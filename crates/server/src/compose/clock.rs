//! One clock for all processes on one PostgreSQL: its own.
//!
//! Leases are instants, written by one process and judged by another: with clocks that differ by more than a lease, each would take from the other
//! what that one has in hand. A machine's clock that is right stays in use as it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{Clock, Error, SystemClock, Timestamp};
use tidegate_storage::Store;
use tokio_util::sync::CancellationToken;

/// So far a clock may be off: less than anything here is sensitive to, more than a measurement over a network is.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// A measurement that took longer says nothing.
const QUICK: TimeDelta = TimeDelta::milliseconds(500);

/// Between two measurements.
const ROUND: Duration = Duration::from_secs(10);

/// The machine's clock, put right by what the database's says.
#[derive(Default)]
pub(super) struct SharedClock {
    /// By how much this machine's is behind, in microseconds; 0 within the tolerance.
    behind: AtomicI64,
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + TimeDelta::microseconds(self.behind.load(Ordering::Relaxed))
    }
}

impl SharedClock {
    /// Measures once.
    pub(super) async fn compare(&self, store: &dyn Store) -> Result<(), Error> {
        let asked = SystemClock.now();
        let Some(told) = store.time().await? else { return Ok(()) };
        let answered = SystemClock.now();
        if answered - asked > QUICK {
            return Ok(());
        }
        let behind = told - (asked + (answered - asked) / 2);
        let behind = if behind.abs() > TOLERANCE { behind } else { TimeDelta::zero() };
        let micros = behind.num_microseconds().unwrap_or(0);
        let before = TimeDelta::microseconds(self.behind.swap(micros, Ordering::Relaxed));
        if (behind - before).abs() > TOLERANCE {
            let seconds = behind.num_seconds();
            if seconds == 0 {
                tracing::info!("this machine's clock agrees with the database's again");
            } else {
                tracing::warn!(
                    seconds,
                    "this machine's clock is behind the database's (less than 0: ahead), which counts: set it right"
                );
            }
        }
        Ok(())
    }

    /// Goes on measuring until `stop`.
    pub(super) async fn follow(&self, store: &dyn Store, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_some() {
            // The next measurement does as well.
            let _ = self.compare(store).await;
        }
    }
}
