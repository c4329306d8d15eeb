//! What an engine has done since it was started.

use std::sync::atomic::{AtomicU64, Ordering};

/// What an engine has done since it was started: how well machines and compiled scripts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scripts that were run, enable and core logic each.
    pub scripts: u64,
    /// How many of them had to be compiled first.
    pub compiled: u64,
    /// Virtual machines that were made.
    pub machines: u64,
    /// Compiled scripts that are kept now, in all machines together.
    pub kept: u64,
}

/// Where all Lua threads count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    scripts: AtomicU64,
    compiled: AtomicU64,
    machines: AtomicU64,
    kept: AtomicU64,
}

impl Counters {
    pub(crate) fn script(&self) {
        self.scripts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn compiled(&self) {
        self.compiled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn machine(&self) {
        self.machines.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn kept(&self, scripts: u64) {
        self.kept.fetch_add(scripts, Ordering::Relaxed);
    }

    pub(crate) fn let_go(&self, scripts: u64) {
        self.kept.fetch_sub(scripts, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            scripts: read(&self.scripts),
            compiled: read(&self.compiled),
            machines: read(&self.machines),
            kept: read(&self.kept),
        }
    }
}
