//! A run that reaches nobody: its HTTP calls are written down, its objects are the ones that the caller hands in, its machine is its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_model::Error;
use tidegate_model::contract::{Objects, Trial, TrialInput, Trials, Tried, TriedCall};

use crate::egress::{EgressError, Request, Response};
use crate::engine::{Engine, Parts, Run};
use crate::running::Input;

/// What a script is told of a call that a trial does not make.
pub(crate) const NOT_SENT: &str = "not sent: this is a trial";

/// Of a longer body only this much is kept.
const BODY: usize = 64 << 10;

/// What is written down of a trial while it runs.
pub(crate) struct Sheet {
    parts: Arc<Parts>,
    sends: bool,
    enable_only: bool,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    calls: Vec<TriedCall>,
    cpu: Duration,
    wall: Duration,
    memory: usize,
}

impl Sheet {
    /// What the run is to use instead of the engine's own parts.
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Whether calls are sent all the same.
    pub(crate) fn sends(&self) -> bool {
        self.sends
    }

    /// Whether core logic is not asked for.
    pub(crate) fn is_over_after_enable(&self) -> bool {
        self.enable_only
    }

    /// Writes a call down; answers its place.
    pub(crate) fn note_call(&self, request: &Request) -> usize {
        let call = TriedCall {
            method: request.method.to_string(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.as_deref().map(start_of),
            sent: self.sends,
            status: None,
            error: (!self.sends).then(|| NOT_SENT.to_owned()),
        };
        let mut noted = self.noted();
        noted.calls.push(call);
        noted.calls.len() - 1
    }

    /// Adds what came of a call.
    pub(crate) fn note_answer(&self, call: usize, came: &Result<Response, EgressError>) {
        if let Some(call) = self.noted().calls.get_mut(call) {
            match came {
                Ok(response) => call.status = Some(response.status),
                Err(error) => call.error = Some(error.to_string()),
            }
        }
    }

    /// Adds what a script has spent, and how large its machine was at its end.
    pub(crate) fn note_script(&self, cpu: Duration, memory: usize) {
        let mut noted = self.noted();
        noted.cpu += cpu;
        noted.memory = noted.memory.max(memory);
    }

    /// Notes how long it took in all.
    pub(crate) fn note_wall(&self, wall: Duration) {
        self.noted().wall = wall;
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Trials for Engine {
    async fn run(&self, trial: Trial, objects: Arc<dyn Objects>) -> Result<Tried, Error> {
        let Trial { runnable, input, enable_only, send_http } = trial;
        let input = match input {
            TrialInput::Incoming(call) => Input::Incoming(Arc::new(call)),
            TrialInput::Outgoing(event) => Input::Outgoing(Arc::new(event)),
        };
        let own = self.parts();
        let parts = Parts {
            objects,
            clock: own.clock.clone(),
            randomness: own.randomness.clone(),
            egress: own.egress.clone(),
            application: own.application.clone(),
        };
        let sheet = Sheet { parts: Arc::new(parts), sends: send_http, enable_only, noted: Mutex::default() };
        let sheet = Arc::new(sheet);
        let run = self.carry_out(&runnable, input, Some(Arc::clone(&sheet))).await;
        let Run { outcome, enable_result, log, warned } = run.ok_or(Error::Unavailable("the script engine"))?;
        let Noted { calls, cpu, wall, memory } = std::mem::take(&mut *sheet.noted());
        Ok(Tried { outcome, enable_result, log, warned, calls, cpu, wall, memory })
    }
}

fn start_of(body: &[u8]) -> String {
    let kept = String::from_utf8_lossy(&body[..body.len().min(BODY)]).into_owned();
    if body.len() > BODY { format!("{kept}… ({} bytes in all)", body.len()) } else { kept }
}
