//! What goes into a run of an incoming Integration, and what comes of any run.

use std::sync::Arc;

use crate::{HttpMethod, Json, SkipReason, Timestamp};

/// A third party's call, as scripts see it (CONTRACT section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCall {
    /// The method.
    pub method: HttpMethod,
    /// Without the query string.
    pub url: String,
    /// Lower-case name to value; repeated ones are joined with ", ".
    pub headers: Vec<(String, String)>,
    /// GET: the decoded query. POST: the body as JSON, or `{}`. An array or an object.
    pub parameters: Json,
    /// The exact body.
    pub raw_body: Arc<[u8]>,
    /// When it came; the run's one reading of the clock.
    pub time: Timestamp,
}

/// What came of running an Integration's scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Core logic was not called.
    Skipped(SkipReason),
    /// Core logic returned this JSON object.
    Succeeded(Json),
    /// A script threw, hit a limit, or returned what it must not.
    Failed(Failure),
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Script, line and what was there, with the traceback on the lines after the first; or the limit that was hit.
    pub message: String,
    /// What kind of fault it is.
    pub kind: FailureKind,
}

/// Whose fault a failed run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The script threw, or returned what it must not.
    Script,
    /// The script hit a limit; the message names it.
    Limit,
    /// The caller sent what cannot be read.
    Input,
    /// The platform could not run it; another time it may work.
    Platform,
}
