//! Our own failures: the cause goes to the log, its id to the caller.

use std::fmt::Display;

use tidegate_model::{Error, Randomness as _, SystemRandomness};

/// Logs what could not be done and why, and makes the error that names the log line.
///
/// The id only has to differ from others, and nothing is decided by it; so the randomness is not an argument.
pub(crate) fn internal(doing: &str, cause: impl Display) -> Error {
    let mut bytes = [0; 8];
    SystemRandomness.fill(&mut bytes);
    let id = format!("{:016x}", u64::from_be_bytes(bytes));
    tracing::error!(error_id = %id, %cause, "could not {doing}");
    Error::Internal { id }
}
