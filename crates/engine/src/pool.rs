//! Virtual machines kept for the next run of the same tenant, with the scripts they have compiled.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use mlua::Function;
use tidegate_model::{Failure, LogicKind, TenantId};

use crate::answers::Answers;
use crate::compiled::Compiled;
use crate::counts::Counters;
use crate::fault::Origin;
use crate::meter::Meter;
use crate::running::Running;
use crate::sandbox::Machine;
use crate::script;
use crate::watchdog::Watch;

/// A machine that has grown beyond this, its scripts not counted, is cleaned before it waits for its next run; one that stays so large is
/// let go.
const TIDY: usize = 2 << 20;

/// The machines of one Lua thread.
pub(crate) struct Pool {
    idle: RefCell<VecDeque<(TenantId, Box<Kept>)>>,
    most: usize,
    watch: Arc<Watch>,
    answers: Rc<Answers>,
    counters: Arc<Counters>,
}

/// A machine with its compiled scripts.
struct Kept {
    // Dropped before the machine that they belong to.
    scripts: Compiled,
    machine: Machine,
}

/// A machine for one run; it ends with its owner, unless the pool takes it back.
pub(crate) struct Rented {
    tenant: TenantId,
    kept: Box<Kept>,
    spoiled: bool,
}

impl Pool {
    pub(crate) fn new(most: usize, watch: Arc<Watch>, answers: Rc<Answers>, counters: Arc<Counters>) -> Self {
        Self { idle: RefCell::default(), most, watch, answers, counters }
    }

    /// Takes the machine that this tenant used last, or makes one.
    pub(crate) fn rent(&self, tenant: &TenantId) -> mlua::Result<Rented> {
        let mut idle = self.idle.borrow_mut();
        let place = idle.iter().rposition(|(owner, _)| owner == tenant);
        let kept = place.and_then(|place| idle.remove(place));
        drop(idle);
        let (tenant, kept) = kept.map_or_else(|| Ok((tenant.clone(), self.make(false)?)), mlua::Result::Ok)?;
        Ok(Rented { tenant, kept, spoiled: false })
    }

    /// Makes a machine for one run alone, whose memory is watched: nothing that was compiled before is found in it, and nothing of it later.
    pub(crate) fn lend(&self, tenant: &TenantId) -> mlua::Result<Rented> {
        Ok(Rented { tenant: tenant.clone(), kept: self.make(true)?, spoiled: true })
    }

    fn make(&self, watched: bool) -> mlua::Result<Box<Kept>> {
        self.answers.give();
        let meter = Meter::new(Arc::clone(&self.watch), Rc::clone(&self.answers));
        self.counters.machine();
        let scripts = Compiled::new(Arc::clone(&self.counters));
        Ok(Box::new(Kept { scripts, machine: Machine::new(meter, watched)? }))
    }

    /// Keeps a machine for the next run of its tenant, unless it is spoiled. When there are too many, the one that waited longest goes.
    pub(crate) fn take_back(&self, rented: Rented) {
        if rented.spoiled || !rented.kept.is_tidy() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        idle.push_back((rented.tenant, rented.kept));
        if idle.len() > self.most {
            let oldest = idle.pop_front();
            drop(idle);
            drop(oldest);
        }
    }
}

impl Rented {
    pub(crate) fn machine(&self) -> &Machine {
        &self.kept.machine
    }

    /// Says that the machine must not be used again.
    pub(crate) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// The script of the run, compiled.
    pub(crate) fn compiled(
        &mut self,
        run: &Running,
        kind: LogicKind,
        origin: &Origin<'_>,
    ) -> Result<Function, Failure> {
        let script = match (kind, &run.runnable.enable) {
            (LogicKind::Enable, Some(enable)) => enable,
            _ => &run.runnable.core,
        };
        let key = (script.logic, script.version, kind);
        if let Some(found) = self.kept.scripts.find(&key, origin.integration()) {
            return Ok(found);
        }
        let machine = self.machine();
        machine.shared.meter.hurry();
        let before = machine.lua.used_memory();
        let compiled = machine
            .lua
            .set_memory_limit(run.limits().memory)
            .and_then(|_| script::compile(&machine.lua, &script.source, &origin.chunk()))
            .map_err(|e| origin.failed(&machine.shared, &e))?;
        // What was cleaned away meanwhile hides how large it is.
        let size = machine.lua.used_memory().saturating_sub(before).max(script.source.len());
        self.kept.scripts.keep(key, origin.integration(), compiled.clone(), size);
        Ok(compiled)
    }
}

impl Kept {
    fn is_tidy(&self) -> bool {
        let (lua, most) = (&self.machine.lua, TIDY + self.scripts.size());
        lua.used_memory() <= most || (lua.gc_collect().is_ok() && lua.used_memory() <= most)
    }
}
