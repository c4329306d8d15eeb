//! The native halves of the libraries; `prelude.lua` gives them the faces that scripts see.
//!
//! To add a function that only calculates: put it into one of the tables of [`pure`], where it answers a value or the text of an
//! error; scripts find it under the table's name. One that waits for the outside is a request in `host.rs`.

mod bytes;
mod crypto;
mod json;
mod log;
mod text;
mod time;
mod url;

pub(crate) use log::shown;
pub(crate) use url::form;

use std::rc::Rc;

use mlua::{FromLuaMulti, Function, IntoLua, IntoLuaMulti, Lua, MultiValue, Table, Thread, Value};

use crate::fault::{limit_behind, limit_in};
use crate::sandbox::{Caught, Shared};
use crate::stop::Stop;
use crate::value::NULL;

/// Everything that the prelude builds on.
pub(crate) fn natives(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let native = lua.create_table()?;
    let host = lua.create_table()?;
    host.set_readonly(true);
    let turn = lua.create_table()?;
    turn.set_readonly(true);
    native.raw_set("host", host)?;
    native.raw_set("turn", turn)?;
    let giving = Rc::clone(shared);
    let gave_way =
        lua.create_function(move |_, coroutine: Thread| Ok(giving.meter.gave_way(coroutine.to_pointer())))?;
    native.raw_set("gave_way", gave_way)?;
    native.raw_set("null", NULL)?;
    native.raw_set("array", &shared.converter.array)?;
    native.raw_set("exceed", stopping(lua, shared, |_, what: String| Stop::Instructions(what))?)?;
    native.raw_set("caught", caught(lua, shared)?)?;
    native.raw_set("ends_at_limit", ends_at_limit(lua, shared)?)?;
    log::add(lua, shared, &native)?;
    json::add(lua, shared, &native)?;
    text::add(lua, shared, &native)?;
    native.raw_set("pure", pure(lua, shared)?)?;
    Ok(native)
}

fn pure(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let pure = lua.create_table()?;
    pure.raw_set("crypto", crypto::table(lua)?)?;
    pure.raw_set("base64", bytes::base64(lua)?)?;
    pure.raw_set("hex", bytes::hex(lua)?)?;
    pure.raw_set("url", url::table(lua, shared)?)?;
    pure.raw_set("time", time::table(lua, shared)?)?;
    pure.raw_set("uuid", time::uuid(lua, shared)?)?;
    Ok(pure)
}

/// Makes a function that answers `true, value` or `false, message`.
fn answering<A: FromLuaMulti, R: IntoLua>(
    lua: &Lua,
    answer: impl Fn(&Lua, A) -> Result<R, String> + 'static,
) -> mlua::Result<Function> {
    lua.create_function(move |lua, args: MultiValue| {
        let answered = match A::from_lua_multi(args, lua) {
            Ok(args) => answer(lua, args),
            Err(mlua::Error::FromLuaConversionError { from, to, .. }) => Err(format!("expected {to}, got {from}")),
            Err(e) => Err(e.to_string()),
        };
        match answered {
            Ok(value) => (true, value).into_lua_multi(lua),
            Err(message) => (false, message).into_lua_multi(lua),
        }
    })
}

/// Makes a function that ends the run.
fn stopping<A: FromLuaMulti>(
    lua: &Lua,
    shared: &Rc<Shared>,
    why: impl Fn(&Lua, A) -> Stop + 'static,
) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, args: A| -> mlua::Result<()> {
        Err(shared.meter.stop_here(lua, why(lua, args)).into())
    })
}

/// Makes a function that ends the run if the error that it gets is a limit's: Luau raises some of them as plain texts.
fn ends_at_limit(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, error: Value| {
        let limit = match &error {
            Value::String(text) => text.to_str().ok().and_then(|text| limit_in(&text, &shared)),
            Value::Error(error) => limit_behind(error, &shared),
            _ => None,
        };
        limit.map_or(Ok(()), |stop| Err(shared.meter.stop_here(lua, stop).into()))
    })
}

fn caught(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, value: Value| {
        let traceback = lua.traceback(None, 1).map(|t| t.to_string_lossy()).unwrap_or_default();
        shared.caught.replace(Some(Caught { value, traceback }));
        Ok(())
    })
}
