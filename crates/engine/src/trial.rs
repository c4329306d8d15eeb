//! A run that reaches nobody: its HTTP calls are written down and not sent, its objects are the ones that the caller hands in, its machine is its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_model::contract::{Objects, Trial, TrialInput, Trials, Tried};
use tidegate_model::{Direction, Error, Integration, Outcome, PlannedCall};

use crate::engine::{Engine, Parts, Run};
use crate::plan::{Plan, plan};
use crate::running::Input;

/// What is written down of a trial while it runs.
pub(crate) struct Sheet {
    parts: Arc<Parts>,
    sends: bool,
    enable_only: bool,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
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

    /// Adds what a script has spent, and how large its machine was.
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
            attach: own.attach.clone(),
            application: own.application.clone(),
        };
        let sheet = Sheet { parts: Arc::new(parts), sends: send_http, enable_only, noted: Mutex::default() };
        let sheet = Arc::new(sheet);
        let run = self.carry_out(&runnable, input, Some(Arc::clone(&sheet))).await;
        let Run { outcome, enable_result, log, warned, calls } = run.ok_or(Error::Unavailable("the script engine"))?;
        let Noted { cpu, wall, memory } = std::mem::take(&mut *sheet.noted());
        let plan = if enable_only { None } else { planned(&runnable.integration, &outcome) };
        Ok(Tried { outcome, enable_result, log, warned, calls, plan, cpu, wall, memory })
    }
}

fn planned(integration: &Integration, outcome: &Outcome) -> Option<Result<PlannedCall, String>> {
    let (Direction::Outgoing { url, .. }, Outcome::Succeeded(result)) = (&integration.direction, outcome) else {
        return None;
    };
    match plan(result, integration.http_method, url) {
        Ok(Plan::Call(call)) => Some(Ok(call)),
        Ok(Plan::NoCall) => None,
        Err(why) => Some(Err(why.to_string())),
    }
}
