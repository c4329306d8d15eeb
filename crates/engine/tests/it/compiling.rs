//! Sources crafted against the compiler: refused with a place, or compiled within bounds. A crash of it would end this process.

use tidegate_engine::Compiles;
use tidegate_model::contract::ScriptCheck;

use crate::harness::{engine, incoming, run, succeeded};

/// As large as a script may be.
const LARGE: usize = 250 << 10;

fn filled(unit: &str) -> String {
    unit.repeat(LARGE / unit.len())
}

/// A beginning, its repeated part, a middle, and the repeated end.
fn nested(before: &str, open: &str, middle: &str, close: &str) -> String {
    let times = (LARGE - 100) / (open.len() + close.len());
    format!("{before}{}{middle}{}", open.repeat(times), close.repeat(times))
}

fn crafted() -> Vec<String> {
    let mut all = vec![
        nested("return ", "(", "1", ")"),
        nested("return ", "{", "", "}"),
        nested("return ", "{{", "", "},1}"),
        nested("return ", "a[", "1", "]"),
        nested("return ", "f(", "1", ")"),
        nested("return ", "function() return ", "1", " end"),
        nested("", "do ", "", " end"),
        nested("", "if a then ", "", " end"),
        nested("", "while a do ", "", " end"),
        nested("", "for i = 1, 2 do ", "", " end"),
        nested("", "repeat ", "", " until a"),
        nested("return ", "if a then b else ", "c", ""),
        nested("return ", "`{", "1", "}`"),
        nested("type T = ", "{", "number", "}"),
        nested("type T = ", "(", "number", ") -> number"),
        nested("local a: ", "typeof(", "1", ") = 1"),
        nested("return ", "- ", "1", ""),
        nested("return ", "not ", "1", ""),
        nested("return ", "#", "{}", ""),
        nested("return 1", " + 1", "", ""),
        nested("return 1", " ^ 1", "", ""),
        nested("return ''", " .. ''", "", ""),
        nested("return a", " and a", "", ""),
        nested("return a", " == a", "", ""),
        nested("return a", ".a", "", ""),
        nested("return a", "()", "", ""),
        nested("return a", ":a()", "", ""),
        nested("return a", "[1]", "", ""),
        nested("return a :: number", " :: number", "", ""),
        nested("if a then", " elseif a then", "", " end"),
        filled("local a = 1 "),
        filled("local function f() end "),
        filled("do local a, b, c, d, e, f, g, h = 1 end "),
        filled("a = a "),
        filled("a.b.c = a.b.c "),
        filled("a += 1 "),
        filled("f() "),
        filled("goto "),
        filled("--[[ ]] "),
        filled("--[=[ "),
        filled("[[ "),
        filled("'"),
        filled("\\"),
        filled("`{"),
        filled("continue "),
        filled("break "),
        filled("return "),
        filled("export type A = B "),
        filled("@native "),
        filled("0x"),
        filled("1e"),
        filled("\u{0}"),
        filled("\u{fe}\u{1f600}"),
        format!("return {{ {} }}", "1, ".repeat(80_000)),
        format!("return {{ {} }}", (0..20_000).map(|n| format!("a{n} = {n}, ")).collect::<Vec<_>>().concat()),
        format!("return {{ {} }}", (0..20_000).map(|n| format!("'{n}', ")).collect::<Vec<_>>().concat()),
        format!("return {{ {} }}", (0..20_000).map(|n| format!("{n}.5, ")).collect::<Vec<_>>().concat()),
        format!("f({})", "1, ".repeat(80_000) + "1"),
        format!("local {} = 1", "a, ".repeat(80_000) + "a"),
        format!("{} = 1", "a, ".repeat(80_000) + "a"),
        format!("local s = '{}' return {{ s = #s }}", "x".repeat(LARGE)),
        format!("local {} = 1 return {{}}", "x".repeat(LARGE)),
        format!("return {{ n = {} }}", "9".repeat(LARGE)),
        format!("return {{ n = 0.{} }}", "9".repeat(LARGE)),
        format!("return {{ n = 0x{} }}", "f".repeat(LARGE)),
        format!("return {{ s = '{}' }}", "\\u{10ffff}".repeat(20_000)),
    ];
    // Functions in functions, each of which reaches for all names around it.
    let names = (0..150).map(|n| format!("local a{n} = {n} ")).collect::<Vec<_>>().concat();
    let uses = (0..50).map(|n| format!("a{n} + ")).collect::<Vec<_>>().concat();
    let within = format!("{names}{}return {uses}0{}", "return function() ".repeat(100), " end".repeat(100));
    all.push(within);
    all.push(
        (0..2000).map(|n| format!("local function f{}() return {uses}0 end ", n % 150)).collect::<Vec<_>>().concat(),
    );
    all
}

#[test]
fn a_crafted_source_is_compiled_or_refused_with_its_place() {
    let check = Compiles::default();
    for source in crafted() {
        let start: String = source.chars().take(40).collect();
        if let Err(fault) = check.check(&source) {
            assert!(fault.line >= 1 && fault.column >= 1 && !fault.message.is_empty(), "{start}: {fault:?}");
            assert!(fault.message.len() < 1000, "{start}: {} bytes", fault.message.len());
        }
    }
}

#[tokio::test]
async fn a_crafted_source_that_was_saved_all_the_same_harms_no_other_run() {
    let engine = engine();
    for source in crafted() {
        let start: String = source.chars().take(40).collect();
        run(&engine, incoming(&source), "{}").await;
        let next = run(&engine, incoming("return { fine = 1 }"), "{}").await;
        assert_eq!(succeeded(&next)["fine"], 1, "{start}");
    }
}

#[tokio::test]
async fn bytecode_is_no_source() {
    let engine = engine();
    let check = Compiles::default();
    for source in ["\u{5}\u{3}abc", "\u{1b}Lua", "\u{6}\u{0}\u{0}"] {
        assert!(check.check(source).is_err(), "{source:?}");
        let done = run(&engine, incoming(source), "{}").await;
        crate::harness::failed(&done);
    }
}
