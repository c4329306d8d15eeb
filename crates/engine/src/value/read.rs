//! JSON text to Lua values.

use std::borrow::Cow;

use mlua::{IntoLua, Lua, Value};
use tidegate_model::MAX_DEPTH;

use super::number::{self, Number};
use super::{Converter, NULL};
use crate::meter::Meter;
use crate::stop::Stop;

/// Why a text did not become a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The text is no JSON.
    #[error("invalid JSON at byte {at}: {what}")]
    Invalid { at: usize, what: &'static str },
    #[error(transparent)]
    Stop(#[from] Stop),
    #[error(transparent)]
    Lua(#[from] mlua::Error),
}

/// Reads a whole text. The caller has lifted the allocator's limit, or not: both work.
pub(crate) fn read(lua: &Lua, converter: &Converter, meter: &Meter, text: &[u8]) -> Result<Value, ReadError> {
    let mut reader = Reader { lua, converter, meter, text, at: 0, depth: 0 };
    reader.skip_space();
    let item = reader.item()?;
    reader.skip_space();
    if reader.at < text.len() {
        return reader.fault("the end of the text was expected");
    }
    match item {
        Item::Text(text) => Ok(Value::String(lua.create_string(&*text)?)),
        Item::Value(value) => Ok(value),
    }
}

/// What stands at a place. A text goes into its table as it is: a value of Lua's that Rust holds costs several times as much.
enum Item<'a> {
    Text(Cow<'a, str>),
    Value(Value),
}

struct Reader<'a> {
    lua: &'a Lua,
    converter: &'a Converter,
    meter: &'a Meter,
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn fault<T>(&self, what: &'static str) -> Result<T, ReadError> {
        Err(ReadError::Invalid { at: self.at, what })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn item(&mut self) -> Result<Item<'a>, ReadError> {
        self.meter.count(self.lua)?;
        if self.peek() == Some(b'"') { self.string().map(Item::Text) } else { self.value().map(Item::Value) }
    }

    fn value(&mut self) -> Result<Value, ReadError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Value::Boolean(true)),
            Some(b'f') => self.word(b"false", Value::Boolean(false)),
            Some(b'n') => self.word(b"null", NULL),
            _ => self.fault("a value was expected"),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, ReadError> {
        if !self.text[self.at..].starts_with(word) {
            return self.fault("a value was expected");
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, ReadError>) -> Result<Value, ReadError> {
        if self.depth == MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, ReadError> {
        let table = self.lua.create_table()?;
        if self.ends(b'}') {
            return Ok(Value::Table(table));
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fault("a key was expected");
            }
            let key = self.string()?;
            self.skip_space();
            if !self.ends(b':') {
                return self.fault("':' was expected");
            }
            self.skip_space();
            match self.item()? {
                Item::Text(text) => table.raw_set(&*key, &*text)?,
                Item::Value(value) => table.raw_set(&*key, value)?,
            }
            if !self.another(b'}')? {
                return Ok(Value::Table(table));
            }
        }
    }

    fn array(&mut self) -> Result<Value, ReadError> {
        let table = self.lua.create_table()?;
        if !self.ends(b']') {
            let mut place = 1;
            loop {
                match self.item()? {
                    Item::Text(text) => table.raw_seti(place, &*text)?,
                    Item::Value(value) => table.raw_seti(place, value)?,
                }
                place += 1;
                if !self.another(b']')? {
                    break;
                }
            }
        }
        table.set_metatable(Some(self.converter.array.clone()))?;
        Ok(Value::Table(table))
    }

    fn ends(&mut self, end: u8) -> bool {
        let here = self.peek() == Some(end);
        self.at += usize::from(here);
        here
    }

    fn another(&mut self, end: u8) -> Result<bool, ReadError> {
        self.skip_space();
        if self.ends(end) {
            return Ok(false);
        }
        if !self.ends(b',') {
            return self.fault("',' or the end was expected");
        }
        self.skip_space();
        Ok(true)
    }

    fn number(&mut self) -> Result<Value, ReadError> {
        let begin = self.at;
        self.ends(b'-');
        let whole = self.at;
        self.digits()?;
        if self.text[whole] == b'0' && self.at > whole + 1 {
            return self.fault("a number must not begin with 0");
        }
        if self.ends(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // Only ASCII was taken.
        let text = std::str::from_utf8(&self.text[begin..self.at]).unwrap_or("0");
        match number::read(text) {
            Some(Number::Plain(double)) => Ok(Value::Number(double)),
            Some(Number::Exact(exact)) => Ok(exact.into_lua(self.lua)?),
            None => self.fault("the number is out of range"),
        }
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let begin = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == begin { self.fault("a digit was expected") } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, ReadError> {
        self.at += 1;
        let plain = self.plain()?;
        if self.ends(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut text)?;
                }
                _ => return self.fault("a string must end, and hold no control characters"),
            }
            text.push_str(self.plain()?);
        }
    }

    /// The characters up to the next one that means something.
    fn plain(&mut self) -> Result<&'a str, ReadError> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
        match std::str::from_utf8(&rest[..length]) {
            Ok(plain) => {
                self.at += length;
                Ok(plain)
            }
            Err(e) => {
                self.at += e.valid_up_to();
                self.fault("not UTF-8")
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), ReadError> {
        let Some(byte) = self.peek() else { return self.fault("an escape was expected") };
        self.at += 1;
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return self.fault("no such escape"),
        };
        out.push(plain);
        Ok(())
    }

    fn unicode(&mut self) -> Result<char, ReadError> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if !self.text[self.at..].starts_with(b"\\u") {
                return self.fault("the second half of a surrogate pair was expected");
            }
            self.at += 2;
            let second = self.hex4()?;
            if !(0xdc00..0xe000).contains(&second) {
                return self.fault("the second half of a surrogate pair was expected");
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).map_or_else(|| self.fault("half a surrogate pair"), Ok)
    }

    fn hex4(&mut self) -> Result<u32, ReadError> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(code) = digits.and_then(|d| u32::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()) else {
            return self.fault("four hexadecimal digits were expected");
        };
        self.at += 4;
        Ok(code)
    }
}
