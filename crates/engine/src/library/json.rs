//! `json.encode`, `json.decode`.

use std::rc::Rc;

use mlua::{IntoLuaMulti, Lua, LuaString, Table, Value};

use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::{self, Bounds, ReadError, WriteError, unlimited};

pub(super) fn add(lua: &Lua, shared: &Rc<Shared>, native: &Table) -> mlua::Result<()> {
    let reading = Rc::clone(shared);
    let decode = lua.create_function(move |lua, text: Value| {
        let Value::String(text) = text else {
            return (false, format!("json.decode takes a string, not a {}", text.type_name())).into_lua_multi(lua);
        };
        let text: LuaString = text;
        let read =
            unlimited(lua, &reading.meter, || value::read(lua, &reading.converter, &reading.meter, &text.as_bytes()))?;
        reading.meter.check_memory(lua)?;
        match read {
            Ok(value) => (true, value).into_lua_multi(lua),
            Err(ReadError::Stop(stop)) => Err(stop.into()),
            Err(ReadError::Lua(e)) => Err(e),
            Err(invalid @ ReadError::Invalid { .. }) => (false, invalid.to_string()).into_lua_multi(lua),
        }
    })?;
    native.raw_set("json_decode", decode)?;
    let writing = Rc::clone(shared);
    let encode = lua.create_function(move |lua, value: Value| {
        let bounds = Bounds { size: writing.meter.memory() / 2 };
        match value::write(lua, &writing.converter, &writing.meter, bounds, &value) {
            Ok(json) => (true, json).into_lua_multi(lua),
            Err(WriteError::Stop(deep @ Stop::ResultDepth(_))) => (false, deep.to_string()).into_lua_multi(lua),
            Err(WriteError::Stop(Stop::ResultSize(_))) => {
                Err(writing.meter.stop(Stop::Memory(writing.meter.memory())).into())
            }
            Err(WriteError::Stop(stop)) => Err(stop.into()),
            Err(unfit @ WriteError::Unfit { .. }) => (false, unfit.to_string()).into_lua_multi(lua),
        }
    })?;
    native.raw_set("json_encode", encode)
}
