//! Whether a script can come to its end without having returned anything.

use full_moon::ast::{Ast, Block, Call, Expression, FunctionCall, If, LastStmt, Prefix, Stmt, Suffix};
use full_moon::node::Node as _;
use tidegate_model::contract::{ScriptRule, ScriptWarning};

/// Functions that never come back.
const FINAL: [&str; 2] = ["error", "fail"];

/// The warning at the end of a script that can be reached.
pub(super) fn warning(ast: &Ast) -> Option<ScriptWarning> {
    if never_ends(ast.nodes()) {
        return None;
    }
    let last = ast.nodes().end_position().or_else(|| ast.eof().start_position())?;
    let message = "the script can end without a `return`: a result is a table".to_owned();
    Some(super::warning(last, ScriptRule::MissingReturn, message))
}

/// Whether what follows the block is never reached.
fn never_ends(block: &Block) -> bool {
    match block.last_stmt() {
        Some(LastStmt::Return(_)) => true,
        // `break` and `continue`.
        Some(_) => false,
        None => block.stmts().last().is_some_and(leaves),
    }
}

fn leaves(statement: &Stmt) -> bool {
    match statement {
        Stmt::Do(inner) => never_ends(inner.block()),
        Stmt::If(choice) => every_branch_leaves(choice),
        Stmt::While(turn) => is_true(turn.condition()) && !breaks(turn.block()),
        Stmt::FunctionCall(call) => is_final(call),
        _ => false,
    }
}

fn every_branch_leaves(choice: &If) -> bool {
    let between = choice.else_if().into_iter().flatten();
    never_ends(choice.block())
        && between.map(full_moon::ast::ElseIf::block).all(never_ends)
        && choice.else_block().is_some_and(never_ends)
}

fn is_true(condition: &Expression) -> bool {
    matches!(condition, Expression::Symbol(token) if token.token().to_string() == "true")
}

/// Whether the loop of this block may be left by `break`; that of a loop within it counts too.
fn breaks(block: &Block) -> bool {
    block.tokens().any(|token| token.token().to_string() == "break")
}

fn is_final(call: &FunctionCall) -> bool {
    let Prefix::Name(name) = call.prefix() else { return false };
    let mut suffixes = call.suffixes();
    let called = matches!(suffixes.next(), Some(Suffix::Call(Call::AnonymousCall(_)))) && suffixes.next().is_none();
    called && FINAL.contains(&name.token().to_string().as_str())
}
