//! A text as its readers may read it: with the escapes of JSON, or the percent signs of a URL or a form, for what they stand for. Pure.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The bytes that a text stands for, each with its place in the text.
pub(super) struct View<'t> {
    bytes: Cow<'t, [u8]>,
    /// Where the spelling of each byte begins, and where the last one ends; `None` where each byte is its own.
    places: Option<Vec<usize>>,
}

/// One way of reading.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// The escapes of JSON's strings.
    Json,
    /// `%2F` and the like.
    Percent,
    /// The same, with a plus sign for a space.
    Form,
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
enum Spelled {
    /// The byte that is there.
    Itself,
    /// One byte, spelled by so many.
    Byte(usize, u8),
    /// One character, spelled by so many bytes.
    Character(usize, char),
    /// The text ends within a spelling.
    Cut,
}

impl<'t> View<'t> {
    /// The text as it is.
    pub(super) fn plain(text: &'t [u8]) -> Self {
        Self { bytes: Cow::Borrowed(text), places: None }
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the text the byte of this index begins; behind the last one, where that ends.
    pub(super) fn place(&self, index: usize) -> usize {
        self.places.as_ref().map_or(index, |places| places.get(index).copied().unwrap_or_default())
    }

    /// What it becomes when it is read so; `None` where that is the same.
    pub(super) fn read_by(&self, reader: Reader) -> Option<View<'static>> {
        reader.first_mark(&self.bytes)?;
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut places = Vec::with_capacity(self.bytes.len() + 1);
        let (mut rest, mut differs) = (self.bytes(), false);
        while let Some((first, others)) = rest.split_first() {
            let place = self.place(self.bytes.len() - rest.len());
            let mut buffer = [0; 4];
            let (taken, spelled): (usize, &[u8]) = match reader.read(rest) {
                Spelled::Itself => {
                    bytes.push(*first);
                    places.push(place);
                    rest = others;
                    continue;
                }
                Spelled::Byte(taken, byte) => {
                    buffer[0] = byte;
                    (taken, &buffer[..1])
                }
                Spelled::Character(taken, character) => (taken, character.encode_utf8(&mut buffer).as_bytes()),
                Spelled::Cut => {
                    differs = true;
                    break;
                }
            };
            differs = true;
            bytes.extend_from_slice(spelled);
            places.extend(spelled.iter().map(|_| place));
            rest = rest.get(taken..).unwrap_or_default();
        }
        places.push(self.place(self.bytes.len() - rest.len()));
        differs.then_some(View { bytes: Cow::Owned(bytes), places: Some(places) })
    }
}

impl Reader {
    fn first_mark(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Json => memchr(b'\\', bytes),
            Self::Percent => memchr(b'%', bytes),
            Self::Form => memchr2(b'%', b'+', bytes),
        }
    }

    fn read(self, rest: &[u8]) -> Spelled {
        match (self, rest) {
            (Self::Json, [b'\\', ..]) => json(rest),
            (Self::Percent | Self::Form, [b'%', ..]) => percent(rest),
            (Self::Form, [b'+', ..]) => Spelled::Byte(1, b' '),
            _ => Spelled::Itself,
        }
    }
}

fn json(rest: &[u8]) -> Spelled {
    let byte = match rest.get(1) {
        None => return Spelled::Cut,
        Some(b'u') => return unicode(rest),
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(_) => return Spelled::Itself,
    };
    Spelled::Byte(2, byte)
}

/// `\uXXXX`, or two of them, which are one character beyond the basic plane.
fn unicode(rest: &[u8]) -> Spelled {
    let Some(first) = code_unit(rest) else { return cut_or_itself(rest) };
    if let Some(character) = char::from_u32(first.into()) {
        return Spelled::Character(6, character);
    }
    let behind = rest.get(6..).unwrap_or_default();
    let Some(second) = code_unit(behind) else { return cut_or_itself(behind) };
    match char::decode_utf16([first, second]).next() {
        Some(Ok(character)) => Spelled::Character(12, character),
        _ => Spelled::Itself,
    }
}

fn code_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |sum, digit| Some((sum << 4) | u16::from(hex(*digit)?)))
}

/// The rest is no `\uXXXX`: because the text ends too soon, or because it is something else.
fn cut_or_itself(rest: &[u8]) -> Spelled {
    let fits = |(index, byte): (usize, &u8)| match index {
        0 => *byte == b'\\',
        1 => *byte == b'u',
        _ => byte.is_ascii_hexdigit(),
    };
    if rest.len() < 6 && rest.iter().enumerate().all(fits) { Spelled::Cut } else { Spelled::Itself }
}

fn percent(rest: &[u8]) -> Spelled {
    match (rest.get(1).map(|digit| hex(*digit)), rest.get(2).map(|digit| hex(*digit))) {
        (None, _) | (Some(Some(_)), None) => Spelled::Cut,
        (Some(Some(high)), Some(Some(low))) => Spelled::Byte(3, (high << 4) | low),
        _ => Spelled::Itself,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, reader: Reader) -> Option<(Vec<u8>, Vec<usize>)> {
        let view = View::plain(text.as_bytes()).read_by(reader)?;
        Some((view.bytes().to_vec(), (0..=view.bytes().len()).map(|index| view.place(index)).collect()))
    }

    #[test]
    fn each_spelling_stands_for_its_character() {
        for (text, reader, stands_for) in [
            (r#"a\/b\"\\"#, Reader::Json, "a/b\"\\"),
            (r"\u00fC\u00FcA", Reader::Json, "üüA"),
            (r"\ud83d\uDE00.", Reader::Json, "😀."),
            (r"\b\f\n\r\t", Reader::Json, "\u{8}\u{c}\n\r\t"),
            (r"\x\ud83d.\ude00\ud83d\u0041", Reader::Json, r"\x\ud83d.\ude00\ud83dA"),
            (r"\ud83d\n", Reader::Json, "\\ud83d\n"),
            ("a%2F%2f%c3%BC+", Reader::Percent, "a//ü+"),
            ("a+b%20", Reader::Form, "a b "),
        ] {
            assert_eq!(read(text, reader).map(|(bytes, _)| bytes), Some(stands_for.into()), "{text}");
        }
        assert_eq!(read("%zz%4x 100% +", Reader::Percent), None, "nothing is spelled");
        assert_eq!(read("%2F+", Reader::Json), None, "nothing is spelled so");
    }

    #[test]
    fn a_spelling_that_the_end_cuts_is_left_out() {
        for tail in ["\\", "\\u", "\\u00f", "\\ud83d", "\\ud83d\\", "\\ud83d\\ude0"] {
            assert_eq!(read(&format!("ab{tail}"), Reader::Json), Some((b"ab".to_vec(), vec![0, 1, 2])), "{tail}");
        }
        for tail in ["%", "%c"] {
            assert_eq!(read(&format!("ab{tail}"), Reader::Percent), Some((b"ab".to_vec(), vec![0, 1, 2])), "{tail}");
        }
    }

    #[test]
    fn each_byte_knows_where_it_stood() {
        assert_eq!(read(r"a\u00fcb", Reader::Json), Some(("aüb".into(), vec![0, 1, 1, 7, 8])));
        let twice = View::plain(br"\\u00fc").read_by(Reader::Json).unwrap().read_by(Reader::Json).unwrap();
        assert_eq!((twice.bytes(), twice.place(0), twice.place(2)), ("ü".as_bytes(), 0, 7));
    }
}
