//! The variables that scripts see, named as in seed 002 (CONTRACT section 7).

use mlua::{Lua, Table, Value};
use tidegate_model::{Direction, Json};

use crate::running::{Input, Running};
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::{self, ReadError, unlimited};

/// Makes the variable `name`; nil when there is none of this name in this direction.
pub(crate) fn make(run: &Running, lua: &Lua, shared: &Shared, name: &str) -> mlua::Result<Value> {
    if let Some(common) = common(run, lua, name)? {
        return Ok(Value::Table(common));
    }
    match &run.input {
        Input::Incoming(call) => match name {
            "headers" => {
                let table = lua.create_table()?;
                for (name, value) in &call.headers {
                    shared.meter.count(lua)?;
                    table.raw_set(name.to_ascii_lowercase(), value.as_str())?;
                }
                shared.case_insensitive(table).map(Value::Table)
            }
            "parameters" => json(lua, shared, &call.parameters),
            "requestTime" => text(lua, &call.time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            "requestUrl" => text(lua, &call.url),
            "rawBody" => Ok(Value::String(lua.create_string(&call.raw_body)?)),
            _ => Ok(Value::Nil),
        },
        Input::Outgoing(event) => {
            use tidegate_model::Change::{Create, Delete, Update};
            let id = event.object_id.as_str();
            match (name, &event.change) {
                ("object", change) => with_id(lua, shared, change.object(), id),
                ("newObject", Create { new } | Update { new, .. }) => with_id(lua, shared, new, id),
                ("oldObject", change @ (Update { .. } | Delete { .. })) => {
                    let old = change.old_object();
                    old.map_or(Ok(Value::Nil), |old| json(lua, shared, &old))
                }
                ("objectType", _) => {
                    let table = lua.create_table()?;
                    let name = event.object_type.as_str();
                    table.raw_set("id", name)?;
                    table.raw_set("name", name)?;
                    Ok(Value::Table(table))
                }
                ("eventType", change) => text(lua, change.event_type().as_str()),
                _ => Ok(Value::Nil),
            }
        }
    }
}

fn common(run: &Running, lua: &Lua, name: &str) -> mlua::Result<Option<Table>> {
    let integration = &run.runnable.integration;
    let table = lua.create_table()?;
    match name {
        "integration" => {
            table.raw_set("id", integration.id.to_string())?;
            table.raw_set("name", integration.name.as_str())?;
            let (direction, url) = match &integration.direction {
                Direction::Incoming => ("INCOMING", None),
                Direction::Outgoing { url, .. } => ("OUTGOING", Some(url.as_str())),
            };
            table.raw_set("type", direction)?;
            table.raw_set("httpMethod", integration.http_method.as_str())?;
            table.raw_set("url", url)?;
            table.raw_set("description", integration.description.as_deref())?;
        }
        "userContext" => {
            table.raw_set("id", integration.execution_user.id.to_string())?;
            table.raw_set("username", integration.execution_user.username.as_str())?;
        }
        "organization" => {
            table.raw_set("id", run.runnable.organization.id.as_str())?;
            table.raw_set("name", run.runnable.organization.name.as_str())?;
        }
        "application" => {
            table.raw_set("name", run.parts.application.name.as_str())?;
            table.raw_set("version", run.parts.application.version.as_str())?;
        }
        _ => return Ok(None),
    }
    Ok(Some(table))
}

fn text(lua: &Lua, text: &str) -> mlua::Result<Value> {
    Ok(Value::String(lua.create_string(text)?))
}

/// Reads JSON that the platform holds.
pub(crate) fn json(lua: &Lua, shared: &Shared, json: &Json) -> mlua::Result<Value> {
    let text = json.as_str().as_bytes();
    if text.len() > shared.meter.memory() {
        return Err(shared.meter.stop(Stop::Memory(shared.meter.memory())).into());
    }
    let read = unlimited(lua, &shared.meter, || value::read(lua, &shared.converter, &shared.meter, text))?;
    shared.meter.check_memory(lua)?;
    read.map_err(|e| match e {
        ReadError::Stop(stop) => stop.into(),
        ReadError::Lua(e) => e,
        invalid @ ReadError::Invalid { .. } => mlua::Error::runtime(invalid.to_string()),
    })
}

/// Reads an object's attributes, with its id among them.
pub(crate) fn with_id(lua: &Lua, shared: &Shared, attributes: &Json, id: &str) -> mlua::Result<Value> {
    let value = json(lua, shared, attributes)?;
    if let Value::Table(table) = &value {
        table.raw_set("id", id)?;
    }
    Ok(value)
}
