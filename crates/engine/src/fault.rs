//! What is said about a script that did not succeed: script, line, what was there, and a traceback without the platform's own frames.

use mlua::{Lua, Value};
use tidegate_model::{Failure, FailureKind, LogicKind};

use crate::library::shown;
use crate::running::Running;
use crate::sandbox::{PRELUDE_NAME, Shared};
use crate::stop::{self, Stop};

/// No message is longer.
const ROOM: usize = 8 << 10;

/// What Luau says when the allocator refuses.
const OUT_OF_MEMORY: &str = "not enough memory";

/// What Luau says when calls are nested too deeply, or pass too many values.
const OUT_OF_STACK: &str = "stack overflow";

/// Which script a fault is in.
pub(crate) struct Origin {
    chunk: String,
}

impl Origin {
    pub(crate) fn new(run: &Running, kind: LogicKind) -> Self {
        let part = match kind {
            LogicKind::Enable => "enable",
            LogicKind::Core => "core",
        };
        Self { chunk: format!("{}/{part}", run.runnable.integration.name) }
    }

    /// The name that errors carry: `<integration>/<enable|core>`.
    pub(crate) fn chunk(&self) -> &str {
        &self.chunk
    }

    /// A fault of the script that has no line.
    pub(crate) fn script(&self, what: &str) -> Failure {
        Failure { message: format!("{}: {what}", self.chunk), kind: FailureKind::Script }
    }

    /// The script was stopped.
    pub(crate) fn stopped(&self, stop: &Stop, traceback: &str) -> Failure {
        let kind = if matches!(stop, Stop::Fail(_)) { FailureKind::Script } else { FailureKind::Limit };
        let frames = frames(traceback);
        let place = frames.iter().find_map(|frame| self.place(frame)).unwrap_or_else(|| self.chunk.clone());
        Failure { message: with_frames(format!("{place}: {stop}"), &frames), kind }
    }

    /// The machine raised an error past the script.
    pub(crate) fn failed(&self, shared: &Shared, error: &mlua::Error) -> Failure {
        if let Some(stop) = shared.meter.stopped().or_else(|| stop::within(error).cloned()) {
            return self.stopped(&stop, &shared.meter.traceback());
        }
        match error {
            mlua::Error::MemoryError(_) => self.stopped(&shared.meter.stop(Stop::Memory(shared.meter.memory())), ""),
            mlua::Error::StackError => self.stopped(&shared.meter.stop(Stop::Depth), ""),
            mlua::Error::SyntaxError { message, .. } => {
                Failure { message: cut(message.clone()), kind: FailureKind::Script }
            }
            mlua::Error::RuntimeError(message) => {
                let first = message.split("\nstack traceback:").next().unwrap_or_default();
                Failure { message: first.to_owned(), kind: FailureKind::Script }
            }
            other => {
                tracing::error!(error = %other, script = %self.chunk, "a script's machine failed");
                Failure { message: format!("{}: internal error", self.chunk), kind: FailureKind::Platform }
            }
        }
    }

    /// The script raised an error that it did not catch.
    pub(crate) fn caught(&self, lua: &Lua, shared: &Shared) -> Failure {
        let caught = shared.caught.take();
        let traceback = caught.as_ref().map(|c| c.traceback.as_str()).unwrap_or_default();
        if let Some(stop) = shared.meter.stopped() {
            let place = shared.meter.traceback();
            return self.stopped(&stop, if place.is_empty() { traceback } else { &place });
        }
        let message = match caught.as_ref().map(|c| &c.value) {
            None => OUT_OF_MEMORY.to_owned(),
            Some(Value::Error(e)) => match limit_behind(e, shared) {
                Some(stop) => return self.stopped(&shared.meter.stop(stop), traceback),
                None => e.to_string(),
            },
            Some(value) => thrown(lua, shared, value),
        };
        // Asking a thrown table for its text runs the script's code.
        if let Some(stop) = shared.meter.stopped().or_else(|| limit_in(&message, shared)) {
            return self.stopped(&shared.meter.stop(stop), traceback);
        }
        let frames = frames(traceback);
        Failure { message: with_frames(self.placed(&cut(message), &frames), &frames), kind: FailureKind::Script }
    }

    /// The message with the script's line, where it has none or one of the platform's.
    fn placed(&self, message: &str, frames: &[&str]) -> String {
        let ours = message.strip_prefix(PRELUDE_NAME).and_then(|rest| rest.strip_prefix(':'));
        let what = match ours.and_then(|rest| rest.split_once(": ")) {
            Some((line, what)) if line.bytes().all(|b| b.is_ascii_digit()) => what,
            _ if message.starts_with(&format!("{}:", self.chunk)) => return message.to_owned(),
            _ => message,
        };
        let place = frames.iter().find_map(|frame| self.place(frame)).unwrap_or_else(|| self.chunk.clone());
        format!("{place}: {what}")
    }

    /// `chunk:line` of a frame of this script.
    fn place(&self, frame: &str) -> Option<String> {
        let line = frame.strip_prefix(self.chunk.as_str())?.strip_prefix(':')?;
        let line = &line[..line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len())];
        Some(format!("{}:{line}", self.chunk))
    }
}

/// The text of what a script threw.
fn thrown(lua: &Lua, shared: &Shared, value: &Value) -> String {
    if let Value::Table(table) = value
        && let Ok(Value::String(message)) = table.raw_get::<Value>("message")
    {
        return message.to_string_lossy();
    }
    shown(lua, shared, value, ROOM).unwrap_or_else(|_| kind_of(value).to_owned())
}

/// The limit behind an error that Luau raises as a plain text, where it is one.
pub(crate) fn limit_in(message: &str, shared: &Shared) -> Option<Stop> {
    let said = message.rsplit(": ").next().unwrap_or_default();
    match said.strip_prefix("C ").unwrap_or(said) {
        OUT_OF_MEMORY
        | "block too big"
        | "resulting string too large"
        | "string length overflow"
        | "buffer too large"
        | "format result too large"
        | "table overflow" => Some(Stop::Memory(shared.meter.memory())),
        "too many results to unpack" => Some(Stop::Depth),
        said if said.starts_with(OUT_OF_STACK) => Some(Stop::Depth),
        "pattern too complex" | "too many elements to move" => Some(Stop::Instructions(said.to_owned())),
        _ => None,
    }
}

/// The limit behind an error of the machine, where it is one.
pub(crate) fn limit_behind(error: &mlua::Error, shared: &Shared) -> Option<Stop> {
    match (stop::within(error), error) {
        (Some(stop), _) => Some(stop.clone()),
        (None, mlua::Error::MemoryError(_)) => Some(Stop::Memory(shared.meter.memory())),
        (None, mlua::Error::StackError) => Some(Stop::Depth),
        (None, _) => None,
    }
}

/// What scripts call this kind of value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Number(_) => "number",
        value => value.type_name(),
    }
}

/// The script's own frames, innermost first.
fn frames(traceback: &str) -> Vec<&str> {
    let all = traceback.lines().skip(1).map(str::trim);
    all.filter(|frame| !frame.starts_with("[C]") && !frame.starts_with(&format!("{PRELUDE_NAME}:"))).collect()
}

fn with_frames(mut message: String, frames: &[&str]) -> String {
    if !frames.is_empty() {
        message.push_str("\nstack traceback:");
        for frame in frames {
            message.push_str("\n\t");
            message.push_str(frame);
        }
    }
    message
}

fn cut(mut message: String) -> String {
    if message.len() > ROOM {
        let end = (0..=ROOM).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}
