//! What is doubtful in a script that compiles: names that nothing defines, locals that nothing reads, an end without a result.
//!
//! The syntax tree is that of `full_moon`, whose parser, like everything that walks the tree, calls itself as deeply as the script is
//! nested. So a script is looked at from outside first ([`nesting`]), and the rest is done on a thread with room for it.

mod ending;
mod names;
mod nesting;
mod thread;

pub(crate) use thread::Linter;

use std::collections::HashSet;

use full_moon::LuaVersion;
use full_moon::tokenizer::Position;
use tidegate_model::contract::{ScriptRule, ScriptWarning};

/// So many warnings say enough.
const MOST: usize = 100;

/// A larger script is not linted.
const LARGEST: usize = 64 << 10;

/// All warnings of a script that compiles, in its order; `known` are the names that the platform defines.
fn warnings(source: &str, known: &HashSet<String>) -> Vec<ScriptWarning> {
    if source.len() > LARGEST {
        return vec![not_linted(&format!("it has more than {} KiB", LARGEST >> 10))];
    }
    if nesting::is_too_deep(source) {
        return vec![not_linted("it is nested too deeply")];
    }
    let parsed = full_moon::parse_fallible(source, LuaVersion::luau());
    if !parsed.errors().is_empty() {
        return vec![not_linted("its syntax is newer than the linter")];
    }
    let ast = parsed.into_ast();
    let mut warnings = names::warnings(&ast, known);
    warnings.extend(ending::warning(&ast));
    warnings.sort_by_key(|warning| (warning.line, warning.column));
    warnings.truncate(MOST);
    warnings
}

fn not_linted(why: &str) -> ScriptWarning {
    let message = format!("the script was not linted: {why}");
    ScriptWarning { line: 1, column: 1, rule: ScriptRule::NotLinted, message }
}

fn warning(at: Position, rule: ScriptRule, message: String) -> ScriptWarning {
    let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    ScriptWarning { line: place(at.line()), column: place(at.character()), rule, message }
}
