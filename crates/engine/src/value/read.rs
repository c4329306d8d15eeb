//! JSON text to Lua values.

use mlua::{Either, IntoLua, Lua, Table, Value};
use tidegate_model::MAX_DEPTH;

use super::number::{self, Number};
use super::{Converter, NULL, plain_length};
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
    let last = Lengths { objects: [FIRST; MAX_DEPTH], arrays: [FIRST; MAX_DEPTH] };
    let mut reader = Reader { lua, converter, meter, text, at: 0, depth: 0, last };
    reader.skip_space();
    let item = reader.item()?;
    reader.skip_space();
    if reader.at < text.len() {
        return reader.fault("the end of the text was expected");
    }
    Ok(item.into_lua(lua)?)
}

/// A text goes into its table as it is: a value of Lua's that Rust holds costs several times as much.
type Text<'a> = Either<&'a str, String>;

/// What stands at a place.
type Item<'a> = Either<Text<'a>, Value>;

struct Reader<'a> {
    lua: &'a Lua,
    converter: &'a Converter,
    meter: &'a Meter,
    text: &'a [u8],
    at: usize,
    depth: usize,
    last: Lengths,
}

/// How many entries the first table has room for.
const FIRST: usize = 4;

/// How many entries the last table of each depth had: the next one, which mostly has as many, gets room for them at once. All that is
/// set aside too much is at most as much as there was.
struct Lengths {
    objects: [usize; MAX_DEPTH],
    arrays: [usize; MAX_DEPTH],
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
        if self.peek() == Some(b'"') { self.string().map(Either::Left) } else { self.value().map(Either::Right) }
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

    fn nested(&mut self, read: fn(&mut Self, usize) -> Result<Table, ReadError>) -> Result<Value, ReadError> {
        let depth = self.depth;
        if depth == MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let table = read(self, depth)?;
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn object(&mut self, depth: usize) -> Result<Table, ReadError> {
        let lua = self.lua;
        if self.ends(b'}') {
            return Ok(lua.create_table()?);
        }
        let mut entries = Entries { room: self.last.objects[depth], ..Entries::of(self, Reader::entry, b'}') };
        let table = lua.create_table_from(&mut entries)?;
        let count = entries.count()?;
        self.last.objects[depth] = count;
        Ok(table)
    }

    fn array(&mut self, depth: usize) -> Result<Table, ReadError> {
        let lua = self.lua;
        let table = if self.ends(b']') {
            lua.create_table()?
        } else {
            let mut items = Entries { room: self.last.arrays[depth], ..Entries::of(self, Reader::item, b']') };
            let table = lua.create_sequence_from(&mut items)?;
            let count = items.count()?;
            self.last.arrays[depth] = count;
            table
        };
        table.set_metatable(Some(self.converter.array.clone()))?;
        Ok(table)
    }

    fn entry(&mut self) -> Result<(Text<'a>, Item<'a>), ReadError> {
        if self.peek() != Some(b'"') {
            return self.fault("a key was expected");
        }
        let key = self.string()?;
        self.skip_space();
        if !self.ends(b':') {
            return self.fault("':' was expected");
        }
        self.skip_space();
        Ok((key, self.item()?))
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

    fn string(&mut self) -> Result<Text<'a>, ReadError> {
        self.at += 1;
        let plain = self.plain()?;
        if self.ends(b'"') {
            return Ok(Either::Left(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Either::Right(text));
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
        let length = plain_length(rest);
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

/// The entries of a table, read one after the other while Lua takes them.
struct Entries<'r, 'a, T> {
    reader: &'r mut Reader<'a>,
    read: fn(&mut Reader<'a>) -> Result<T, ReadError>,
    end: u8,
    room: usize,
    count: usize,
    /// Whether there is another one, or why there cannot be.
    more: Result<bool, ReadError>,
}

impl<'r, 'a, T> Entries<'r, 'a, T> {
    /// Of a table that has one entry at least.
    fn of(reader: &'r mut Reader<'a>, read: fn(&mut Reader<'a>) -> Result<T, ReadError>, end: u8) -> Self {
        Self { reader, read, end, room: 0, count: 0, more: Ok(true) }
    }

    /// How many there were, once all are read.
    fn count(self) -> Result<usize, ReadError> {
        self.more.map(|_| self.count)
    }
}

impl<T> Iterator for Entries<'_, '_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if !matches!(self.more, Ok(true)) {
            return None;
        }
        match (self.read)(self.reader) {
            Ok(entry) => {
                self.count += 1;
                self.more = self.reader.another(self.end);
                Some(entry)
            }
            Err(e) => {
                self.more = Err(e);
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.room, None)
    }
}
