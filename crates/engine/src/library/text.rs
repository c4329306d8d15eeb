//! Plain search in long texts, in time that grows with their length and not with its square.

use std::rc::Rc;

use memchr::memmem;
use mlua::{Lua, LuaString, Table};

use crate::sandbox::Shared;
use crate::stop::Stop;

/// A search in so much text for so much text (in square bytes) is no honest one.
const ABSURD: u64 = 1 << 34;

pub(super) fn add(lua: &Lua, shared: &Rc<Shared>, native: &Table) -> mlua::Result<()> {
    let shared = Rc::clone(shared);
    let find = lua.create_function(move |lua, (text, sought, init): (LuaString, LuaString, f64)| {
        let (text, sought) = (text.as_bytes(), sought.as_bytes());
        if (text.len() as u64).saturating_mul(sought.len() as u64) > ABSURD {
            let stop = Stop::Instructions("search for a long text in a long text".to_owned());
            return Err(shared.meter.stop_here(lua, stop).into());
        }
        let begin = start(init, text.len());
        let found = begin.and_then(|begin| memmem::find(&text[begin..], &sought).map(|at| begin + at));
        Ok((found.map(|at| at + 1), found.map(|at| at + sought.len())))
    })?;
    native.raw_set("find", find)
}

/// Where Lua's `init` points to, counted from 0; `None` when it is past the end.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped before"
)]
fn start(init: f64, length: usize) -> Option<usize> {
    let length = length as f64;
    let init = if init < 0.0 { (length + init + 1.0).max(1.0) } else { init.max(1.0) };
    (init <= length + 1.0).then(|| init as usize - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_counts_as_in_lua() {
        assert_eq!(start(1.0, 3), Some(0));
        assert_eq!(start(-1.0, 3), Some(2));
        assert_eq!(start(4.0, 3), Some(3));
        assert_eq!(start(5.0, 3), None);
        assert_eq!(start(-9.0, 3), Some(0));
    }
}
