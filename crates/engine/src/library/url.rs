//! `url`.

use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value};

use super::answering;
use super::log::shown;
use crate::fault::said_by;
use crate::sandbox::Shared;

pub(super) fn table(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("encode", answering(lua, |_, text: LuaString| Ok(encode(&text.as_bytes())))?)?;
    table.raw_set(
        "decode",
        answering(lua, |lua, text: LuaString| lua.create_string(decode(&text.as_bytes())?).map_err(|e| said_by(&e)))?,
    )?;
    table.raw_set("parse", answering(lua, |lua, text: String| parse(lua, &text))?)?;
    let (asking, shared) = (Rc::clone(shared), Rc::clone(shared));
    table.raw_set("query", answering(lua, move |lua, pairs: Table| form(lua, &shared, &pairs))?)?;
    table.raw_set(
        "parse_query",
        answering(lua, move |lua, text: LuaString| parse_query(lua, &asking, &text.as_bytes()))?,
    )?;
    Ok(table)
}

/// No URL is longer; reading one costs more than its length.
const LONGEST: usize = 64 << 10;

/// RFC 3986: everything but the unreserved characters.
fn encode(text: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
    let mut out = String::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let digits = rest.get(..2).and_then(|d| std::str::from_utf8(d).ok()).filter(|d| !d.starts_with('+'));
        let decoded = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        out.push(decoded.ok_or("two hexadecimal digits were expected after %")?);
        rest = &rest[2..];
    }
    Ok(out)
}

fn parse(lua: &Lua, text: &str) -> Result<Table, String> {
    if text.len() > LONGEST {
        return Err(format!("invalid URL: longer than {} KiB", LONGEST >> 10));
    }
    let url = ::url::Url::parse(text).map_err(|e| format!("invalid URL: {e}"))?;
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.raw_set("scheme", url.scheme())?;
        table.raw_set("host", url.host_str())?;
        table.raw_set("port", url.port_or_known_default())?;
        table.raw_set("path", url.path())?;
        table.raw_set("query", url.query())?;
        table.raw_set("fragment", url.fragment())?;
        Ok(table)
    };
    fill().map_err(|e| said_by(&e))
}

/// `application/x-www-form-urlencoded`, by key; an array gives its key once for each item.
pub(crate) fn form(lua: &Lua, shared: &Shared, pairs: &Table) -> Result<String, String> {
    let mut room = shared.meter.memory() / 4;
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: String| -> mlua::Result<()> {
        shared.meter.count(lua)?;
        // Many may be one text to Lua, and are many here.
        let left = room.checked_sub(key.len() + value.len());
        room = left.ok_or_else(|| mlua::Error::runtime("the form is too large"))?;
        all.push((key.to_owned(), value));
        Ok(())
    };
    let most = shared.meter.memory() / 4;
    let collect = pairs.for_each(|key: Value, value: Value| {
        let key = shown(lua, shared, &key, most)?;
        match &value {
            Value::Table(items) if items.raw_len() > 0 => {
                items.for_each(|_: Value, item: Value| add(&key, shown(lua, shared, &item, most)?))
            }
            value if *value == Value::NULL => add(&key, String::new()),
            value => add(&key, shown(lua, shared, value, most)?),
        }
    });
    collect.map_err(|e| said_by(&e))?;
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish())
}

fn parse_query(lua: &Lua, shared: &Shared, text: &[u8]) -> Result<Table, String> {
    let text = text.strip_prefix(b"?").unwrap_or(text);
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        for (key, value) in form_urlencoded::parse(text) {
            shared.meter.count(lua)?;
            match table.raw_get::<Value>(&*key)? {
                Value::Nil => table.raw_set(&*key, &*value)?,
                Value::Table(several) => several.raw_push(&*value)?,
                one => table
                    .raw_set(&*key, lua.create_sequence_from([one, Value::String(lua.create_string(&*value)?)])?)?,
            }
        }
        Ok(table)
    };
    fill().map_err(|e| said_by(&e))
}
