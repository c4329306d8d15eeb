//! The libraries that only calculate.

use serde_json::json;
use tidegate_engine::Compiles;
use tidegate_model::contract::ScriptCheck;

use crate::harness::{engine, result};

#[tokio::test]
async fn crypto_knows_the_published_vectors() {
    let engine = engine();
    let core = r#"
        return {
            sha256 = crypto.sha256("abc"), sha1 = crypto.sha1("abc"), short = #crypto.sha512("", "raw"),
            hmac = crypto.hmac("sha256", "Jefe", "what do ya want for nothing?"),
            raw = base64.encode(crypto.hmac("SHA256", "key", "x", "raw")),
            equal = crypto.equal("abc", "abc"), unequal = crypto.equal("abc", "abd"), length = crypto.equal("abc", "ab"),
            bad = select(2, pcall(crypto.hmac, "md5", "k", "d")),
        }"#;
    assert_eq!(
        result(&engine, core).await,
        json!({
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
            "short": 64,
            "hmac": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "raw": "T8O36vNNfllKb1HZUXulQ6v0EGeydYf/2CujWE5NPN0=",
            "equal": true, "unequal": false, "length": false,
            "bad": "no such algorithm: md5; there are sha1, sha256, sha384, sha512",
        })
    );
}

#[tokio::test]
async fn base64_hex_and_url_go_there_and_back() {
    let engine = engine();
    let core = r#"
        local all = "" for i = 0, 255 do all = all .. string.char(i) end
        local u = url.parse("https://shop.example:8443/a%20b?x=1&y=#f")
        return {
            b = base64.decode(base64.encode(all)) == all, bu = base64.decode_url(base64.encode_url(all)) == all, pad = base64.decode("YQ") .. base64.decode("YQ=="),
            h = hex.decode(hex.encode(all)) == all, hex = hex.encode("\255a"), upper = hex.decode("FF61") == "\255a",
            u = url.decode(url.encode(all)) == all, enc = url.encode("a b/ü~"),
            scheme = u.scheme, host = u.host, port = u.port, path = u.path, query = u.query, fragment = u.fragment,
            q = url.query{ b = "x y", a = { 1, 2 }, n = json.null }, p = url.parse_query("?a=1&a=2&a=3&b=x+y&c="),
            bad = { select(2, pcall(base64.decode, "*")), select(2, pcall(hex.decode, "abc")), select(2, pcall(url.decode, "%zz")), select(2, pcall(url.parse, "x")) },
        }"#;
    let got = result(&engine, core).await;
    for key in ["b", "bu", "h", "upper", "u"] {
        assert_eq!(got[key], json!(true), "{key}");
    }
    assert_eq!(got["pad"], "aa");
    assert_eq!(got["hex"], "ff61");
    assert_eq!(got["enc"], "a%20b%2F%C3%BC~");
    let parts = ["scheme", "host", "port", "path", "query", "fragment"].map(|k| got[k].clone());
    assert_eq!(json!(parts), json!(["https", "shop.example", 8443, "/a%20b", "x=1&y=", "f"]));
    assert_eq!(got["q"], "a=1&a=2&b=x+y&n=");
    assert_eq!(got["p"], json!({"a": ["1", "2", "3"], "b": "x y", "c": ""}));
    assert_eq!(got["bad"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn time_is_the_platforms_clock() {
    let engine = engine();
    let core = r#"
        return { now = time.format(time.now()), again = time.format(), parsed = time.parse("2026-06-01T14:00:00.5+02:00") - time.now(),
            text = time.format(0), fraction = time.format(1.25), bad = pcall(time.parse, "yesterday"), v4 = uuid.v4(), v7 = uuid.v7() }"#;
    let got = result(&engine, core).await;
    assert_eq!(got["now"], "2026-06-01T12:00:00Z");
    assert_eq!(got["again"], "2026-06-01T12:00:00Z");
    assert_eq!(got["parsed"], json!(0.5));
    assert_eq!(got["text"], "1970-01-01T00:00:00Z");
    assert_eq!(got["fraction"], "1970-01-01T00:00:01.250Z");
    assert_eq!(got["bad"], json!(false));
    assert_eq!(uuid::Uuid::parse_str(got["v4"].as_str().unwrap()).unwrap().get_version_num(), 4);
    assert_eq!(uuid::Uuid::parse_str(got["v7"].as_str().unwrap()).unwrap().get_version_num(), 7);
}

#[tokio::test]
async fn bounded_functions_do_what_luas_own_do() {
    let engine = engine();
    let core = r#"
        local long = string.rep("ab", 1e5) .. string.rep("c", 1e5) .. "needle" .. string.rep("ab", 10)
        local parts = string.split(string.rep("x", 2000) .. string.rep(",yy", 2000), string.rep("y", 2) .. ",")
        local t = { 3, 1, 2 } table.sort(t)
        local d = { "b", "a", "c" } table.sort(d, function(a, b) return a > b end)
        return {
            find = { string.find(long, "needle") }, plain = { string.find(long, "needle", 1, true) }, init = { string.find(long, "ab", -5, true) },
            none = string.find(long, "needles", 1, true) == nil, pattern = { string.find("a1b22", "(%d+)", 3) }, split = #parts, short = string.split("a,b", ","),
            t = t, d = d, rep = string.rep("a", 3) .. string.rep("a", 0) .. string.rep("a", -1), move = table.move({ 1, 2 }, 1, 2, 2), concat = table.concat({ 1, 2 }, "-"),
            method = ("x"):rep(2), gsub = { ("aXb"):gsub("X", "%0%0") }, match = ("k=v"):match("(%w+)=(%w+)"),
        }"#;
    assert_eq!(
        result(&engine, core).await,
        json!({
            "find": [300_001, 300_006], "plain": [300_001, 300_006], "init": [300_023, 300_024], "none": true,
            "pattern": [4, 5, "22"], "split": 2000, "short": ["a", "b"], "t": [1, 2, 3], "d": ["c", "b", "a"], "rep": "aaa",
            "move": [1, 1, 2], "concat": "1-2", "method": "xx", "gsub": ["aXXb", 1], "match": "k",
        })
    );
}

#[test]
fn a_script_that_does_not_compile_is_told_with_its_line() {
    let scripts = Compiles::default();
    assert_eq!(scripts.check("return {}"), Ok(()));
    let fault = scripts.check("local a = 1\nlocal b = = 2\nreturn {}").unwrap_err();
    assert_eq!(fault.line, 2);
    assert!(!fault.message.is_empty() && !fault.message.starts_with('2'), "{}", fault.message);
    assert_eq!(scripts.check("if true then").unwrap_err().line, 1);
    assert!(scripts.check(&"-".repeat(1 << 20)).is_err());
    assert!(scripts.check("\u{1b}Lua").is_err());
}

#[tokio::test]
async fn scripts_reach_these_names_and_no_others() {
    let engine = engine();
    let core = "
        local names = {
            '_G', '_VERSION', 'assert', 'base64', 'bit32', 'buffer', 'collectgarbage', 'coroutine', 'crypto', 'debug', 'dofile', 'error', 'fail', 'ffi', 'gcinfo',
            'getfenv', 'getmetatable', 'hex', 'http', 'integer', 'io', 'ipairs', 'jit', 'json', 'load', 'loadfile', 'loadstring', 'log', 'math', 'module',
            'native', 'newproxy', 'next', 'objects', 'os', 'package', 'pairs', 'pcall', 'print', 'rawequal', 'rawget', 'rawlen', 'rawset', 'require', 'select',
            'setfenv', 'setmetatable', 'string', 'table', 'tidegate', 'time', 'tonumber', 'tostring', 'type', 'typeof', 'unpack', 'url', 'utf8', 'uuid', 'vector', 'xpcall',
        }
        local there = {}
        for _, name in names do if _G[name] ~= nil then table.insert(there, name) end end
        return { there = there }";
    let got = result(&engine, core).await;
    assert_eq!(
        got["there"],
        json!([
            "_G",
            "_VERSION",
            "assert",
            "base64",
            "bit32",
            "buffer",
            "coroutine",
            "crypto",
            "error",
            "fail",
            "getmetatable",
            "hex",
            "http",
            "ipairs",
            "json",
            "log",
            "math",
            "next",
            "objects",
            "pairs",
            "pcall",
            "print",
            "rawequal",
            "rawget",
            "rawlen",
            "rawset",
            "select",
            "setmetatable",
            "string",
            "table",
            "time",
            "tonumber",
            "tostring",
            "type",
            "typeof",
            "unpack",
            "url",
            "utf8",
            "uuid",
            "xpcall"
        ])
    );
}
