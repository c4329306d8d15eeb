//! `base64` and `hex`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mlua::{Lua, LuaString, Table};

use super::answering;
use crate::fault::said_by;

/// Reads either padding.
const READ: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

pub(super) fn base64(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("encode", answering(lua, |_, data: LuaString| Ok(STANDARD.encode(data.as_bytes())))?)?;
    table.raw_set("encode_url", answering(lua, |_, data: LuaString| Ok(URL_SAFE_NO_PAD.encode(data.as_bytes())))?)?;
    table.raw_set("decode", answering(lua, |lua, text: LuaString| decode(lua, &text, &base64::alphabet::STANDARD))?)?;
    table.raw_set(
        "decode_url",
        answering(lua, |lua, text: LuaString| decode(lua, &text, &base64::alphabet::URL_SAFE))?,
    )?;
    Ok(table)
}

fn decode(lua: &Lua, text: &LuaString, alphabet: &base64::alphabet::Alphabet) -> Result<LuaString, String> {
    let bytes =
        GeneralPurpose::new(alphabet, READ).decode(text.as_bytes()).map_err(|e| format!("invalid base64: {e}"))?;
    lua.create_string(bytes).map_err(|e| said_by(&e))
}

pub(super) fn hex(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("encode", answering(lua, |_, data: LuaString| Ok(to_hex(&data.as_bytes())))?)?;
    let decode = answering(lua, |lua, text: LuaString| {
        let bytes = from_hex(&text.as_bytes()).ok_or("invalid hex: pairs of 0-9, a-f were expected")?;
        lua.create_string(bytes).map_err(|e| said_by(&e))
    })?;
    table.raw_set("decode", decode)?;
    Ok(table)
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let pairs = text.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}
