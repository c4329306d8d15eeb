//! What is said of a script before it is saved: where it does not compile, and what is doubtful in it.

use tidegate_engine::Compiles;
use tidegate_model::contract::{ScriptCheck, ScriptRule, ScriptWarning};

/// `line:column rule name`, the name as far as the message has one.
async fn warnings(source: &str) -> Vec<String> {
    let check = Compiles::default();
    assert_eq!(check.check(source), Ok(()), "{source}");
    let shown = |w: ScriptWarning| {
        let name = w.message.split('`').nth(1).unwrap_or_default().to_owned();
        format!("{}:{} {} {name}", w.line, w.column, w.rule.as_str())
    };
    check.lint(source).await.into_iter().map(shown).collect()
}

#[tokio::test]
async fn a_name_that_nothing_defines_is_told_with_its_place() {
    let source = "local a = parametrs.qty\nif hedaers['X-A'] then a = jsn.encode({ parameters = 1 }) end\nreturn { a = a, b = x.y.z }";
    assert_eq!(
        warnings(source).await,
        [
            "1:11 UNKNOWN_GLOBAL parametrs",
            "2:4 UNKNOWN_GLOBAL hedaers",
            "2:28 UNKNOWN_GLOBAL jsn",
            "3:21 UNKNOWN_GLOBAL x"
        ]
    );
}

#[tokio::test]
async fn every_variable_and_library_is_known_and_so_is_what_the_script_defines() {
    let source = "
        local all = { integration, headers, parameters, requestTime, requestUrl, rawBody, object, oldObject, newObject, objectType, eventType,
            userContext, organization, application, log, print, fail, json, http, objects, crypto, base64, hex, url, time, uuid,
            string, table, math, utf8, bit32, buffer, coroutine, pairs, ipairs, next, select, type, typeof, tostring, tonumber,
            error, assert, pcall, xpcall, setmetatable, getmetatable, rawget, rawset, rawequal, rawlen, unpack, _G, _VERSION }
        counter = (counter or 0) + 1
        function twice(n) return 2 * n end
        local function down(n) return if n == 0 then 0 else down(n - 1) end
        return { all = #all, n = twice(counter) + down(3) }";
    assert_eq!(warnings(source).await, [] as [&str; 0]);
    let gone = "return { io, os, require, debug, load, loadstring, dofile, getfenv, setfenv, newproxy }";
    assert_eq!(warnings(gone).await.len(), 10);
}

#[tokio::test]
async fn a_local_that_nothing_reads_is_told_and_others_are_not() {
    let source = "local unused = 1
local used, gone = 1, 2
local _ignored = 1
local function never() end
local again = 1
local again = again + used
local written
written = 5
for i, v in pairs({ 1 }) do local inner = v end
local function f(parameter) return 1 end
repeat local seen = f() until seen
local t = {}
function t.a() end
function t:b() return self end
local key = 'k'
return { [key] = `{again}`, f = function(...) return ... end }";
    assert_eq!(
        warnings(source).await,
        [
            "1:7 UNUSED_LOCAL unused",
            "2:13 UNUSED_LOCAL gone",
            "4:16 UNUSED_LOCAL never",
            "7:7 UNUSED_LOCAL written",
            "9:35 UNUSED_LOCAL inner",
        ]
    );
}

#[tokio::test]
async fn an_end_without_a_return_is_told_where_it_can_be_reached() {
    for (source, told) in [
        ("return {}", false),
        ("", true),
        ("log('x')", true),
        ("if parameters.a then return {} end", true),
        ("if parameters.a then return {} else return {} end", false),
        ("if parameters.a then return {} elseif parameters.b then log('b') else return {} end", true),
        ("do return {} end", false),
        ("while true do if parameters.a then return {} end end", false),
        ("while true do break end", true),
        ("while parameters.a do return {} end", true),
        ("fail('no')", false),
        ("error({ message = 'no' })", false),
        ("local function f() return {} end f()", true),
    ] {
        let found = warnings(source).await.iter().any(|w| w.contains("MISSING_RETURN"));
        assert_eq!(found, told, "{source}");
    }
    assert_eq!(warnings("log('a')\nlog('b')\n").await, ["2:9 MISSING_RETURN return"]);
}

#[tokio::test]
async fn hostile_sources_are_judged_in_bounds() {
    let check = Compiles::default();
    for source in ["(".repeat(100 << 10), "{".repeat(100 << 10), "do ".repeat(50 << 10), "x=".repeat(50 << 10)] {
        assert!(check.check(&source).is_err());
        assert_eq!(check.lint(&source).await, []);
    }
    let around =
        |open: &str, middle: &str, close: &str, n: usize| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
    let deep = [
        format!("return {{ {} }}", around("(", "1", ")", 150)),
        format!("return {}", around("{", "", "}", 150)),
        around("do ", "", " end", 150),
        format!("return {}", around("function() return ", "{}", " end", 150)),
        format!("return {{ a = {} }}", around("a[ --]\n", "1", "]", 110)),
        format!("return {{ -- {}\n}}", "x".repeat(70 << 10)),
    ];
    for source in deep {
        assert_eq!(check.check(&source), Ok(()), "{source}");
        let warnings = check.lint(&source).await;
        assert_eq!(warnings.iter().map(|w| w.rule).collect::<Vec<_>>(), [ScriptRule::NotLinted], "{source}");
    }
    // As deep as Luau itself goes, in ways that open nothing.
    for source in [
        format!("return {{ a = {} 1 }}", "not ".repeat(900)),
        format!("return {{ a = {} '' }}", "'' .. ".repeat(900)),
        format!("return {{ a = 1 {} }}", "+ 1".repeat(900)),
        format!("return {{ a = {} 1 }}", "if a then 1 else ".repeat(400)),
        format!("local a: {} = 1 return {{ a = a }}", "() -> ".repeat(400) + "number"),
        format!("return {{ a = a{} }}", ".b".repeat(900)),
        format!("return {{ {} }}", around("{", "", "}", 90)),
        format!("{} return {{}}", around("do ", "", " end", 90)),
    ] {
        if check.check(&source).is_ok() {
            assert!(check.lint(&source).await.iter().all(|w| w.rule != ScriptRule::NotLinted), "{source}");
        }
    }
    let many = format!("return {{ {} }}", "unknown, ".repeat(5000));
    assert_eq!(check.lint(&many).await.len(), 100);
}

#[test]
fn what_does_not_compile_is_told_with_line_and_column() {
    let check = Compiles::default();
    let mut wrong = Vec::new();
    for (source, line, column) in [
        ("local a = 1\nlocal b = = 2\nreturn {}", 2, 11),
        ("return {\n  answer = \n}", 3, 1),
        ("local ü = 1", 1, 7),
        ("return { a = 'ü', b = }", 1, 23),
        ("  foo bar", 1, 3),
        ("if true then", 1, 13),
        ("if true then\n", 2, 1),
        ("return {} return {}", 1, 11),
        ("x = 'open", 1, 5),
        ("local a = 1 local b = a +* 2", 1, 26),
        ("local function f() retrun 1 end", 1, 20),
        ("for i = 1, 10 log(i) end", 1, 15),
        ("break", 1, 1),
    ] {
        let fault = check.check(source).unwrap_err();
        if (fault.line, fault.column) != (line, column) {
            wrong.push(format!("{source}: {fault}"));
        }
    }
    assert_eq!(wrong, [] as [&str; 0]);
    let fault = check.check("local b = = 2").unwrap_err();
    assert!(fault.to_string().starts_with("line 1, column 11: "), "{fault}");
    let long = format!("return {{ {} % }}", "1, ".repeat(60_000));
    assert_eq!(check.check(&long).unwrap_err().column, 180_011);
}
