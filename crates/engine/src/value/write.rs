//! Lua values to JSON text.

use std::fmt;
use std::io::Write;

use mlua::{Lua, LuaString, Table, Value};
use tidegate_model::MAX_DEPTH;

use super::number::{self, Exact};
use super::{Converter, plain_length};
use crate::fault::said_by;
use crate::meter::Meter;
use crate::stop::Stop;

/// Room for what most enable logic returns.
const SMALL: usize = 64;

/// How large a text may become.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes.
    pub(crate) size: usize,
}

/// Why a value did not become a text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// JSON has nothing for what is there.
    #[error("{}{what}", At(.path))]
    Unfit { path: Vec<Step>, what: String },
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl WriteError {
    /// Adds the step that leads to where it happened.
    fn under(mut self, step: impl FnOnce() -> Step) -> Self {
        if let Self::Unfit { path, .. } = &mut self {
            path.push(step());
        }
        self
    }
}

fn unfit(what: impl Into<String>) -> WriteError {
    WriteError::Unfit { path: Vec::new(), what: what.into() }
}

/// One step on the way to a value; the innermost comes first.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(String),
    Place(usize),
}

struct At<'a>(&'a [Step]);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("at ")?;
        for (i, step) in self.0.iter().rev().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Place(place) => write!(f, "[{place}]")?,
            }
        }
        f.write_str(": ")
    }
}

/// Writes a value. Metatables are not asked; tables that contain themselves end at the depth limit, shared ones at the size limit.
pub(crate) fn write(
    lua: &Lua,
    converter: &Converter,
    meter: &Meter,
    bounds: Bounds,
    value: &Value,
) -> Result<String, WriteError> {
    let mut writer = Writer { lua, converter, meter, bounds, out: Vec::with_capacity(SMALL), depth: 0 };
    writer.value(value)?;
    // Only whole texts went in.
    String::from_utf8(writer.out).map_err(|_| unfit("a string that is not UTF-8 has no place in JSON"))
}

struct Writer<'a> {
    lua: &'a Lua,
    converter: &'a Converter,
    meter: &'a Meter,
    bounds: Bounds,
    out: Vec<u8>,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Result<(), WriteError> {
        self.meter.count(self.lua)?;
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::LightUserData(_) if *value == Value::NULL => self.out.extend_from_slice(b"null"),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Integer(integer) => {
                number::write(integer, &mut self.out);
            }
            Value::Number(double) => {
                if !double.is_finite() {
                    return Err(unfit(format!("the number {double} has no place in JSON")));
                }
                number::write(double, &mut self.out);
            }
            Value::String(text) => self.string(text)?,
            Value::Table(table) => self.table(table)?,
            Value::UserData(data) => match data.borrow::<Exact>() {
                Ok(exact) => self.out.extend_from_slice(exact.as_str().as_bytes()),
                Err(_) => return Err(unfit("this value has no place in JSON")),
            },
            other => return Err(unfit(format!("a {} has no place in JSON", other.type_name()))),
        }
        self.check_size(0)
    }

    fn check_size(&self, more: usize) -> Result<(), WriteError> {
        if self.out.len() + more > self.bounds.size {
            return Err(Stop::ResultSize(self.bounds.size).into());
        }
        Ok(())
    }

    fn string(&mut self, text: &LuaString) -> Result<(), WriteError> {
        let bytes = text.as_bytes();
        self.check_size(bytes.len())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| unfit("a string that is not UTF-8 has no place in JSON"))?;
        push_quoted(text, &mut self.out);
        Ok(())
    }

    fn table(&mut self, table: &Table) -> Result<(), WriteError> {
        if self.depth == MAX_DEPTH {
            return Err(Stop::ResultDepth(MAX_DEPTH).into());
        }
        self.depth += 1;
        if table.raw_len() > 0 || self.converter.is_marked(table) {
            self.array(table)?;
        } else {
            self.object(table)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self, table: &Table) -> Result<(), WriteError> {
        let length = table.raw_len();
        self.out.push(b'[');
        // Items mostly come in their order, and nothing besides them: one walk then does for both.
        let (mut written, mut orderly) = (0, true);
        let walked = self.each(table, |writer, key, value| {
            orderly = matches!(&key, Value::Integer(i) if usize::try_from(*i) == Ok(written + 1));
            if !orderly {
                return Err(unfit("not in order"));
            }
            writer.item(written + 1, &value)?;
            written += 1;
            Ok(())
        });
        if orderly {
            walked?;
        }
        for place in written + 1..=length {
            let item: Value = table.raw_get(place).map_err(|e| unfit(said_by(&e)))?;
            self.item(place, &item)?;
        }
        self.out.push(b']');
        if orderly { Ok(()) } else { self.check_keys(table, length) }
    }

    fn item(&mut self, place: usize, value: &Value) -> Result<(), WriteError> {
        if place > 1 {
            self.out.push(b',');
        }
        self.value(value).map_err(|e| e.under(|| Step::Place(place)))
    }

    /// Refuses an array that is something else besides.
    fn check_keys(&mut self, table: &Table, length: usize) -> Result<(), WriteError> {
        self.each(table, |writer, key, _| {
            let inside =
                matches!(&key, Value::Integer(i) if usize::try_from(*i).is_ok_and(|i| (1..=length).contains(&i)));
            if inside {
                return writer.meter.check().map_err(Into::into);
            }
            let key = key.to_string().unwrap_or_default();
            Err(unfit(format!("a table with {length} items and the key {key:?} is neither array nor object")))
        })
    }

    fn object(&mut self, table: &Table) -> Result<(), WriteError> {
        self.out.push(b'{');
        let mut first = true;
        self.each(table, |writer, key, value| {
            let Value::String(name) = &key else {
                return Err(unfit(format!(
                    "a key of an object must be a string, this one is a {}",
                    if matches!(key, Value::Integer(_)) { "number" } else { key.type_name() }
                )));
            };
            if !std::mem::take(&mut first) {
                writer.out.push(b',');
            }
            writer.string(name)?;
            writer.out.push(b':');
            writer.value(&value).map_err(|e| e.under(|| Step::Key(name.to_string_lossy())))
        })?;
        self.out.push(b'}');
        Ok(())
    }

    fn each(
        &mut self,
        table: &Table,
        mut visit: impl FnMut(&mut Self, Value, Value) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let mut fault = None;
        let walked = table.for_each::<Value, Value>(|key, value| {
            visit(self, key, value).map_err(|e| {
                fault = Some(e);
                mlua::Error::StackError
            })
        });
        match (walked, fault) {
            (_, Some(fault)) => Err(fault),
            (Err(e), None) => Err(unfit(said_by(&e))),
            (Ok(()), None) => Ok(()),
        }
    }
}

fn push_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((special, after)) = special.split_first() else { break };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                // Writing to a Vec cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = after;
    }
    out.push(b'"');
}
