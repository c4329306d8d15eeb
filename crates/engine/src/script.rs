//! One script, from its source to its result.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use mlua::thread::ThreadStatus;
use mlua::{Function, IntoLuaMulti, MultiValue, Value};
use tidegate_model::{Failure, FailureKind, Json, LogicKind};
use tokio::time::timeout_at;

use crate::fault::{self, Origin};
use crate::host::{self, Refusal};
use crate::options::Time;
use crate::pool::Rented;
use crate::running::Running;
use crate::stop::Stop;
use crate::value::{self, Bounds, WriteError};

/// Whoever keeps others waiting for longer than this runs apart from them next time.
const PATIENCE: Duration = Duration::from_millis(20);

/// Which script to run, and within which bounds.
pub(crate) struct Task {
    pub(crate) kind: LogicKind,
    pub(crate) time: Time,
}

impl Task {
    /// Runs the script in a rented machine. On a fault that may have left the machine in any state, it is not to be used again.
    pub(crate) async fn perform(&self, rented: &mut Rented, run: &Rc<Running>) -> Result<Json, Failure> {
        let origin = Origin::new(run, self.kind);
        let shared = Rc::clone(&rented.machine().shared);
        shared.meter.open(self.time.cpu, run.limits().memory);
        run.note_answer(false);
        let performed = {
            let mut driven = pin!(self.drive(rented, run, &origin));
            // Most scripts wait for nothing: only one that does needs a timer.
            match futures::poll!(driven.as_mut()) {
                Poll::Ready(result) => Ok(result),
                Poll::Pending => timeout_at((shared.meter.began() + self.time.wall).into(), driven).await,
            }
        };
        let result = performed.unwrap_or_else(|_| {
            let waits_at = rented.machine().waits_at();
            let stop = shared.meter.stop(Stop::Wall(self.time.wall));
            Err(origin.stopped(&stop, &waits_at))
        });
        if let Some(sheet) = &run.trial {
            shared.meter.note_memory(&rented.machine().lua);
            sheet.note_script(shared.meter.spent(), shared.meter.peak());
        }
        rented.machine().finish();
        run.note_spent(shared.meter.spent());
        if shared.meter.held() >= PATIENCE {
            run.thread.setup.apart.note(&run.runnable.integration.tenant, Instant::now());
        }
        let stopped = shared.meter.stopped();
        let broken = matches!(&result, Err(failure) if failure.kind == FailureKind::Platform);
        if broken || stopped.as_ref().is_some_and(Stop::spoils_machine) {
            rented.spoil();
        }
        match stopped {
            // A script that catches the reason and returns all the same has not succeeded.
            Some(stop) if result.is_ok() => Err(origin.stopped(&stop, &shared.meter.traceback())),
            None | Some(Stop::Wall(_)) if run.is_let_down() => {
                result.map_err(|f| Failure { kind: FailureKind::Platform, ..f })
            }
            _ => result,
        }
    }

    async fn drive(&self, rented: &mut Rented, run: &Rc<Running>, origin: &Origin<'_>) -> Result<Json, Failure> {
        let shared = Rc::clone(&rented.machine().shared);
        // Not on the run's account: the next run finds it compiled.
        let script = rented.compiled(run, self.kind, origin)?;
        let machine = rented.machine();
        let lua = &machine.lua;
        let broken = |e: mlua::Error| origin.failed(&shared, &e);
        let begin = machine.prepare(script, run).map_err(broken)?;
        let mut next = shared.meter.turn(|| step(begin, rented, run, origin))?;
        loop {
            let mut args = MultiValue::new();
            match next {
                // A coroutine that left it by a yield never came back: what the script takes for written is not.
                Step::Finished(_) if run.end().is_some() => {
                    return Err(origin.script("returned before objects.transaction had ended"));
                }
                Step::Finished(result) => return Ok(result),
                Step::TurnOver => run.thread.turns.wait().await,
                Step::Asks(asked) => {
                    // As long as the platform has not answered, a time-out is its failure.
                    run.note_answer(asked.is_for_platform());
                    // Large, and rare: it has no place in the future of every run.
                    let answered = Box::pin(asked.answer(run)).await;
                    run.note_answer(answered.is_platform_failure());
                    args = shared.meter.turn(|| answered.into_values(lua, &shared)).map_err(broken)?;
                }
                Step::Settled => args = IntoLuaMulti::into_lua_multi(true, lua).map_err(broken)?,
                Step::Refused(message) => {
                    let answer = (Value::Boolean(false), message);
                    args = IntoLuaMulti::into_lua_multi(answer, lua).map_err(broken)?;
                }
            }
            next = shared.meter.turn(|| step(args, rented, run, origin))?;
        }
    }
}

/// Lets the script run until it ends, asks for something, or has had its turn.
fn step(args: impl IntoLuaMulti, rented: &Rented, run: &Rc<Running>, origin: &Origin<'_>) -> Result<Step, Failure> {
    let machine = rented.machine();
    let shared = &machine.shared;
    let root = shared.root_thread.borrow();
    let Some(thread) = &*root else { return Err(origin.lost()) };
    let resumed = thread.resume::<(Value, Value, MultiValue)>(args);
    let (first, second, rest) = resumed.map_err(|e| origin.failed(shared, &e))?;
    if let Some(stop) = shared.meter.stopped() {
        return Err(origin.stopped(&stop, &shared.meter.traceback()));
    }
    if thread.status() != ThreadStatus::Resumable {
        return match first {
            Value::Boolean(true) => as_map(rented, run, origin, &second).map(Step::Finished),
            _ => Err(origin.caught(&machine.lua, shared)),
        };
    }
    match first {
        Value::Table(mark) if mark.to_pointer() == machine.host.to_pointer() => {
            let name = match second {
                Value::String(name) => name.to_string_lossy(),
                _ => String::new(),
            };
            match host::read(&machine.lua, shared, run, &name, &rest) {
                Ok(Some(asked)) => Ok(Step::Asks(asked)),
                Ok(None) => Ok(Step::Settled),
                Err(Refusal::Mistake(message)) => Ok(Step::Refused(message)),
                Err(Refusal::Stop(stop)) => Err(origin.stopped(&shared.meter.stop(stop), &machine.waits_at())),
            }
        }
        Value::Table(mark) if mark.to_pointer() == machine.turn.to_pointer() => Ok(Step::TurnOver),
        Value::Nil if shared.meter.gave_way(thread.to_pointer()) => Ok(Step::TurnOver),
        _ => Err(origin.script("attempt to yield from outside a coroutine")),
    }
}

enum Step {
    Finished(Json),
    TurnOver,
    Asks(host::Asked),
    Settled,
    Refused(String),
}

/// What a script returned, as JSON: a map.
fn as_map(rented: &Rented, run: &Running, origin: &Origin<'_>, value: &Value) -> Result<Json, Failure> {
    let machine = rented.machine();
    let shared = &machine.shared;
    let Value::Table(table) = value else {
        return Err(origin.script(&format!("must return a table, returned {}", fault::kind_of(value))));
    };
    let bounds = Bounds { size: run.limits().result };
    let json = value::write(&machine.lua, &shared.converter, &shared.meter, bounds, value).map_err(|e| match e {
        WriteError::Stop(stop) => origin.stopped(&shared.meter.stop(stop), ""),
        unfit @ WriteError::Unfit { .. } => origin.script(&format!("the result cannot become JSON: {unfit}")),
    })?;
    match json.as_bytes().first() {
        Some(b'{') => Ok(Json::trusted(json)),
        // An empty table that was once an array is as good a map as any other empty one, unless it is marked as an array.
        _ if table.raw_len() == 0 && table.metatable().is_none() => Ok(Json::empty_object()),
        _ => Err(origin.script("must return a map, returned an array")),
    }
}

/// Compiles a script for the machine.
pub(crate) fn compile(lua: &mlua::Lua, source: &Arc<str>, chunk: &str) -> mlua::Result<Function> {
    lua.load(&**source)
        .set_name(format!("={chunk}"))
        .set_mode(mlua::chunk::ChunkMode::Text)
        .set_compiler(compiler())
        .into_function()
}

/// How scripts are compiled: optimized as far as errors still name the right line, with debug information for tracebacks.
pub(crate) fn compiler() -> mlua::chunk::Compiler {
    mlua::chunk::Compiler::new().set_optimization_level(1).set_debug_level(1)
}
