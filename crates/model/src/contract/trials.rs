//! Trying scripts on reality before they go live.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Objects;
use crate::{Call, Error, Event, IncomingCall, Json, LogLine, Outcome, PlannedCall, Runnable};

/// Runs scripts as they would run, with two differences: what they call is written down instead of sent, and their objects are those that
/// the caller hands in. A trial has the limits of any other run, asks no enabling rule (`active`, the dates), and leaves nothing behind.
#[async_trait]
pub trait Trials: Send + Sync {
    /// Runs it to its end. A script that fails is an [`Outcome`]; `Unavailable` when the engine could not run it.
    async fn run(&self, trial: Trial, objects: Arc<dyn Objects>) -> Result<Tried, Error>;
}

/// What a script is told of a call that a trial does not send.
pub const NOT_SENT: &str = "not sent: this is a trial";

/// What is tried, and on what.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The definition, with the scripts to run.
    pub runnable: Arc<Runnable>,
    /// What the scripts see.
    pub input: TrialInput,
    /// Whether to stop after enable logic. Then what it returned is the result of the trial, unless it does not enable.
    pub enable_only: bool,
    /// Whether HTTP calls are sent. Otherwise each one is an error to the script: a trial invents no answers.
    pub send_http: bool,
}

/// What a trial is about.
#[derive(Clone, Debug)]
pub enum TrialInput {
    /// A third party's call.
    Incoming(IncomingCall),
    /// Something that happened to an object.
    Outgoing(Event),
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How it ended.
    pub outcome: Outcome,
    /// What enable logic returned, where it ran and returned something.
    pub enable_result: Option<Json>,
    /// What the scripts logged.
    pub log: Vec<LogLine>,
    /// Whether a line of the log warns.
    pub warned: bool,
    /// The HTTP calls that the scripts asked for, in their order; the error of one that was not sent is [`NOT_SENT`].
    pub calls: Vec<Call>,
    /// The call that the result of an OUTGOING Integration asks for, or why the result is no plan; `None` where it asks for none.
    pub plan: Option<Result<PlannedCall, String>>,
    /// CPU time of both scripts.
    pub cpu: Duration,
    /// Time by the clock on the wall, without the wait for a free thread.
    pub wall: Duration,
    /// The most bytes that the virtual machine was seen to have: at each call and each turn of a loop, while values were converted, and at
    /// the end. Everything in it counts, what is not yet cleaned away too.
    pub memory: usize,
}
