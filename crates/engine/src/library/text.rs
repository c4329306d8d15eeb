//! Plain search in long texts, in time that grows with their length and not with its square.

use memchr::memmem;
use mlua::{Lua, LuaString, Table};

pub(super) fn add(lua: &Lua, native: &Table) -> mlua::Result<()> {
    let find = lua.create_function(|_, (text, sought, init): (LuaString, LuaString, f64)| {
        let (text, sought) = (text.as_bytes(), sought.as_bytes());
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
