//! Making one delivery: scripts once, then the call ([`attempt`](crate::attempt)), attempt by attempt.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tidegate_engine::{Attach, Egress, Engine, Plan, plan};
use tidegate_model::contract::{Registry, Vault};
use tidegate_model::kept::call_but_named;
use tidegate_model::{
    Clock, Delivery, Direction, Error, Execution, FailureKind, HttpMethod, Integration, LogLevel, Outcome, PlannedCall,
    Randomness, Runnable, Status, Timestamp,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::lanes::{Place, Slot};
use crate::retry;
use crate::settle::Settlement;
use crate::standing::Standings;
use crate::{Options, record};

/// What a delivery needs to be made.
pub(crate) struct Deliverer {
    pub(crate) options: Arc<Options>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) engine: Engine,
    pub(crate) egress: Egress,
    pub(crate) attach: Attach,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) standings: Standings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// In whose name this process leases.
    pub(crate) holder: Uuid,
    pub(crate) settlements: mpsc::Sender<Settlement>,
    /// The time for finishing in order is over.
    pub(crate) abandon: CancellationToken,
}

/// How far one turn brought a delivery.
pub(crate) enum Turn {
    /// To its end.
    Ended(Status, Option<String>),
    /// It is due again.
    Again(Timestamp),
    /// Its lane has no room for it: it waits in the table, as due as it was.
    NotNow,
    /// Somebody else has it now, or will when the lease runs out.
    Lost,
}

impl Deliverer {
    /// Makes the delivery as far as it can be made now. The lease is held, and the place in the lane taken.
    pub(crate) async fn deliver(&self, mut delivery: Delivery, place: Place) {
        let Place { mut slot, held } = place;
        let turn = tokio::select! {
            // What is done is done, even when the time is over too.
            biased;
            turn = self.turn(&mut delivery, &mut slot) => turn,
            () = self.abandon.cancelled() => Turn::Again(self.clock.now()),
        };
        let now = self.clock.now();
        let settlement = match turn {
            Turn::Ended(status, error) => Settlement::ended(ended(delivery.execution, status, error, now), held),
            Turn::Again(at) => Settlement::again(delivery, at, Some(held)),
            Turn::NotNow => Settlement::waiting(delivery, Some(held)),
            Turn::Lost => return,
        };
        // It fails only when the process is past its end; then the lease runs out.
        let _ = self.settlements.send(settlement).await;
        drop(slot);
    }

    async fn turn(&self, delivery: &mut Delivery, slot: &mut Slot) -> Turn {
        record::close_unknown(&mut delivery.execution.attempts);
        let execution = &delivery.execution;
        let runnable = match self.registry.find(&execution.tenant, execution.integration).await {
            Ok(Some(runnable)) => runnable,
            Ok(None) | Err(Error::NotFound { .. } | Error::TenantNotFound(_)) => {
                return Turn::Ended(Status::Failed, Some("the Integration was deleted".to_owned()));
            }
            // It could not even begin, so this is no attempt.
            Err(_) => return Turn::Again(self.soon()),
        };
        let settings = &runnable.integration.settings.outgoing;
        if !slot.admit(self.options.terms(&runnable.integration)) {
            return Turn::NotNow;
        }
        if made(execution) >= self.options.rhythm(settings).attempts() {
            return Turn::Ended(Status::Dead, last_error(execution));
        }
        let call = match delivery.plan.clone() {
            Some(call) => current(call, &runnable.integration),
            None => match self.run_scripts(delivery, &runnable).await {
                ControlFlow::Continue(call) => call,
                ControlFlow::Break(turn) => return turn,
            },
        };
        self.attempt(delivery, &call, &runnable.integration, slot).await
    }

    /// Enabling rules, enable logic and core logic, by one reading of the clock.
    async fn run_scripts(&self, delivery: &mut Delivery, runnable: &Arc<Runnable>) -> ControlFlow<Turn, PlannedCall> {
        let Direction::Outgoing { url, .. } = &runnable.integration.direction else {
            return ControlFlow::Break(Turn::Ended(Status::Failed, Some("the Integration is not OUTGOING".to_owned())));
        };
        let now = self.clock.now();
        let begun = Instant::now();
        let run = self.engine.run_outgoing(runnable, &delivery.event, now).await;
        let (execution, masked) = (&mut delivery.execution, &runnable.integration.settings.masked_headers);
        execution.core_logic_version = Some(runnable.core.version);
        execution.enable_logic_version = runnable.enable.as_ref().map(|script| script.version);
        execution.enable_result = run.enable_result;
        execution.log = run.log;
        execution.calls = run.calls.into_iter().map(|call| call_but_named(call, masked)).collect();
        let result = match run.outcome {
            Outcome::Succeeded(result) => result,
            Outcome::Skipped(reason) => {
                execution.skip_reason = Some(reason);
                return ControlFlow::Break(Turn::Ended(Status::Skipped, None));
            }
            Outcome::Failed(failure) if failure.kind == FailureKind::Platform => {
                let number = made(execution) + 1;
                let reason = format!("the scripts could not be run: {}", failure.message);
                let call = (runnable.integration.http_method, url.as_str());
                execution.attempts.push(record::never_made(number, now, begun.elapsed(), call, reason));
                let settings = &runnable.integration.settings.outgoing;
                return ControlFlow::Break(self.judge(delivery, settings, retry::Answer::None));
            }
            Outcome::Failed(failure) => {
                return ControlFlow::Break(Turn::Ended(Status::Failed, Some(failure.message)));
            }
        };
        execution.core_result = Some(record::masked_result(&result, masked));
        match plan(&result, runnable.integration.http_method, url) {
            Ok(Plan::Call(call)) => {
                delivery.plan = Some(call.clone());
                ControlFlow::Continue(call)
            }
            Ok(Plan::NoCall) => ControlFlow::Break(Turn::Ended(success(execution), None)),
            Err(fault) => ControlFlow::Break(Turn::Ended(Status::Failed, Some(fault.to_string()))),
        }
    }

    /// A moment that is not the same for all who wait for the same thing.
    pub(crate) fn soon(&self) -> Timestamp {
        self.clock.now() + self.options.poll.mul_f64(1.0 + self.draw())
    }

    /// Uniform over `0.0..1.0`.
    pub(crate) fn draw(&self) -> f64 {
        let mut bytes = [0u8; 4];
        self.randomness.fill(&mut bytes);
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// A planned POST goes where its Integration says now; the URL of a GET holds what the script said.
fn current(mut call: PlannedCall, integration: &Integration) -> PlannedCall {
    if let (HttpMethod::Post, HttpMethod::Post, Some(url)) =
        (call.method, integration.http_method, integration.direction.url())
    {
        url.clone_into(&mut call.url);
    }
    call
}

fn ended(mut execution: Execution, status: Status, error: Option<String>, now: Timestamp) -> Execution {
    execution.status = status;
    execution.error = error;
    execution.finished_at = Some(now);
    execution.next_attempt_at = None;
    execution
}

pub(crate) fn success(execution: &Execution) -> Status {
    let warned = execution.log.iter().any(|line| line.level == LogLevel::Warn);
    if warned { Status::SuccessWithWarning } else { Status::Success }
}

pub(crate) fn made(execution: &Execution) -> u32 {
    u32::try_from(execution.attempts.len()).unwrap_or(u32::MAX)
}

/// What the last attempt ended with, in words.
pub(crate) fn last_error(execution: &Execution) -> Option<String> {
    let attempt = execution.attempts.last()?;
    let answered = attempt.status.map(|status| format!("the destination answered {status}"));
    match (answered, &attempt.error) {
        (Some(answered), Some(error)) => Some(format!("{answered}; {error}")),
        (answered, error) => answered.or_else(|| error.clone()),
    }
}
