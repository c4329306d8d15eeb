//! `log` and `fail`.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};
use tidegate_model::LogLevel;

use super::stopping;
use crate::fault::said_by;
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::{self, Bounds, WriteError};

pub(super) fn add(lua: &Lua, shared: &Rc<Shared>, native: &Table) -> mlua::Result<()> {
    let logging = Rc::clone(shared);
    let log = lua.create_function(move |lua, (level, values): (String, MultiValue)| {
        let Some(run) = logging.run.borrow().clone() else { return Ok(()) };
        let level = match level.as_str() {
            "debug" => LogLevel::Debug,
            "warn" => LogLevel::Warn,
            "error" => LogLevel::Error,
            _ => LogLevel::Info,
        };
        let mut line = String::new();
        let room = run.log_room();
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                line.push(' ');
            }
            line.push_str(&shown(lua, &logging, value, room)?);
            // More is refused below; a million references to one text are not put together first.
            if line.len() > room {
                break;
            }
        }
        run.append_log(level, line).map_err(|stop| logging.meter.stop_here(lua, stop).into())
    })?;
    native.raw_set("log", log)?;
    let failing = Rc::clone(shared);
    let fail = stopping(lua, shared, move |lua, message: Value| {
        let text = match message {
            Value::Nil => Ok("failed".to_owned()),
            message => shown(lua, &failing, &message, 4096),
        };
        Stop::Fail(text.unwrap_or_else(|_| "failed".to_owned()))
    })?;
    native.raw_set("fail", fail)
}

/// Whether a table says itself how it is shown; asking it runs the script's code.
fn has_text(table: &Table) -> bool {
    table.metatable().is_some_and(|meta| matches!(meta.raw_get::<Value>("__tostring"), Ok(Value::Function(_))))
}

/// What a person reads for a value: a string as it is, a table as JSON where it has any.
pub(crate) fn shown(lua: &Lua, shared: &Shared, value: &Value, room: usize) -> mlua::Result<String> {
    match value {
        Value::Nil => Ok("nil".to_owned()),
        Value::String(text) if text.as_bytes().len() <= room => Ok(text.to_string_lossy()),
        // The caller sees that this is too much.
        Value::String(text) => Ok(String::from_utf8_lossy(&text.as_bytes()[..=room]).into_owned()),
        Value::Function(_) | Value::Thread(_) | Value::Buffer(_) => Ok(value.type_name().to_owned()),
        Value::Table(table) if has_text(table) => value.to_string(),
        Value::Error(e) => Ok(said_by(e)),
        value => match value::write(lua, &shared.converter, &shared.meter, Bounds { size: room }, value) {
            Ok(json) => Ok(json),
            Err(WriteError::Unfit { .. } | WriteError::Stop(Stop::ResultDepth(_))) => Ok(value.type_name().to_owned()),
            Err(WriteError::Stop(Stop::ResultSize(_))) => Ok(" ".repeat(room + 1)),
            Err(WriteError::Stop(stop)) => Err(stop.into()),
        },
    }
}
