//! What is wrong with the configuration, in one line.

/// A setting that cannot be accepted: which, what is wrong with it, what to write instead. Ends the process with exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {wrong}; write {instead}")]
pub(crate) struct Fault {
    /// The key, and where it was written.
    pub(crate) place: String,
    /// What is wrong with the value. A secret's value is not in it.
    pub(crate) wrong: String,
    /// What to write instead.
    pub(crate) instead: String,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { place: place.into(), wrong: one_line(&wrong.into()), instead: one_line(&instead.into()) }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
