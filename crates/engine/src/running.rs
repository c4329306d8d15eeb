//! One run of an Integration: what its scripts may see, and what they leave behind.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mlua::{Lua, Value};
use tidegate_model::contract::Actor;
use tidegate_model::{Event, IncomingCall, LogLevel, LogLine, Runnable};

use crate::calls::Calls;
use crate::engine::Parts;
use crate::host::Overlay;
use crate::io::Io;
use crate::masks::Masks;
use crate::options::{Limits, Options};
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::trial::Sheet;
use crate::variables;
use crate::worker::Thread;

/// What a run is about.
#[derive(Clone)]
pub(crate) enum Input {
    /// A third party called.
    Incoming(Arc<IncomingCall>),
    /// Something happened to an object.
    Outgoing(Arc<Event>),
}

/// A run in hand, shared by its enable and its core logic.
pub(crate) struct Running {
    pub(crate) runnable: Arc<Runnable>,
    pub(crate) input: Input,
    /// The Lua thread that it is on.
    pub(crate) thread: Rc<Thread>,
    limits: Limits,
    /// What is written down of it, where it is a trial.
    pub(crate) trial: Option<Arc<Sheet>>,
    log: RefCell<Vec<LogLine>>,
    log_size: Cell<usize>,
    warned: Cell<bool>,
    http_calls: Cell<u32>,
    /// The HTTP calls so far, as the record keeps them.
    pub(crate) calls: Calls,
    /// The secrets that went with them.
    pub(crate) masks: RefCell<Masks>,
    object_calls: Cell<u32>,
    let_down: Cell<bool>,
    spent: Cell<Duration>,
    transaction: RefCell<Option<Arc<Overlay>>>,
}

impl Running {
    pub(crate) fn new(thread: Rc<Thread>, runnable: Arc<Runnable>, input: Input, trial: Option<Arc<Sheet>>) -> Self {
        let Options { limits, bounds, .. } = &*thread.setup.options;
        let limits = limits.with(&runnable.integration.settings.limits, bounds);
        Self {
            runnable,
            input,
            thread,
            limits,
            trial,
            log: RefCell::default(),
            log_size: Cell::default(),
            warned: Cell::default(),
            http_calls: Cell::default(),
            calls: Calls::default(),
            masks: RefCell::default(),
            object_calls: Cell::default(),
            let_down: Cell::default(),
            spent: Cell::default(),
            transaction: RefCell::default(),
        }
    }

    /// What the engine is built of, or what a trial uses instead.
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        self.trial.as_deref().map_or(&self.thread.setup.parts, Sheet::parts)
    }

    /// Where it waits for the outside.
    pub(crate) fn io(&self) -> &Io {
        &self.thread.setup.io
    }

    /// The bounds of the run.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes the variable of this name; nil when a run of this kind has none.
    pub(crate) fn variable(&self, lua: &Lua, shared: &Shared, name: &str) -> mlua::Result<Value> {
        variables::make(self, lua, shared, name)
    }

    /// Who the scripts run as.
    pub(crate) fn actor(&self) -> Actor {
        let integration = &self.runnable.integration;
        Actor { tenant: integration.tenant.clone(), attribution: integration.execution_user.attribution() }
    }

    pub(crate) fn append_log(&self, level: LogLevel, text: String) -> Result<(), Stop> {
        // A line costs something even when it is empty.
        let size = self.log_size.get() + text.len() + 16;
        if size > self.limits().log {
            return Err(Stop::Log(self.limits().log));
        }
        self.log_size.set(size);
        if level == LogLevel::Warn {
            self.warned.set(true);
        }
        self.log.borrow_mut().push(LogLine { time: self.parts().clock.now(), level, text });
        Ok(())
    }

    /// How much a log line may still have.
    pub(crate) fn log_room(&self) -> usize {
        self.limits().log.saturating_sub(self.log_size.get())
    }

    pub(crate) fn count_http(&self) -> Result<(), Stop> {
        count(&self.http_calls, self.limits().http_calls, Stop::HttpCalls)
    }

    pub(crate) fn count_objects(&self) -> Result<(), Stop> {
        count(&self.object_calls, self.limits().object_calls, Stop::ObjectCalls)
    }

    /// Begins a transaction; `false` when there is one already.
    pub(crate) fn begin(&self, overlay: Arc<Overlay>) -> bool {
        let mut transaction = self.transaction.borrow_mut();
        let begins = transaction.is_none();
        if begins {
            *transaction = Some(overlay);
        }
        begins
    }

    /// The transaction in hand.
    pub(crate) fn transaction(&self) -> Option<Arc<Overlay>> {
        self.transaction.borrow().clone()
    }

    /// Ends the transaction; nothing of it is made yet.
    pub(crate) fn end(&self) -> Option<Arc<Overlay>> {
        self.transaction.take()
    }

    /// Notes whether the platform owes the answer to what the script asked last.
    pub(crate) fn note_answer(&self, owed: bool) {
        self.let_down.set(owed);
    }

    /// Whether a failure now is the platform's rather than the script's.
    pub(crate) fn is_let_down(&self) -> bool {
        self.let_down.get()
    }

    /// Adds what a script has spent.
    pub(crate) fn note_spent(&self, cpu: Duration) {
        self.spent.set(self.spent.get() + cpu);
    }

    /// The CPU time that its scripts have spent.
    pub(crate) fn spent(&self) -> Duration {
        self.spent.get()
    }

    /// The log, and whether a line of it warns.
    pub(crate) fn take_log(&self) -> (Vec<LogLine>, bool) {
        (self.log.take(), self.warned.get())
    }
}

fn count(counter: &Cell<u32>, most: u32, stop: fn(u32) -> Stop) -> Result<(), Stop> {
    if counter.get() >= most {
        return Err(stop(most));
    }
    counter.set(counter.get() + 1);
    Ok(())
}
