//! What scripts learn of errors that they catch, and what a record tells of those that they do not.

use serde_json::json;
use tidegate_model::FailureKind;

use crate::harness::{call, engine, failed, incoming, result};

/// What Luau says at its limits.
const LIKE_LIMITS: [&str; 6] = [
    "not enough memory",
    "stack overflow",
    "stack overflow in our queue",
    "too many results to unpack",
    "pattern too complex",
    "resulting string too large",
];

#[tokio::test]
async fn a_text_that_a_script_raises_is_no_limit_whatever_it_says() {
    let engine = engine();
    for text in LIKE_LIMITS {
        for raise in [
            "error(TEXT)",
            "error(TEXT, 0)",
            "error('partner: ' .. TEXT)",
            "error('partner:12: ' .. TEXT, 0)",
            "local ok, e = pcall(error, TEXT, 0) error(e, 0)",
            "coroutine.wrap(function() error(TEXT, 0) end)()",
            "local ok, e = coroutine.resume(coroutine.create(function() error(TEXT) end)) error(e, 0)",
            "objects.transaction(function() error(TEXT, 0) end)",
            "json.decode('nothing: ' .. TEXT)",
            "error({ message = TEXT })",
        ] {
            let raise = raise.replace("TEXT", &format!("{text:?}"));
            let core = format!("local ok, e = pcall(function() {raise} end) return {{ ok = ok }}");
            assert_eq!(result(&engine, &core).await, json!({ "ok": false }), "{core}");
            let core =
                format!("local ok, e = xpcall(function() {raise} end, function(e) return 1 end) return {{ e = e }}");
            assert_eq!(result(&engine, &core).await, json!({ "e": 1 }), "{core}");
            let run = engine.run_incoming(&incoming(&raise).into(), &call("{}")).await;
            assert_eq!(failed(&run).kind, FailureKind::Script, "{raise}: {:?}", run.outcome);
        }
    }
}

#[tokio::test]
async fn a_limit_is_one_whatever_the_script_raised_before() {
    let engine = engine();
    let exhaust = "local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end";
    for before in [
        "pcall(error, 'not enough memory', 0)",
        "xpcall(error, function(e) error(e, 0) end, 'not enough memory', 0)",
        "coroutine.resume(coroutine.create(error), 'not enough memory', 0)",
        "pcall(table.sort, { 2, 1 }, function() error('not enough memory', 0) end)",
    ] {
        let core = format!("{before} pcall(function() {exhaust} end) return {{}}");
        let run = engine.run_incoming(&incoming(&core).into(), &call("{}")).await;
        assert!(failed(&run).message.contains("memory limit"), "{before}: {:?}", run.outcome);
    }
}

#[tokio::test]
async fn what_a_native_function_refuses_is_a_text_that_names_nothing_of_ours() {
    let engine = engine();
    let long = "local long = string.rep('a', 2000000)";
    for (call, said) in [
        ("json.decode('9007199254740993') + {}", "attempt to calculate with number and table"),
        ("json.decode('9007199254740993') < '1'", "attempt to compare"),
        ("json.decode('9007199254740993') .. {}", "attempt to concatenate number with table"),
        ("string.find(long, 'b', {}, true)", "expected number, got table"),
        ("log(setmetatable({}, { __tostring = function() error('boo', 0) end }))", "boo"),
        ("url.query({ a = setmetatable({}, { __tostring = function() error('boo', 0) end }) })", ""),
        ("time.format('x')", "expected number, got string"),
        ("crypto.hmac('\\255', 'a', 'b')", "expected string, got string"),
        ("table.concat({}, '', 1, 5)", "invalid value (nil) at index 1"),
        ("json.array('x')", "invalid argument #1"),
        ("http.get('https://example.com', 'x')", "options must be a table, not a string"),
    ] {
        let core = format!(
            "{long} local ok, e = pcall(function() return {call} end) return {{ ok = ok, type = type(e), e = tostring(e) }}"
        );
        let found = result(&engine, &core).await;
        let text = found["e"].as_str().unwrap();
        assert!(found["ok"] == json!(false) && found["type"] == json!("string"), "{call}: {found}");
        assert!(text.contains(said), "{call}: {text}");
        let run =
            engine.run_incoming(&incoming(&format!("{long} return {{ {call} }}")).into(), &self::call("{}")).await;
        for text in [text, &failed(&run).message] {
            for ours in ["tidegate", "Rust", "f64", "&str", "::", "userdata", "[C]", "runtime error"] {
                assert!(!text.contains(ours), "{call}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn integers_of_any_size_calculate_with_texts_as_plain_ones_do() {
    let core = "local big = json.decode('9007199254740993')
        return { sum = big + '1', turned = '2' * big, less = big < big + 1, plain = 1 + '1' }";
    let found = result(&engine(), core).await;
    assert_eq!(found["plain"], json!(2));
    assert_eq!((&found["sum"], &found["less"]), (&json!(9_007_199_254_740_994_u64), &json!(true)));
    assert_eq!(found["turned"], json!(18_014_398_509_481_986_u64));
}

#[tokio::test]
async fn long_moves_are_moved_as_short_ones() {
    let core = "
        local n = 70000
        local t = table.create(n) for i = 1, n do t[i] = i end
        local there = table.move(t, 1, n, 3, {})
        local up, down = table.clone(t), table.clone(t)
        assert(table.move(up, 1, n, 11) == up and table.move(down, 11, n, 1) == down, 'what is answered')
        for i = 1, n, 97 do assert(there[i + 2] == i and up[i + 10] == i, i) end
        for i = 1, n - 10, 97 do assert(down[i] == i + 10, i) end
        assert(there[1] == nil and there[n + 2] == n and up[10] == 10 and up[n + 10] == n and down[n] == n, 'the rest')
        return { ok = true }";
    assert_eq!(result(&engine(), core).await, json!({ "ok": true }));
}
