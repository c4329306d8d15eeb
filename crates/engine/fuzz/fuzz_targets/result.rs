//! The walk over a result: whatever tables a script builds, its run ends with valid JSON within the limit, or with an error of the
//! script, and the next run is clean.

#![no_main]

use std::fmt::Write;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tidegate_engine_fuzz::{RESULT, run, succeeded};
use tidegate_model::{FailureKind, Json, Outcome};

/// Tables that a script has in hand.
const TABLES: u8 = 8;

#[derive(Arbitrary, Debug)]
enum Step {
    Put(u8, Thing, Thing),
    Append(u8, Thing),
    Fill(u8, u16, Thing),
    Remove(u8),
    Array(u8),
    Clone(u8, u8),
    Freeze(u8),
    Meta(u8, Meta, Thing),
    Decode(u8, Vec<u8>),
    Reread(u8),
}

#[derive(Arbitrary, Debug)]
enum Meta {
    Index,
    NewIndex,
    Len,
    Iter,
    Pairs,
    ToString,
    Call,
    Metatable,
    Eq,
    Mode,
}

#[derive(Arbitrary, Debug)]
enum Thing {
    Nil,
    Null,
    Boolean(bool),
    Place(u8),
    Number(f64),
    Integer(i64),
    Text(Vec<u8>),
    Long(u16),
    Table(u8),
    Fresh,
    Function,
    Thread,
    Buffer,
    Library,
    Headers,
}

impl Thing {
    fn code(&self) -> String {
        match self {
            Self::Nil => "nil".to_owned(),
            Self::Null => "json.null".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Place(place) => place.to_string(),
            Self::Number(number) if number.is_nan() => "(0/0)".to_owned(),
            Self::Number(number) if number.is_infinite() => "(1/0)".to_owned(),
            Self::Number(number) => format!("({number:?})"),
            Self::Integer(integer) => format!("json.decode('{integer}')"),
            Self::Text(bytes) => quoted(bytes),
            Self::Long(times) => format!("string.rep('x', {times})"),
            Self::Table(number) => table(*number),
            Self::Fresh => "{}".to_owned(),
            Self::Function => "print".to_owned(),
            Self::Thread => "coroutine.create(print)".to_owned(),
            Self::Buffer => "buffer.create(3)".to_owned(),
            Self::Library => "json".to_owned(),
            Self::Headers => "headers".to_owned(),
        }
    }
}

impl Step {
    fn code(&self) -> String {
        match self {
            Self::Put(t, key, value) => format!("{}[{}] = {}", table(*t), key.code(), value.code()),
            Self::Append(t, value) => format!("table.insert({}, {})", table(*t), value.code()),
            Self::Fill(t, times, value) => {
                format!("local t, v = {}, {} for i = 1, {} do t[i] = v end", table(*t), value.code(), times % 2000)
            }
            Self::Remove(t) => format!("table.remove({})", table(*t)),
            Self::Array(t) => format!("json.array({})", table(*t)),
            Self::Clone(to, from) => format!("{} = table.clone({})", table(*to), table(*from)),
            Self::Freeze(t) => format!("table.freeze({})", table(*t)),
            Self::Meta(t, event, value) => {
                let value = match event {
                    Meta::Metatable | Meta::Mode => value.code(),
                    _ => format!("function() local v = {} error(v) end", value.code()),
                };
                format!("setmetatable({}, {{ {} = {value} }})", table(*t), event.name())
            }
            Self::Decode(t, text) => format!("{} = json.decode({})", table(*t), quoted(text)),
            Self::Reread(t) => format!("{0} = json.decode(json.encode({0}))", table(*t)),
        }
    }
}

impl Meta {
    fn name(&self) -> &'static str {
        match self {
            Self::Index => "__index",
            Self::NewIndex => "__newindex",
            Self::Len => "__len",
            Self::Iter => "__iter",
            Self::Pairs => "__pairs",
            Self::ToString => "__tostring",
            Self::Call => "__call",
            Self::Metatable => "__metatable",
            Self::Eq => "__eq",
            Self::Mode => "__mode",
        }
    }
}

fn table(number: u8) -> String {
    format!("t{}", number % TABLES)
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = "'".to_owned();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
    text + "'"
}

/// A script of these steps; one that raises an error is passed over.
fn script(steps: &[Step]) -> String {
    let mut text = String::new();
    for number in 0..TABLES {
        let _ = writeln!(text, "local t{number} = {{}}");
    }
    for step in steps {
        let _ = writeln!(text, "pcall(function() {} end)", step.code());
    }
    text + "return t0"
}

fuzz_target!(|steps: Vec<Step>| {
    let core = script(&steps);
    let done = run(&core, b"");
    match &done.outcome {
        Outcome::Succeeded(json) => {
            assert!(json.as_str().len() <= RESULT, "{} bytes", json.as_str().len());
            let read = Json::parse(json.as_str());
            assert!(read.is_ok_and(|read| read.is_object()), "{core}\nreturned {}", json.as_str());
        }
        Outcome::Failed(failure) => {
            assert_ne!(failure.kind, FailureKind::Platform, "{core}\n{}", failure.message);
            assert!(failure.message.starts_with("fuzz/core"), "{core}\n{}", failure.message);
        }
        Outcome::Skipped(_) => unreachable!("it is active"),
    }
    let next = run("return { clean = next(json.array {}) == nil and t0 == nil }", b"");
    assert_eq!(succeeded(&next).as_str(), r#"{"clean":true}"#, "after {core}");
});
