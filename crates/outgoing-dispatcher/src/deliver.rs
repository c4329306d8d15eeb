//! Making one delivery: scripts once, then the call, attempt by attempt.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tidegate_engine::{Egress, Engine, Plan, plan};
use tidegate_model::contract::Registry;
use tidegate_model::kept::call_but_named;
use tidegate_model::{
    Attempt, Clock, Delivery, Direction, Error, Execution, FailureKind, Json, LogLevel, Outcome, PlannedCall,
    Randomness, Runnable, Status, Timestamp,
};
use tidegate_storage::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::http::{self, NoAnswer};
use crate::lanes::Place;
use crate::retry::{self, Verdict, verdict};
use crate::settle::Settlement;
use crate::{Options, record};

/// What a delivery needs to be made.
pub(crate) struct Deliverer {
    pub(crate) options: Arc<Options>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) engine: Engine,
    pub(crate) egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// In whose name this process leases.
    pub(crate) holder: Uuid,
    pub(crate) settlements: mpsc::Sender<Settlement>,
    /// The time for finishing in order is over.
    pub(crate) abandon: CancellationToken,
}

/// How far one turn brought a delivery.
enum Turn {
    /// To its end.
    Ended(Status, Option<String>),
    /// It is due again.
    Again(Timestamp),
    /// Somebody else has it now, or will when the lease runs out.
    Lost,
}

impl Deliverer {
    /// Makes the delivery as far as it can be made now. The lease is held, and the place in the lane taken.
    pub(crate) async fn deliver(&self, mut delivery: Delivery, place: Place) {
        let turn = tokio::select! {
            // What is done is done, even when the time is over too.
            biased;
            turn = self.turn(&mut delivery) => turn,
            () = self.abandon.cancelled() => Turn::Again(self.clock.now()),
        };
        let now = self.clock.now();
        let Place { slot, held } = place;
        let settlement = match turn {
            Turn::Ended(status, error) => Settlement::ended(ended(delivery.execution, status, error, now), held),
            Turn::Again(at) => Settlement::again(delivery, at, Some(held)),
            Turn::Lost => return,
        };
        // It fails only when the process is past its end; then the lease runs out.
        let _ = self.settlements.send(settlement).await;
        drop(slot);
    }

    async fn turn(&self, delivery: &mut Delivery) -> Turn {
        record::close_unknown(&mut delivery.execution.attempts);
        if made(&delivery.execution) >= self.options.schedule.attempts {
            return Turn::Ended(Status::Dead, last_error(&delivery.execution));
        }
        let execution = &delivery.execution;
        let runnable = match self.registry.find(&execution.tenant, execution.integration).await {
            Ok(Some(runnable)) => runnable,
            Ok(None) | Err(Error::NotFound { .. } | Error::TenantNotFound(_)) => {
                return Turn::Ended(Status::Failed, Some("the Integration was deleted".to_owned()));
            }
            // It could not even begin, so this is no attempt.
            Err(_) => return Turn::Again(self.soon()),
        };
        let call = match delivery.plan.clone() {
            Some(call) => call,
            None => match self.run_scripts(delivery, &runnable).await {
                ControlFlow::Continue(call) => call,
                ControlFlow::Break(turn) => return turn,
            },
        };
        self.attempt(delivery, &call, &runnable.integration.settings.masked_headers).await
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
                execution.attempts.push(never_made(number, now, begun, runnable, url, &failure.message));
                return ControlFlow::Break(self.judge(delivery, retry::Answer::None));
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

    async fn attempt(&self, delivery: &mut Delivery, call: &PlannedCall, masked: &[String]) -> Turn {
        let started_at = self.clock.now();
        let number = made(&delivery.execution) + 1;
        let headers = http::headers(call, delivery.execution.id, started_at, &*self.randomness);
        let attempt = record::begun(number, started_at, call, &headers, masked, self.options.response_limit);
        delivery.execution.attempts.push(attempt);
        delivery.execution.next_attempt_at = None;
        let leased_until = started_at + self.options.lease;
        match self.store.save(delivery, self.holder, leased_until).await {
            Ok(true) => {}
            // The store has logged why it failed; without the attempt on record there is no call.
            Ok(false) | Err(_) => return Turn::Lost,
        }
        if self.clock.now() + self.options.call_timeout >= leased_until {
            // Storing took so long that another process could begin before this call ends.
            delivery.execution.attempts.pop();
            return Turn::Again(self.clock.now());
        }

        let begun = Instant::now();
        let answer =
            http::send(&self.egress, call, headers, self.options.call_timeout, self.options.response_limit).await;
        let Some(attempt) = delivery.execution.attempts.last_mut() else { return Turn::Lost };
        attempt.duration_us = Some(micros_since(begun));
        match &answer {
            Ok(answer) => {
                record::answered(attempt, answer, masked);
                let retry_after = answer.retry_after();
                self.judge(delivery, retry::Answer::Status { status: answer.status, retry_after })
            }
            Err(NoAnswer::Away(reason)) => {
                attempt.error = Some(reason.clone());
                self.judge(delivery, retry::Answer::None)
            }
            Err(NoAnswer::Refused(reason)) => {
                attempt.error = Some(reason.clone());
                self.judge(delivery, retry::Answer::Refused)
            }
        }
    }

    fn judge(&self, delivery: &mut Delivery, answer: retry::Answer<'_>) -> Turn {
        let execution = &mut delivery.execution;
        let draw = self.draw();
        match verdict(answer, made(execution), self.clock.now(), &self.options.schedule, draw) {
            Verdict::Arrived => Turn::Ended(success(execution), None),
            Verdict::Again(at) => {
                execution.status = Status::Retrying;
                execution.error = last_error(execution);
                Turn::Again(at)
            }
            Verdict::Dead => Turn::Ended(Status::Dead, last_error(execution)),
            Verdict::Failed => Turn::Ended(Status::Failed, last_error(execution)),
        }
    }

    /// A moment that is not the same for all who wait for the same thing.
    fn soon(&self) -> Timestamp {
        self.clock.now() + self.options.poll.mul_f64(1.0 + self.draw())
    }

    /// Uniform over `0.0..1.0`.
    fn draw(&self) -> f64 {
        let mut bytes = [0u8; 4];
        self.randomness.fill(&mut bytes);
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

fn ended(mut execution: Execution, status: Status, error: Option<String>, now: Timestamp) -> Execution {
    execution.status = status;
    execution.error = error;
    execution.finished_at = Some(now);
    execution.next_attempt_at = None;
    execution
}

fn success(execution: &Execution) -> Status {
    let warned = execution.log.iter().any(|line| line.level == LogLevel::Warn);
    if warned { Status::SuccessWithWarning } else { Status::Success }
}

fn made(execution: &Execution) -> u32 {
    u32::try_from(execution.attempts.len()).unwrap_or(u32::MAX)
}

/// What the last attempt ended with, in words.
fn last_error(execution: &Execution) -> Option<String> {
    let attempt = execution.attempts.last()?;
    attempt.error.clone().or_else(|| attempt.status.map(|status| format!("the destination answered {status}")))
}

/// Stands for an attempt that our own failure prevented, so that it counts and can be seen.
fn never_made(
    number: u32,
    started_at: Timestamp,
    begun: Instant,
    runnable: &Runnable,
    url: &str,
    reason: &str,
) -> Attempt {
    Attempt {
        number,
        started_at,
        duration_us: Some(micros_since(begun)),
        url: url.to_owned(),
        method: runnable.integration.http_method,
        request_headers: Json::empty_object(),
        request_body: None,
        status: None,
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: Some(format!("the scripts could not be run: {reason}")),
    }
}

fn micros_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}
