//! What a person would write by hand for speed alone: a pooled machine, a cached function, a fresh environment for each call, JSON read by
//! `serde_json` straight into tables and written straight from them. No limits, no libraries, no sandbox, no other thread, no log.

use std::{fmt, iter, mem};

use mlua::{Either, Function, Lua, LuaOptions, StdLib, Table, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::workload::HANDLER;

pub(crate) struct Baseline {
    function: Function,
    environment: Table,
    lua: Lua,
}

impl Baseline {
    pub(crate) fn new() -> Self {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::BIT | StdLib::COROUTINE;
        let lua = Lua::new_with(libraries, LuaOptions::new()).unwrap();
        let environment = lua.create_table().unwrap();
        environment.raw_set("__index", lua.globals()).unwrap();
        let function = lua.load(HANDLER).into_function().unwrap();
        Self { function, environment, lua }
    }

    /// One call, from the bytes that came to the bytes that go.
    pub(crate) fn handle(&self, body: &str) -> Vec<u8> {
        let fresh = self.lua.create_table().unwrap();
        let mut reader = serde_json::Deserializer::from_str(body);
        fresh.raw_set("parameters", Read(&self.lua).deserialize(&mut reader).unwrap()).unwrap();
        fresh.set_metatable(Some(self.environment.clone())).unwrap();
        self.function.set_environment(fresh).unwrap();
        let mut out = Vec::new();
        write(&self.function.call(()).unwrap(), &mut out);
        out
    }
}

/// A text goes into its table straight from the body.
type Text<'de> = Either<&'de str, String>;

/// Reads JSON into Lua.
#[derive(Clone, Copy)]
struct Read<'a>(&'a Lua);

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = Either<Text<'de>, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = Either<Text<'de>, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Either::Right(Value::NULL))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Either::Right(Value::Boolean(value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "the workload has small numbers")]
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Either::Right(Value::Number(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Either::Right(Value::Number(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Either::Left(Either::Left(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Either::Left(Either::Right(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let all = iter::from_fn(|| items.next_element_seed(self).unwrap());
        Ok(Either::Right(Value::Table(self.0.create_sequence_from(all).unwrap())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let all = iter::from_fn(|| entries.next_entry_seed(self, self).unwrap());
        Ok(Either::Right(Value::Table(self.0.create_table_from(all).unwrap())))
    }
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Table(table) => {
            let [mut mark, end] = if table.raw_len() > 0 { *b"[]" } else { *b"{}" };
            let entries = table.for_each(|key: Value, value: Value| {
                out.push(mem::replace(&mut mark, b','));
                if end == b'}' {
                    write(&key, out);
                    out.push(b':');
                }
                write(&value, out);
                Ok(())
            });
            entries.unwrap();
            if mark != b',' {
                out.push(mark);
            }
            out.push(end);
        }
        Value::String(text) => serde_json::to_writer(out, &*text.to_str().unwrap()).unwrap(),
        Value::Integer(integer) => serde_json::to_writer(out, integer).unwrap(),
        Value::Number(double) => serde_json::to_writer(out, double).unwrap(),
        Value::Boolean(value) => serde_json::to_writer(out, value).unwrap(),
        _ => out.extend_from_slice(b"null"),
    }
}
