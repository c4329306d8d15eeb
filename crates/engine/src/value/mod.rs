//! JSON text to Lua values and back, with a budget: whoever wrote the text or the script may be an attacker.
//!
//! - An integer beyond 2^53, and a decimal that a double cannot hold, is a value of its own that keeps its text ([`number`]).
//! - `null` is `json.null`, one sentinel, so that it survives in a table.
//! - A table from a JSON array carries the array mark, so that it stays an array when it is empty; `json.array` sets the mark.
//! - The last of several equal keys wins. Keys come back in any order.

mod number;
mod read;
mod write;

use mlua::{Lua, Table, Value};

pub(crate) use number::Exact;
pub(crate) use read::{ReadError, read};
pub(crate) use write::{Bounds, WriteError, write};

use crate::meter::Meter;

/// What conversions in one machine share.
pub(crate) struct Converter {
    /// The metatable that marks arrays.
    pub(crate) array: Table,
}

impl Converter {
    pub(crate) fn new(lua: &Lua) -> mlua::Result<Self> {
        let array = lua.create_table()?;
        array.set_readonly(true);
        Ok(Self { array })
    }

    /// Whether a table carries the array mark.
    fn is_marked(&self, table: &Table) -> bool {
        table.metatable().is_some_and(|found| found.to_pointer() == self.array.to_pointer())
    }
}

/// `json.null`.
pub(crate) const NULL: Value = Value::NULL;

/// Does `work` without the allocator's memory limit, because with it every step is a protected call of its own (three times slower).
/// What is done inside asks [`Meter::count`] instead.
pub(crate) fn unlimited<T>(lua: &Lua, meter: &Meter, work: impl FnOnce() -> T) -> mlua::Result<T> {
    lua.set_memory_limit(0)?;
    let done = work();
    lua.set_memory_limit(meter.memory())?;
    Ok(done)
}

/// How many bytes come before the first that JSON writes otherwise: a quote, a backslash or a control character. Looks at eight at once.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let (words, _) = bytes.as_chunks::<8>();
    let is_special = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        (zero_in(word ^ (ONES * u64::from(b'"'))) | zero_in(word ^ (ONES * u64::from(b'\\'))) | control) & HIGH != 0
    };
    let plain = words.iter().take_while(|word| !is_special(word)).count() * 8;
    let rest = &bytes[plain..];
    plain + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_plain_ends_where_a_walk_by_bytes_ends(
            bytes in proptest::collection::vec(proptest::prop_oneof![
                40 => 0x20..=0xffu8, 1 => 0..0x20u8, 1 => proptest::strategy::Just(b'"'), 1 => proptest::strategy::Just(b'\\'),
            ], 0..60)
        ) {
            let walked = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
            proptest::prop_assert_eq!(plain_length(&bytes), walked);
        }
    }
}
