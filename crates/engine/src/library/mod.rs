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

use mlua::{FromLuaMulti, Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Thread, Value};

use crate::fault::{limit_of, looks_like_a_limit, said_by, without_our_place};
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
    native.raw_set("judge", judge(lua, shared)?)?;
    native.raw_set("raised", raised(lua, shared)?)?;
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
            Err(error) => Err(said_by(&error)),
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

/// Makes a function that ends the run if the error that it gets is a limit's (Luau raises some of them as plain texts), and otherwise answers
/// it as scripts see it: a text, where it is not a value of their own.
fn judge(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, error: Value| {
        if let Some(stop) = limit_of(&error, &shared) {
            return Err(shared.meter.stop_here(lua, stop).into());
        }
        let text = match &error {
            Value::Error(error) => Some(said_by(error)),
            Value::String(text) => text.to_str().ok().and_then(|text| without_our_place(&text).map(str::to_owned)),
            _ => None,
        };
        text.map_or(Ok(error), |text| lua.create_string(text).map(Value::String))
    })
}

/// Makes a function that is told what a script is about to raise by itself.
fn raised(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, message: Option<LuaString>| {
        let text = message.and_then(|message| message.to_str().ok().map(|text| text.to_owned()));
        shared.raised.replace(text.filter(|text| looks_like_a_limit(text)));
        Ok(())
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
