//! Whether a script compiles.

use tidegate_model::contract::{ScriptCheck, ScriptFault};

use crate::script::compiler;

/// A script larger than this is not one; compiling cannot be interrupted.
const LARGEST: usize = 256 << 10;

/// Compiles scripts without running them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compiles;

impl ScriptCheck for Compiles {
    fn check(&self, source: &str) -> Result<(), ScriptFault> {
        if source.len() > LARGEST {
            return Err(ScriptFault { line: 1, message: format!("a script has at most {LARGEST} bytes") });
        }
        compiler().compile(source).map(drop).map_err(|e| match e {
            mlua::Error::SyntaxError { message, .. } => fault(&message),
            other => ScriptFault { line: 1, message: other.to_string() },
        })
    }
}

/// Luau says `<line>: <what>`.
fn fault(message: &str) -> ScriptFault {
    let parsed = message.trim_start_matches(':').split_once(": ");
    let (line, what) = parsed.and_then(|(line, what)| Some((line.parse().ok()?, what))).unwrap_or((1, message));
    ScriptFault { line, message: what.to_owned() }
}
