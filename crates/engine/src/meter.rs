//! What a run may still spend, and whether it must stop.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlua::{Lua, VmState};

use crate::answers::{Answers, TOGETHER};
use crate::stop::Stop;
use crate::watchdog::Watch;

/// A run that has been busy this long lets others on its thread have a turn.
const SLICE: Duration = Duration::from_millis(5);

/// What is new gets its turn when a run that has just begun has been busy this long: most have ended by then.
const FIRST_SLICE: Duration = Duration::from_millis(1);

/// The same for a run that has had a turn before.
const SHORT_SLICE: Duration = Duration::from_micros(250);

/// A turn that took less by the clock on the wall is charged that: reading the CPU clock costs a system call.
const SHORT: Duration = Duration::from_millis(1);

/// The account of the script that a virtual machine runs.
pub(crate) struct Meter {
    watch: Arc<Watch>,
    /// What its Lua thread keeps back meanwhile.
    answers: Rc<Answers>,
    budget: Cell<Duration>,
    memory: Cell<usize>,
    /// When the first turn began.
    began: Cell<Option<Duration>>,
    /// Spent in earlier turns.
    spent: Cell<Duration>,
    /// When this turn began; `None` between turns.
    turn: Cell<Option<Turn>>,
    stop: RefCell<Option<Stop>>,
    /// Where the script was when it was stopped.
    traceback: RefCell<String>,
    /// The last interrupt of a stopped run tried to leave by a yield.
    left: Cell<bool>,
    /// The coroutines that have been asked to let others have a turn; one that is still there when it is asked again could not.
    asked: RefCell<Vec<*const c_void>>,
    /// What was spent when somebody new was first seen to wait in this turn.
    held_from: Cell<Option<Duration>>,
    /// The longest that anybody was kept waiting since then.
    held: Cell<Duration>,
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
    pub(crate) fn new(watch: Arc<Watch>, answers: Rc<Answers>) -> Self {
        Self {
            watch,
            answers,
            budget: Cell::default(),
            memory: Cell::default(),
            began: Cell::default(),
            spent: Cell::default(),
            turn: Cell::default(),
            stop: RefCell::default(),
            traceback: RefCell::default(),
            left: Cell::default(),
            asked: RefCell::default(),
            held_from: Cell::default(),
            held: Cell::default(),
            nodes: Cell::default(),
            peak: Cell::default(),
        }
    }

    /// Makes one for a machine that runs no scripts.
    pub(crate) fn unwatched() -> Self {
        Self::new(Arc::new(Watch::unwatched()), Rc::default())
    }

    /// Starts a new account.
    pub(crate) fn open(&self, cpu: Duration, memory: usize) {
        self.budget.set(cpu);
        self.memory.set(memory);
        self.began.set(None);
        self.spent.set(Duration::ZERO);
        self.peak.set(0);
        self.stop.replace(None);
        self.traceback.borrow_mut().clear();
        self.left.set(false);
        self.asked.borrow_mut().clear();
        self.held.set(Duration::ZERO);
    }

    /// Counts what `work` does on this thread; Lua must not run outside of it.
    pub(crate) fn turn<T>(&self, work: impl FnOnce() -> T) -> T {
        let at = self.watch.now();
        self.began.set(self.began.get().or(Some(at)));
        self.turn.set(Some(Turn { at, cpu: self.watch.recent_cpu(at) }));
        if self.stop.borrow().is_some() {
            self.watch.raise();
        } else {
            let most = if self.answers.are_kept() { FIRST_SLICE } else { SLICE };
            self.watch.arm(at, most.min(self.slice()).min(self.budget.get().saturating_sub(self.spent.get())));
        }
        let done = work();
        self.watch.disarm();
        self.spent.set(self.used());
        self.turn.set(None);
        if let Some(from) = self.held_from.take() {
            self.held.set(self.held.get().max(self.spent.get().saturating_sub(from)));
        }
        done
    }

    /// Notes that what comes now takes long: nobody is to wait for it for nothing.
    pub(crate) fn hurry(&self) {
        self.answers.give();
    }

    /// When the script began.
    pub(crate) fn began(&self) -> Instant {
        self.watch.moment(self.began.get().unwrap_or_else(|| self.watch.now()))
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
        let used = self.used();
        if used >= self.budget.get() {
            return Err(self.stop(Stop::Cpu(self.budget.get())));
        }
        if used.saturating_sub(self.spent.get()) > TOGETHER {
            self.answers.give();
        }
        if self.watch.is_waited_for() {
            self.held_from.set(self.held_from.get().or(Some(self.used())));
        }
        self.watch.arm(self.watch.now(), self.slice().min(self.budget.get().saturating_sub(self.used())));
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
    pub(crate) fn interrupt(&self, lua: &Lua) -> mlua::Result<VmState> {
        let turn = || self.used().saturating_sub(self.spent.get());
        // Somebody new has come, but it is too early: one that has just begun is asked again later, any other at its next step.
        if self.watch.is_waited_for() && turn() < self.slice() && self.stop.borrow().is_none() {
            if self.spent.get().is_zero() {
                let most = self.slice().min(self.budget.get());
                self.watch.arm(self.watch.now(), most.saturating_sub(turn()));
            }
            return Ok(VmState::Continue);
        }
        if let Err(stop) = self.check() {
            let stop = self.stop_here(lua, stop);
            // Leaving by a yield ends a tower of pcalls at once; where Lua cannot yield it goes on, and is told by an error next.
            let leave = !self.left.get();
            self.left.set(leave);
            return if leave { Ok(VmState::Yield) } else { Err(stop.into()) };
        }
        if turn() < self.slice() || self.watch.load() <= 1 {
            return Ok(VmState::Continue);
        }
        let here = lua.current_thread().to_pointer();
        if self.gave_way(here) {
            // It did not: it is where Lua cannot yield.
            return Ok(VmState::Continue);
        }
        self.asked.borrow_mut().push(here);
        self.watch.raise();
        Ok(VmState::Yield)
    }

    /// How long the run in hand may be busy before others have a turn.
    fn slice(&self) -> Duration {
        match (self.watch.is_waited_for(), self.spent.get()) {
            (false, _) => SLICE,
            (true, Duration::ZERO) => FIRST_SLICE,
            (true, _) => SHORT_SLICE,
        }
    }

    /// For how long it kept others waiting, by the time that it spent.
    pub(crate) fn held(&self) -> Duration {
        self.held.get()
    }

    /// Whether a coroutine came back because it lets others have a turn; says so once.
    pub(crate) fn gave_way(&self, coroutine: *const c_void) -> bool {
        let mut asked = self.asked.borrow_mut();
        let place = asked.iter().position(|known| *known == coroutine);
        place.map(|place| asked.swap_remove(place)).is_some()
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
