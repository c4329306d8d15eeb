//! How deeply a script is nested, from its tokens alone.

use full_moon::LuaVersion;
use full_moon::tokenizer::{InterpolatedStringKind, Lexer, LexerResult, Symbol, TokenReference, TokenType};

/// Brackets and blocks within each other. What Luau compiles may have ten times as many.
const DEEPEST: usize = 100;

/// Tokens, each counted as often as something is open around it: the parser looks at some of them that often.
const MOST: usize = 1 << 20;

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    /// Ended by `end` or `until`.
    Block,
    /// Ended by its `else`: what follows that stands in its place.
    Conditional,
}

/// Whether brackets and blocks are open within each other more often than the linter can follow.
pub(super) fn is_too_deep(source: &str) -> bool {
    let mut lexer = Lexer::new(source, LuaVersion::luau());
    let mut open = Vec::new();
    // Whether an expression is expected next.
    let mut in_expression = false;
    let mut counted = 0;
    while let Some(token) = lexer.consume() {
        let token = match token {
            LexerResult::Ok(token) | LexerResult::Recovered(token, _) => token,
            LexerResult::Fatal(_) => return false,
        };
        in_expression = step(&mut open, &token, in_expression);
        counted += open.len();
        if open.len() > DEEPEST || counted > MOST {
            return true;
        }
    }
    false
}

/// Counts a token; answers whether it is followed by an expression.
fn step(open: &mut Vec<Open>, token: &TokenReference, in_expression: bool) -> bool {
    use Symbol as S;
    let symbol = match token.token_type() {
        TokenType::Symbol { symbol } => *symbol,
        TokenType::InterpolatedString { kind, .. } => {
            match kind {
                InterpolatedStringKind::Begin => open.push(Open::Bracket),
                InterpolatedStringKind::End => close(open, Open::Bracket),
                _ => {}
            }
            return matches!(kind, InterpolatedStringKind::Begin | InterpolatedStringKind::Middle);
        }
        _ => return false,
    };
    match symbol {
        S::LeftParen | S::LeftBracket | S::LeftBrace => open.push(Open::Bracket),
        S::RightParen | S::RightBracket | S::RightBrace => {
            close(open, Open::Bracket);
            return false;
        }
        S::Function | S::Do | S::Repeat => {
            open.push(Open::Block);
            return false;
        }
        S::If if in_expression => open.push(Open::Conditional),
        S::If => open.push(Open::Block),
        S::End => {
            close(open, Open::Block);
            return false;
        }
        S::Until => close(open, Open::Block),
        S::Then => return open.last() == Some(&Open::Conditional),
        S::Else => {
            let conditional = open.last() == Some(&Open::Conditional);
            if conditional {
                open.pop();
            }
            return conditional;
        }
        S::Local | S::Break | S::True | S::False | S::Nil | S::Ellipsis | S::Semicolon => return false,
        _ => {}
    }
    true
}

/// Ends what is open of this kind, with what was left open within it.
fn close(open: &mut Vec<Open>, kind: Open) {
    if let Some(place) = open.iter().rposition(|one| *one == kind) {
        open.truncate(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_side_by_side_is_not_deep() {
        for line in [
            "local a = if b then c else d\n",
            "local a = if b then if c then 1 else 2 elseif d then 3 else if e then 4 else 5\n",
            "if a then b() elseif c then d() else if e then f() end end\n",
            "local f = function(a, b) return { a[b], (c) } end\n",
            "for i = 1, 2 do while a do repeat b() until c end end\n",
            "local s = `a {b} c {`{d}`} e`\n",
            "x = if a then function() return if b then c else d end else {}\n",
            "type T = { a: (number) -> string, b: Array<number> }\n",
        ] {
            assert!(!is_too_deep(&line.repeat(500)), "{line}");
        }
    }

    #[test]
    fn what_is_opened_again_and_again_is_deep_whatever_stands_between() {
        for part in [
            "(",
            "a[ --]\n",
            "{ '}',",
            "f(\")\", ",
            "do ",
            "if a then ",
            "if a then else ",
            "while a do ",
            "for i in a do ",
            "repeat ",
            "local function f() ",
            "x = function() return ",
            "x = if a then (",
            "`{",
            "local x: { a: ",
        ] {
            assert!(is_too_deep(&part.repeat(200)), "{part}");
        }
        assert!(is_too_deep(&format!("{}f({}", "a[".repeat(90), "x,".repeat(20_000))));
    }
}
