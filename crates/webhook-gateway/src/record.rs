//! What stays of a run. Pure.

use tidegate_engine::Run;
use tidegate_model::kept::call_but_named;
use tidegate_model::{
    Execution, ExecutionId, FailureKind, LogLine, Outcome, Runnable, SkipReason, Status, Timestamp, Trigger,
};

use crate::masking::{without_key, without_key_in, without_key_in_call};
use crate::request::Received;

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To what can be told without its signature.
    Door,
    /// To its signature.
    Signature,
    /// To the schema of what it has to be.
    Body,
    /// To the scripts.
    Scripts,
}

/// The record of a run that came to this stage and ended at `finished_at`.
pub(crate) fn of(
    id: ExecutionId,
    runnable: &Runnable,
    received: Received,
    run: Run,
    stage: Stage,
    finished_at: Timestamp,
) -> Execution {
    let (ran_enable, ran_core) = if stage == Stage::Scripts { which_ran(runnable, &run) } else { (false, false) };
    let key = received.key.as_str();
    let masked = |text: String| without_key_in(&text, key).unwrap_or(text);
    let (status, skip_reason, core_result, error) = match run.outcome {
        Outcome::Skipped(reason) => (Status::Skipped, Some(reason), None, None),
        Outcome::Succeeded(result) if run.warned => (Status::SuccessWithWarning, None, Some(result), None),
        Outcome::Succeeded(result) => (Status::Success, None, Some(result), None),
        Outcome::Failed(failure) => (Status::Failed, None, None, Some(failure.message)),
    };
    let integration = &runnable.integration;
    let masked_headers = &integration.settings.masked_headers;
    Execution {
        id,
        tenant: integration.tenant.clone(),
        integration: integration.id,
        trigger: Trigger::Webhook,
        status,
        skip_reason,
        started_at: received.call.time,
        finished_at: Some(finished_at),
        request: Some(received.request),
        event: None,
        attempts: Vec::new(),
        next_attempt_at: None,
        calls: run
            .calls
            .into_iter()
            .map(|call| call_but_named(without_key_in_call(call, key), masked_headers))
            .collect(),
        enable_result: run.enable_result.map(|result| without_key(&result, key)),
        core_result: core_result.map(|result| without_key(&result, key)),
        log: run.log.into_iter().map(|line| LogLine { text: masked(line.text), ..line }).collect(),
        error: error.map(masked),
        core_logic_version: ran_core.then_some(runnable.core.version),
        enable_logic_version: runnable.enable.as_ref().filter(|_| ran_enable).map(|script| script.version),
        execution_user: integration.execution_user.clone(),
        replay_of: None,
    }
}

/// Whether enable logic and core logic ran. A failed run whose enable logic left no result failed there.
fn which_ran(runnable: &Runnable, run: &Run) -> (bool, bool) {
    let has_enable = runnable.enable.is_some();
    match &run.outcome {
        Outcome::Skipped(SkipReason::Inactive | SkipReason::NotInEffect) => (false, false),
        Outcome::Skipped(SkipReason::NotEnabled) => (true, false),
        Outcome::Succeeded(_) => (has_enable, true),
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Input | FailureKind::Platform => (false, false),
            FailureKind::Script | FailureKind::Limit => (has_enable, !has_enable || run.enable_result.is_some()),
        },
    }
}
