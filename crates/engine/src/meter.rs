//! What a run may still spend, and whether it must stop.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mlua::{Lua, VmState};

use crate::stop::Stop;
use crate::watchdog::Watch;

/// A run that has been busy this long lets others on its thread have a turn.
const SLICE: Duration = Duration::from_millis(5);

/// A turn that took less by the clock on the wall is charged that: reading the CPU clock costs a system call.
const SHORT: Duration = Duration::from_millis(1);

/// The account of the script that a virtual machine runs.
pub(crate) struct Meter {
    watch: Arc<Watch>,
    /// How many runs this Lua thread has, those in its queue included.
    load: Arc<AtomicUsize>,
    budget: Cell<Duration>,
    memory: Cell<usize>,
    /// Spent in earlier turns.
    spent: Cell<Duration>,
    /// When this turn began; `None` between turns.
    turn: Cell<Option<Turn>>,
    stop: RefCell<Option<Stop>>,
    /// Where the script was when it was stopped.
    traceback: RefCell<String>,
    /// The last interrupt of a stopped run tried to leave by a yield.
    left: Cell<bool>,
    /// The last interrupt asked for a yield.
    yielded: Cell<bool>,
    nodes: Cell<u32>,
    /// The most that the machine was seen to have.
    peak: Cell<usize>,
}

/// The beginning of a turn.
#[derive(Clone, Copy)]
struct Turn {
    /// By the clock on the wall.
    at: Duration,
    /// By the thread's CPU clock, or up to a millisecond less.
    cpu: Duration,
}

impl Meter {
    pub(crate) fn new(watch: Arc<Watch>, load: Arc<AtomicUsize>) -> Self {
        Self {
            watch,
            load,
            budget: Cell::default(),
            memory: Cell::default(),
            spent: Cell::default(),
            turn: Cell::default(),
            stop: RefCell::default(),
            traceback: RefCell::default(),
            left: Cell::default(),
            yielded: Cell::default(),
            nodes: Cell::default(),
            peak: Cell::default(),
        }
    }

    /// Makes one for a machine that runs no scripts.
    pub(crate) fn unwatched() -> Self {
        Self::new(Arc::new(Watch::unwatched()), Arc::default())
    }

    /// Starts a new account.
    pub(crate) fn open(&self, cpu: Duration, memory: usize) {
        self.budget.set(cpu);
        self.memory.set(memory);
        self.spent.set(Duration::ZERO);
        self.peak.set(0);
        self.stop.replace(None);
        self.traceback.borrow_mut().clear();
        self.left.set(false);
        self.yielded.set(false);
    }

    /// Counts what `work` does on this thread; Lua must not run outside of it.
    pub(crate) fn turn<T>(&self, work: impl FnOnce() -> T) -> T {
        let at = self.watch.now();
        self.turn.set(Some(Turn { at, cpu: self.watch.recent_cpu(at) }));
        self.yielded.set(false);
        if self.stop.borrow().is_some() {
            self.watch.raise();
        } else {
            self.watch.arm(at, SLICE.min(self.budget.get().saturating_sub(self.spent.get())));
        }
        let done = work();
        self.watch.disarm();
        self.spent.set(self.used());
        self.turn.set(None);
        done
    }

    /// Ends the run: every further step of it raises this. The first reason counts.
    pub(crate) fn stop(&self, stop: Stop) -> Stop {
        let first = self.stop.borrow_mut().get_or_insert(stop).clone();
        self.watch.raise();
        first
    }

    /// Ends the run at the line that the script has come to.
    pub(crate) fn stop_here(&self, lua: &Lua, stop: Stop) -> Stop {
        let stop = self.stop(stop);
        let mut traceback = self.traceback.borrow_mut();
        if traceback.is_empty() {
            *traceback = lua.traceback(None, 0).map(|t| t.to_string_lossy()).unwrap_or_default();
        }
        stop
    }

    /// Where the script was when it was stopped; empty when that is not known.
    pub(crate) fn traceback(&self) -> String {
        self.traceback.borrow().clone()
    }

    /// Why the run must stop, if it must.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    /// Refuses to go on once the time is spent. Native code calls it as often as a loop turns.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if !self.watch.is_due() {
            return Ok(());
        }
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        if self.used() >= self.budget.get() {
            return Err(self.stop(Stop::Cpu(self.budget.get())));
        }
        self.watch.arm(self.watch.now(), SLICE.min(self.budget.get().saturating_sub(self.used())));
        Ok(())
    }

    /// Counts a value that is put into the machine or read from it; now and then looks at the memory, which conversions fill without
    /// asking the allocator's limit.
    pub(crate) fn count(&self, lua: &Lua) -> Result<(), Stop> {
        self.nodes.set(self.nodes.get().wrapping_add(1));
        if self.nodes.get().is_multiple_of(128) {
            self.check_memory(lua)?;
        }
        self.check().map_err(|stop| self.stop_here(lua, stop))
    }

    /// Refuses to go on once the machine is larger than it may be.
    pub(crate) fn check_memory(&self, lua: &Lua) -> Result<(), Stop> {
        if self.note_memory(lua) > self.memory.get() {
            return Err(self.stop_here(lua, Stop::Memory(self.memory.get())));
        }
        Ok(())
    }

    /// Looks at how large the machine is.
    pub(crate) fn note_memory(&self, lua: &Lua) -> usize {
        let used = lua.used_memory();
        self.peak.set(self.peak.get().max(used));
        used
    }

    /// The largest that the machine was, as far as anybody looked.
    pub(crate) fn peak(&self) -> usize {
        self.peak.get()
    }

    /// The memory limit in force.
    pub(crate) fn memory(&self) -> usize {
        self.memory.get()
    }

    /// The CPU time spent so far, as it was at the end of the last turn.
    pub(crate) fn spent(&self) -> Duration {
        self.spent.get()
    }

    /// Whether Lua's interrupt has anything to do.
    pub(crate) fn is_due(&self) -> bool {
        self.watch.is_due()
    }

    /// What Lua's interrupt does when it has.
    pub(crate) fn interrupt(&self, lua: &Lua, root: Option<&mlua::Thread>) -> mlua::Result<VmState> {
        if let Err(stop) = self.check() {
            let stop = self.stop_here(lua, stop);
            // Leaving by a yield ends a tower of pcalls at once; where Lua cannot yield it goes on, and is told by an error next.
            let leave = !self.left.get();
            self.left.set(leave);
            return if leave { Ok(VmState::Yield) } else { Err(stop.into()) };
        }
        let turn = self.used().saturating_sub(self.spent.get());
        // A coroutine of the script's own would hand this yield to the script.
        let may_yield = || root.is_some_and(|root| lua.current_thread() == *root);
        if turn >= SLICE && self.load.load(Ordering::Relaxed) > 1 && may_yield() {
            self.yielded.set(true);
            return Ok(VmState::Yield);
        }
        Ok(VmState::Continue)
    }

    /// Whether the thread came back because it lets others have a turn.
    pub(crate) fn take_yielded(&self) -> bool {
        self.yielded.replace(false)
    }

    fn used(&self) -> Duration {
        let Some(turn) = self.turn.get() else { return self.spent.get() };
        let now = self.watch.now();
        let by_the_clock = now.saturating_sub(turn.at);
        if by_the_clock < SHORT {
            return self.spent.get() + by_the_clock;
        }
        self.spent.get() + self.watch.read_cpu(now).saturating_sub(turn.cpu).min(by_the_clock)
    }
}
