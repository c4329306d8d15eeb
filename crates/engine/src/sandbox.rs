//! A virtual machine in which a script can do nothing but calculate and ask the platform.
//!
//! What every run shares (globals, libraries, metatables) is read-only; each run writes into an environment of its own that vanishes
//! with it. One machine runs one script at a time, so "the current run" is well defined in every native function.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::OnceLock;

use mlua::chunk::{ChunkMode, Compiler};
use mlua::thread::ThreadStatus;
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Thread, Value, VmState};
use tidegate_model::Randomness;

use crate::library;
use crate::meter::Meter;
use crate::running::Running;
use crate::value::{Converter, unlimited};
use crate::variables::VARIABLES;

const PRELUDE: &str = include_str!("prelude.lua");

/// The chunk name of the prelude; its frames are left out of tracebacks.
pub(crate) const PRELUDE_NAME: &str = "tidegate";

/// Natives of Lua that reach outside, or that a script has no use for.
const REMOVED: [&str; 10] =
    ["debug", "collectgarbage", "gcinfo", "getfenv", "setfenv", "loadstring", "newproxy", "require", "_G", "vector"];

/// What natives in one machine share with whoever drives it.
pub(crate) struct Shared {
    pub(crate) meter: Meter,
    pub(crate) converter: Converter,
    /// The run in hand, while there is one.
    pub(crate) run: RefCell<Option<Rc<Running>>>,
    /// The environment of the script in hand.
    env: RefCell<Option<Table>>,
    /// Its coroutine.
    pub(crate) root_thread: RefCell<Option<Thread>>,
    /// The error that ended it, as it was when it was raised.
    pub(crate) caught: RefCell<Option<Caught>>,
    /// What the script raised last, where that reads like a limit and is none.
    pub(crate) raised: RefCell<Option<String>>,
    /// The metatable of tables whose keys are found in any case.
    headers: OnceCell<Table>,
}

impl Shared {
    /// Has the string keys of a table found in any case; they are lower-case in it.
    pub(crate) fn in_any_case(&self, table: &Table) -> mlua::Result<()> {
        table.set_metatable(self.headers.get().cloned())
    }
}

/// An error with where it came from.
pub(crate) struct Caught {
    pub(crate) value: Value,
    pub(crate) traceback: String,
}

/// A hardened virtual machine.
pub(crate) struct Machine {
    // Dropped before `lua`: they refer to it.
    root: Function,
    /// A coroutine that has run its script to the end, for the next one.
    spare: RefCell<Option<Thread>>,
    env_meta: Table,
    /// The seed of the next run's `math.random`; `None` before the first.
    seed: Cell<Option<u64>>,
    traceback: Function,
    /// What marks a yield as a request of the platform.
    pub(crate) host: Table,
    /// What marks a yield as one for the sake of others.
    pub(crate) turn: Table,
    pub(crate) shared: Rc<Shared>,
    pub(crate) lua: Lua,
}

impl Machine {
    /// Makes one; `watched` looks at its memory whenever there is a chance to.
    pub(crate) fn new(meter: Meter, watched: bool) -> mlua::Result<Self> {
        let libraries = StdLib::COROUTINE
            | StdLib::TABLE
            | StdLib::STRING
            | StdLib::UTF8
            | StdLib::BIT
            | StdLib::MATH
            | StdLib::BUFFER
            // For tracebacks; scripts do not get it.
            | StdLib::DEBUG;
        let lua = Lua::new_with(libraries, LuaOptions::new())?;
        let shared = Rc::new(Shared {
            meter,
            converter: Converter::new(&lua)?,
            run: RefCell::default(),
            env: RefCell::default(),
            root_thread: RefCell::default(),
            caught: RefCell::default(),
            raised: RefCell::default(),
            headers: OnceCell::new(),
        });
        let globals = lua.globals();
        let traceback = globals.get::<Table>("debug")?.get("traceback")?;
        let native = library::natives(&lua, &shared)?;
        let additions: Table = lua
            .load(prelude()?)
            .set_mode(ChunkMode::Binary)
            .set_name(format!("={PRELUDE_NAME}"))
            .call(native.clone())?;
        for name in REMOVED {
            globals.raw_set(name, Value::Nil)?;
        }
        additions.for_each(|name: Value, value: Value| globals.raw_set(name, value))?;
        lock(&lua, &globals)?;
        globals.set_metatable(Some(Self::variables_on_demand(&lua, &shared)?))?;
        globals.set_readonly(true);
        globals.set_safeenv(true);
        let env_meta = lua.create_table()?;
        env_meta.raw_set("__index", &globals)?;
        env_meta.raw_set("__metatable", false)?;
        env_meta.set_readonly(true);
        let interrupted = Rc::clone(&shared);
        lua.set_interrupt(move |lua| {
            if watched {
                interrupted.meter.note_memory(lua);
            }
            if !interrupted.meter.is_due() {
                return Ok(VmState::Continue);
            }
            interrupted.meter.interrupt(lua)
        });
        let root = native.get("root")?;
        let headers: Table = native.get("headers")?;
        shared.headers.get_or_init(|| headers);
        let (host, turn) = (native.get("host")?, native.get("turn")?);
        Ok(Self {
            root,
            spare: RefCell::default(),
            env_meta,
            seed: Cell::default(),
            traceback,
            host,
            turn,
            shared,
            lua,
        })
    }

    /// The globals' own globals: the variables of the run, made when a script first names them and kept in its environment.
    fn variables_on_demand(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
        let shared = Rc::clone(shared);
        // The table that was asked is of no interest: taken as a truth value it costs nothing.
        let find = lua.create_function(move |lua, (_, name): (bool, Value)| {
            let Value::String(name) = name else { return Ok(Value::Nil) };
            let Ok(key) = name.to_str() else { return Ok(Value::Nil) };
            let (env, run) = (shared.env.borrow(), shared.run.borrow());
            let (Some(env), Some(run)) = (&*env, &*run) else { return Ok(Value::Nil) };
            let value = if key == "_G" { Value::Table(env.clone()) } else { run.variable(lua, &shared, &key)? };
            if value.is_nil() {
                return Ok(value);
            }
            // A table grows to twice what it had at most: where there is room for that, nobody has to ask the allocator's limit.
            if lua.used_memory() < shared.meter.memory() / 4 {
                unlimited(lua, &shared.meter, || env.raw_set(&name, &value))??;
            } else {
                env.raw_set(&name, &value)?;
            }
            Ok(value)
        })?;
        let meta = lua.create_table()?;
        meta.raw_set("__index", find)?;
        meta.raw_set("__metatable", false)?;
        meta.set_readonly(true);
        Ok(meta)
    }

    /// Makes the coroutine that runs `script` with a fresh environment, on behalf of `run`, and answers what it is to be begun with.
    pub(crate) fn prepare(&self, script: Function, run: &Rc<Running>) -> mlua::Result<(Function, i64)> {
        // What is made here is small, and the limit makes a protected call of each step.
        self.lua.set_memory_limit(0)?;
        let env = self.lua.create_table()?;
        env.set_metatable(Some(self.env_meta.clone()))?;
        env.set_safeenv(true);
        script.set_environment(env.clone())?;
        let thread = match self.spare.take() {
            Some(spare) => spare.reset(self.root.clone()).map(|()| spare)?,
            None => self.lua.create_thread(self.root.clone())?,
        };
        self.shared.run.replace(Some(Rc::clone(run)));
        self.shared.env.replace(Some(env));
        self.shared.root_thread.replace(Some(thread));
        self.shared.caught.replace(None);
        self.shared.raised.replace(None);
        self.lua.set_memory_limit(run.limits().memory)?;
        Ok((script, self.next_seed(&*run.parts().randomness)))
    }

    /// Drawn once for each machine, which is one tenant's alone; then each run has the next one (`SplitMix64`).
    fn next_seed(&self, randomness: &dyn Randomness) -> i64 {
        let drawn = || {
            let mut bytes = [0; 8];
            randomness.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        };
        let state = self.seed.get().unwrap_or_else(drawn).wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.seed.set(Some(state));
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default()
    }

    /// Where the script in hand waits; empty when that is not known.
    pub(crate) fn waits_at(&self) -> String {
        let thread = self.shared.root_thread.borrow().clone();
        let traced = thread.and_then(|thread| self.traceback.call::<String>(thread).ok()).unwrap_or_default();
        format!("stack traceback:\n{traced}")
    }

    /// Lets go of everything of the run in hand.
    pub(crate) fn finish(&self) {
        self.shared.run.replace(None);
        self.shared.env.replace(None);
        let thread = self.shared.root_thread.take();
        // One that ended otherwise may have anything on its stack.
        self.spare.replace(thread.filter(|thread| thread.status() == ThreadStatus::Finished));
        self.shared.caught.replace(None);
    }
}

/// Every name that a script finds defined: what a machine has, and the variables of runs.
pub(crate) fn known_names() -> HashSet<String> {
    let mut names: HashSet<String> = VARIABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.insert("_G".to_owned());
    match Machine::new(Meter::unwatched(), false) {
        Ok(machine) => {
            let globals = machine.lua.globals();
            names.extend(globals.pairs::<String, Value>().filter_map(|pair| pair.ok().map(|(name, _)| name)));
        }
        Err(error) => tracing::error!(%error, "no virtual machine could be made to look at"),
    }
    names
}

/// The prelude, compiled once for all machines.
fn prelude() -> mlua::Result<&'static [u8]> {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(compiled) = COMPILED.get() {
        return Ok(compiled);
    }
    let compiled = Compiler::new().set_optimization_level(2).set_debug_level(1).compile(PRELUDE)?;
    Ok(COMPILED.get_or_init(|| compiled))
}

/// Makes every table within reach of the globals read-only, and the metatable of strings too.
fn lock(lua: &Lua, globals: &Table) -> mlua::Result<()> {
    globals.for_each(|_: Value, value: Value| {
        if let Value::Table(library) = value {
            library.set_readonly(true);
        }
        Ok(())
    })?;
    if let Some(strings) = lua.type_metatable::<mlua::LuaString>() {
        strings.set_readonly(false);
        strings.raw_set("__metatable", false)?;
        strings.set_readonly(true);
    }
    let null = lua.create_table()?;
    null.raw_set("__tostring", lua.create_function(|_, _: Value| Ok("null"))?)?;
    null.raw_set("__metatable", false)?;
    null.set_readonly(true);
    lua.set_type_metatable::<mlua::LightUserData>(Some(null));
    Ok(())
}
