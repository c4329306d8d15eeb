//! Whether a script compiles, where not, and what is doubtful in it.

use async_trait::async_trait;
use tidegate_model::contract::{ScriptCheck, ScriptFault, ScriptWarning};
use tidegate_model::kept;

use crate::lint::Linter;
use crate::script::compiler;

/// A script larger than this is not one; compiling cannot be interrupted.
const LARGEST: usize = 256 << 10;

/// A message may quote a part of the script, however long that is.
const LONGEST_MESSAGE: usize = 400;

/// Compiles scripts without running them.
#[derive(Clone, Debug, Default)]
pub struct Compiles {
    linter: Linter,
}

#[async_trait]
impl ScriptCheck for Compiles {
    fn check(&self, source: &str) -> Result<(), ScriptFault> {
        if source.len() > LARGEST {
            return Err(ScriptFault { line: 1, column: 1, message: format!("a script has at most {LARGEST} bytes") });
        }
        compile(source).map_err(|message| fault(source, &message))
    }

    async fn lint(&self, source: &str) -> Vec<ScriptWarning> {
        // What does not compile has a fault, which says more.
        if self.check(source).is_err() {
            return Vec::new();
        }
        self.linter.warnings(source).await
    }
}

/// `Err` is what Luau says: `:<line>: <what>`.
fn compile(source: &str) -> Result<(), String> {
    compiler().compile(source).map(drop).map_err(|e| match e {
        mlua::Error::SyntaxError { message, .. } => message,
        other => other.to_string(),
    })
}

fn fault(source: &str, said: &str) -> ScriptFault {
    let parsed = said.trim_start_matches(':').split_once(": ");
    let parsed = parsed.and_then(|(line, what)| Some((line.parse::<u32>().ok()?, what)));
    let (line, what) = parsed.unwrap_or((1, said));
    ScriptFault { line, column: column(source, line, said), message: kept::start_of(what, LONGEST_MESSAGE) }
}

/// Luau tells the line alone. But it says the same of each beginning of the script that holds what it stumbles over, and something else
/// of every shorter one: so the shortest of these ends where that does.
fn column(source: &str, line: u32, said: &str) -> u32 {
    let before = source.split_inclusive('\n').take(line as usize - usize::from(line > 0)).map(str::len).sum::<usize>();
    let text = source[before..].lines().next().unwrap_or_default();
    let counted = |end: usize| u32::try_from(text[..end].chars().count()).unwrap_or(u32::MAX).saturating_add(1);
    if said.contains("got <eof>") {
        return counted(text.len());
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    let shortest = ends.partition_point(|end| compile(&source[..before + end]).err().as_deref() != Some(said));
    match ends.get(shortest) {
        Some(end) => counted(start_of_word(&text[..*end])),
        None => counted(text.len() - text.trim_start().len()),
    }
}

/// Where the last word of a text begins; its last character, where that is none of a word.
fn start_of_word(text: &str) -> usize {
    let word = text.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    if word.len() < text.len() { word.len() } else { text.char_indices().next_back().map_or(0, |(at, _)| at) }
}
