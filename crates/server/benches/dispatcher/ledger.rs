//! When each event was accepted, and when its call came.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Events by their numbers; shared by those who publish and those who are called.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Inner>);

struct Inner {
    begun: Instant,
    next: AtomicUsize,
    /// Microseconds since then; 0 is not yet.
    accepted: Vec<AtomicU64>,
    arrived: Vec<AtomicU64>,
    calls: AtomicUsize,
    repeated: AtomicUsize,
}

impl Ledger {
    /// For so many events in all.
    pub(crate) fn new(most: usize) -> Self {
        let times = || (0..most).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner {
            begun: Instant::now(),
            next: AtomicUsize::new(0),
            accepted: times(),
            arrived: times(),
            calls: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
        }))
    }

    /// Numbers that nobody has.
    pub(crate) fn take(&self, count: usize) -> Range<usize> {
        let first = self.0.next.fetch_add(count, Relaxed);
        assert!(first + count <= self.0.accepted.len(), "the ledger is full: {} events", self.0.accepted.len());
        first..first + count
    }

    pub(crate) fn accept(&self, number: usize) {
        self.0.accepted[number].store(self.now(), Relaxed);
    }

    pub(crate) fn arrive(&self, number: usize) {
        self.0.calls.fetch_add(1, Relaxed);
        if self.0.arrived[number].swap(self.now(), Relaxed) != 0 {
            self.0.repeated.fetch_add(1, Relaxed);
        }
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Relaxed)
    }

    /// Calls of what had arrived before.
    pub(crate) fn repeated(&self) -> usize {
        self.0.repeated.load(Relaxed)
    }

    /// How many of these have arrived.
    pub(crate) fn arrived(&self, numbers: impl Iterator<Item = usize>) -> usize {
        numbers.filter(|number| self.0.arrived[*number].load(Relaxed) != 0).count()
    }

    /// Waits until all of these have arrived; `false` where for so long none did.
    pub(crate) async fn all_arrive(&self, numbers: impl Iterator<Item = usize>, patience: Duration) -> bool {
        let mut left: Vec<usize> = numbers.collect();
        let (mut calls, mut at) = (self.calls(), Instant::now());
        loop {
            left.retain(|number| self.0.arrived[*number].load(Relaxed) == 0);
            if left.is_empty() {
                return true;
            }
            if self.calls() != calls {
                (calls, at) = (self.calls(), Instant::now());
            } else if at.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The last arrival among these, since the beginning.
    pub(crate) fn last_arrival(&self, numbers: Range<usize>) -> Duration {
        let last = numbers.map(|number| self.0.arrived[number].load(Relaxed)).max();
        Duration::from_micros(last.unwrap_or_default())
    }

    /// Milliseconds from acceptance to arrival, sorted; of what has arrived.
    pub(crate) fn latencies(&self, numbers: impl Iterator<Item = usize>) -> Vec<f64> {
        let time = |all: &[AtomicU64], number: usize| all[number].load(Relaxed);
        let mut all: Vec<f64> = numbers
            .filter_map(|number| match (time(&self.0.accepted, number), time(&self.0.arrived, number)) {
                (0, _) | (_, 0) => None,
                // The call may come before the publisher has read its answer.
                (accepted, arrived) => {
                    Some(Duration::from_micros(arrived.saturating_sub(accepted)).as_secs_f64() * 1e3)
                }
            })
            .collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// By how many places at most something came before what is older; of what has arrived.
    pub(crate) fn disorder(&self, numbers: Range<usize>) -> usize {
        let mut came: Vec<(u64, usize)> =
            numbers.map(|number| (self.0.arrived[number].load(Relaxed), number)).filter(|(at, _)| *at != 0).collect();
        came.sort_unstable();
        let mut newest = 0;
        let mut most = 0;
        for (_, number) in came {
            newest = newest.max(number);
            most = most.max(newest - number);
        }
        most
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.begun.elapsed()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }
}
