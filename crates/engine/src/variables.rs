//! The variables that scripts see, named as in seed 002 (CONTRACT section 7).
//!
//! To add one: a name in [`VARIABLES`], and what it is in [`make`].

use mlua::{Lua, Table, Value};
use tidegate_model::{Change, Direction, Json};

use crate::running::{Input, Running};
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::{self, ReadError, unlimited};

/// Every variable there is.
#[derive(Clone, Copy)]
pub(crate) enum Variable {
    Integration,
    UserContext,
    Organization,
    Application,
    Headers,
    Parameters,
    RequestTime,
    RequestUrl,
    RawBody,
    Object,
    NewObject,
    OldObject,
    ObjectType,
    EventType,
}

/// All variables, by the names that scripts know them by.
pub(crate) const VARIABLES: [(&str, Variable); 14] = [
    ("integration", Variable::Integration),
    ("userContext", Variable::UserContext),
    ("organization", Variable::Organization),
    ("application", Variable::Application),
    ("headers", Variable::Headers),
    ("parameters", Variable::Parameters),
    ("requestTime", Variable::RequestTime),
    ("requestUrl", Variable::RequestUrl),
    ("rawBody", Variable::RawBody),
    ("object", Variable::Object),
    ("newObject", Variable::NewObject),
    ("oldObject", Variable::OldObject),
    ("objectType", Variable::ObjectType),
    ("eventType", Variable::EventType),
];

/// Makes the variable `name`; nil when there is none of this name in this direction.
pub(crate) fn make(run: &Running, lua: &Lua, shared: &Shared, name: &str) -> mlua::Result<Value> {
    let Some((_, variable)) = VARIABLES.iter().find(|(known, _)| *known == name) else { return Ok(Value::Nil) };
    match (variable, &run.input) {
        (Variable::Integration, _) => integration(run, lua).map(Value::Table),
        (Variable::UserContext, _) => {
            let user = &run.runnable.integration.execution_user;
            texts(lua, &[("id", &user.id.to_string()), ("username", &user.username)])
        }
        (Variable::Organization, _) => {
            let organization = &run.runnable.organization;
            texts(lua, &[("id", organization.id.as_str()), ("name", &organization.name)])
        }
        (Variable::Application, _) => {
            let application = &run.parts().application;
            texts(lua, &[("name", &application.name), ("version", &application.version)])
        }
        (Variable::Headers, Input::Incoming(call)) => unlimited(lua, &shared.meter, || {
            let table = lua.create_table_with_capacity(0, call.headers.len())?;
            for (name, value) in &call.headers {
                shared.meter.count(lua)?;
                if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    table.raw_set(name.to_ascii_lowercase(), value.as_str())?;
                } else {
                    table.raw_set(name.as_str(), value.as_str())?;
                }
            }
            shared.in_any_case(&table)?;
            Ok(Value::Table(table))
        })?,
        (Variable::Parameters, Input::Incoming(call)) => json(lua, shared, &call.parameters),
        (Variable::RequestTime, Input::Incoming(call)) => {
            text(lua, &call.time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
        }
        (Variable::RequestUrl, Input::Incoming(call)) => text(lua, &call.url),
        (Variable::RawBody, Input::Incoming(call)) => Ok(Value::String(lua.create_string(&call.raw_body)?)),
        (Variable::Object, Input::Outgoing(event)) => {
            with_id(lua, shared, event.change.object(), event.object_id.as_str())
        }
        (Variable::NewObject, Input::Outgoing(event)) => match &event.change {
            Change::Create { new } | Change::Update { new, .. } => with_id(lua, shared, new, event.object_id.as_str()),
            Change::Delete { .. } => Ok(Value::Nil),
        },
        (Variable::OldObject, Input::Outgoing(event)) => {
            event.change.old_object().map_or(Ok(Value::Nil), |old| json(lua, shared, &old))
        }
        (Variable::ObjectType, Input::Outgoing(event)) => {
            texts(lua, &[("id", event.object_type.as_str()), ("name", event.object_type.as_str())])
        }
        (Variable::EventType, Input::Outgoing(event)) => text(lua, event.change.event_type().as_str()),
        (
            Variable::Headers | Variable::Parameters | Variable::RequestTime | Variable::RequestUrl | Variable::RawBody,
            Input::Outgoing(_),
        )
        | (
            Variable::Object | Variable::NewObject | Variable::OldObject | Variable::ObjectType | Variable::EventType,
            Input::Incoming(_),
        ) => Ok(Value::Nil),
    }
}

fn integration(run: &Running, lua: &Lua) -> mlua::Result<Table> {
    let integration = &run.runnable.integration;
    let table = lua.create_table()?;
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
    Ok(table)
}

fn text(lua: &Lua, text: &str) -> mlua::Result<Value> {
    Ok(Value::String(lua.create_string(text)?))
}

fn texts(lua: &Lua, all: &[(&str, &str)]) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    for (name, text) in all {
        table.raw_set(*name, *text)?;
    }
    Ok(Value::Table(table))
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
