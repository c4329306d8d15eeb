//! What is said about a script that did not succeed: script, line, what was there, and a traceback without the platform's own frames.

use mlua::{Lua, Value};
use tidegate_model::{Failure, FailureKind, LogicKind};

use crate::library::shown;
use crate::running::Running;
use crate::sandbox::{PRELUDE_NAME, Shared};
use crate::stop::{self, Stop};
use crate::value::Exact;

/// No message is longer.
const ROOM: usize = 8 << 10;

/// What Luau says when the allocator refuses.
const OUT_OF_MEMORY: &str = "not enough memory";

/// What Luau says first when calls are nested too deeply, or pass too many values.
const OUT_OF_STACK: &str = "stack overflow";

/// Which script a fault is in.
pub(crate) struct Origin<'r> {
    integration: &'r str,
    kind: LogicKind,
}

impl<'r> Origin<'r> {
    pub(crate) fn new(run: &'r Running, kind: LogicKind) -> Self {
        Self { integration: &run.runnable.integration.name, kind }
    }

    /// The name of the Integration that it belongs to.
    pub(crate) fn integration(&self) -> &'r str {
        self.integration
    }

    /// The name that errors carry: `<integration>/<enable|core>`.
    pub(crate) fn chunk(&self) -> String {
        let part = match self.kind {
            LogicKind::Enable => "enable",
            LogicKind::Core => "core",
        };
        format!("{}/{part}", self.integration)
    }

    /// A fault of the script that has no line.
    pub(crate) fn script(&self, what: &str) -> Failure {
        Failure { message: format!("{}: {what}", self.chunk()), kind: FailureKind::Script }
    }

    /// The platform has lost what it needs.
    pub(crate) fn lost(&self) -> Failure {
        Failure { message: format!("{}: internal error", self.chunk()), kind: FailureKind::Platform }
    }

    /// The script was stopped.
    pub(crate) fn stopped(&self, stop: &Stop, traceback: &str) -> Failure {
        let kind = if matches!(stop, Stop::Fail(_)) { FailureKind::Script } else { FailureKind::Limit };
        let frames = frames(traceback);
        let place = self.place(&frames);
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
                tracing::error!(error = %other, script = self.chunk(), "a script's machine failed");
                self.lost()
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
        // Where there was no room to look at it, memory was out.
        let limit = match caught.as_ref().map(|c| &c.value) {
            None => Some(Stop::Memory(shared.meter.memory())),
            Some(value) => limit_of(value, shared),
        };
        if let Some(stop) = limit {
            return self.stopped(&shared.meter.stop(stop), traceback);
        }
        let message = caught.as_ref().map(|c| thrown(lua, shared, &c.value)).unwrap_or_default();
        // Asking a thrown table for its text runs the script's code.
        if let Some(stop) = shared.meter.stopped() {
            return self.stopped(&stop, traceback);
        }
        let frames = frames(traceback);
        Failure { message: with_frames(self.placed(&cut(message), &frames), &frames), kind: FailureKind::Script }
    }

    /// The message with the script's line, where it has none or one of the platform's.
    fn placed(&self, message: &str, frames: &[&str]) -> String {
        let what = match without_our_place(message) {
            Some(what) => what,
            None if message.starts_with(&format!("{}:", self.chunk())) => return message.to_owned(),
            None => message,
        };
        format!("{}: {what}", self.place(frames))
    }

    /// `chunk:line` of the innermost frame of this script; without a line where there is none.
    fn place(&self, frames: &[&str]) -> String {
        let chunk = self.chunk();
        let line = frames.iter().find_map(|frame| frame.strip_prefix(chunk.as_str())?.strip_prefix(':'));
        let Some(line) = line else { return chunk };
        let line = &line[..line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len())];
        format!("{chunk}:{line}")
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

/// The limit behind a caught error, where it is one and not a text that the script raised itself.
pub(crate) fn limit_of(error: &Value, shared: &Shared) -> Option<Stop> {
    match error {
        Value::String(text) => {
            let own = shared.raised.take();
            let text = text.to_str().ok()?;
            limit_in(&text, shared).filter(|_| own.is_none_or(|own| !text.ends_with(&own)))
        }
        Value::Error(error) => limit_behind(error, shared),
        _ => None,
    }
}

/// Which limit a text says, in this machine.
type LimitOf = fn(&Shared, &str) -> Stop;

/// Whether Luau could have raised this text because of a limit.
pub(crate) fn looks_like_a_limit(text: &str) -> bool {
    TEXTS.iter().any(|(said, _)| text.contains(said))
}

/// What Luau says at a limit, as far as it says so by a plain text; and which limit that is.
const TEXTS: [(&str, LimitOf); 11] = [
    (OUT_OF_MEMORY, memory),
    ("block too big", memory),
    ("resulting string too large", memory),
    ("string length overflow", memory),
    ("buffer too large", memory),
    ("format result too large", memory),
    ("table overflow", memory),
    ("too many results to unpack", |_, _| Stop::Depth),
    (OUT_OF_STACK, |_, _| Stop::Depth),
    ("pattern too complex", |_, said| Stop::Instructions(said.to_owned())),
    ("too many elements to move", |_, said| Stop::Instructions(said.to_owned())),
];

fn memory(shared: &Shared, _: &str) -> Stop {
    Stop::Memory(shared.meter.memory())
}

/// The limit behind an error that Luau raises as a plain text, with or without a place before it.
fn limit_in(message: &str, shared: &Shared) -> Option<Stop> {
    let said = match message.rsplit_once(": ") {
        Some((place, said)) if is_place(place) => said,
        Some(_) => return None,
        None => message,
    };
    let said = said.strip_prefix("C ").unwrap_or(said);
    // It goes on about why.
    let is = |known: &str| said == known || (known == OUT_OF_STACK && said.starts_with(known));
    TEXTS.iter().find(|(known, _)| is(known)).map(|(_, limit)| limit(shared, said))
}

/// Whether a text ends like the place before a message: `chunk:12`.
fn is_place(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, line)| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()))
}

/// The limit behind an error of the machine, where it is one.
fn limit_behind(error: &mlua::Error, shared: &Shared) -> Option<Stop> {
    match (stop::within(error), error) {
        (Some(stop), _) => Some(stop.clone()),
        (None, mlua::Error::MemoryError(_)) => Some(Stop::Memory(shared.meter.memory())),
        (None, mlua::Error::StackError) => Some(Stop::Depth),
        (None, _) => None,
    }
}

/// What a message says behind a place of the platform's own, where it has one.
pub(crate) fn without_our_place(message: &str) -> Option<&str> {
    let (line, said) = message.strip_prefix(PRELUDE_NAME)?.strip_prefix(':')?.split_once(": ")?;
    line.bytes().all(|b| b.is_ascii_digit()).then_some(said)
}

/// What scripts are told of an error of a native function.
pub(crate) fn said_by(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } | mlua::Error::BadArgument { cause, .. } => said_by(cause),
        mlua::Error::FromLuaConversionError { from, to, .. } => {
            format!("expected {}, got {from}", in_lua(to))
        }
        mlua::Error::RuntimeError(message) => first_line(message),
        other => first_line(&other.to_string()),
    }
}

/// What scripts call a type of Rust's.
fn in_lua(to: &str) -> &str {
    match to {
        "f64" | "i64" | "u32" | "usize" => "number",
        "&str" | "String" => "string",
        other => other,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// What scripts call this kind of value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Number(_) => "number",
        Value::UserData(data) if data.is::<Exact>() => "number",
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
