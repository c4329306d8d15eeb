//! `crypto`: digests as lower-case hex, or as raw bytes where the last argument is `"raw"`.

use mlua::{Lua, LuaString, Table};
use ring::{digest, hmac};

use super::answering;
use super::bytes::to_hex;
use crate::fault::said_by;

const DIGESTS: [(&str, &digest::Algorithm); 4] = [
    ("sha1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
    ("sha256", &digest::SHA256),
    ("sha384", &digest::SHA384),
    ("sha512", &digest::SHA512),
];

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, algorithm) in DIGESTS {
        let hash = answering(lua, move |lua, (data, form): (LuaString, Option<String>)| {
            formed(lua, digest::digest(algorithm, &data.as_bytes()).as_ref(), form.as_deref())
        })?;
        table.raw_set(name, hash)?;
    }
    let hmac = answering(lua, |lua, (algorithm, key, data, form): (String, LuaString, LuaString, Option<String>)| {
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => hmac::HMAC_SHA256,
            "sha384" => hmac::HMAC_SHA384,
            "sha512" => hmac::HMAC_SHA512,
            other => return Err(format!("no such algorithm: {other}; there are sha1, sha256, sha384, sha512")),
        };
        let key = hmac::Key::new(algorithm, &key.as_bytes());
        formed(lua, hmac::sign(&key, &data.as_bytes()).as_ref(), form.as_deref())
    })?;
    table.raw_set("hmac", hmac)?;
    table.raw_set(
        "equal",
        answering(lua, |_, (a, b): (LuaString, LuaString)| Ok(equal(&a.as_bytes(), &b.as_bytes())))?,
    )?;
    Ok(table)
}

fn formed(lua: &Lua, bytes: &[u8], form: Option<&str>) -> Result<LuaString, String> {
    let made = match form {
        None | Some("hex") => lua.create_string(to_hex(bytes)),
        Some("raw") => lua.create_string(bytes),
        Some(other) => return Err(format!("no such form: {other}; there are hex and raw")),
    };
    made.map_err(|e| said_by(&e))
}

/// Compares in a time that depends on the lengths alone.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b))) == 0
}
