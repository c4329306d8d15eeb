use tidegate_model::{Error, SkipReason, Status, Trigger};
use tidegate_wire::api::v1::{self, ExecutionService};

use super::convert::{asked, event_type, http_method, instant, page, required, text_of, time};
use super::integrations::execution_user;
use super::{Face, replays};
use crate::access::Access;
use crate::service::ExecutionFilterInput;
use crate::shown::{duration_ms, log_text, millis};

pub(super) fn status(status: Status) -> i32 {
    let status = match status {
        Status::Pending => v1::ExecutionStatus::Pending,
        Status::Retrying => v1::ExecutionStatus::Retrying,
        Status::Success => v1::ExecutionStatus::Success,
        Status::SuccessWithWarning => v1::ExecutionStatus::SuccessWithWarning,
        Status::Skipped => v1::ExecutionStatus::Skipped,
        Status::Failed => v1::ExecutionStatus::Failed,
        Status::Dead => v1::ExecutionStatus::Dead,
    };
    status.into()
}

fn status_of((i, status): (usize, i32)) -> Result<Status, Error> {
    use v1::ExecutionStatus as S;
    match S::try_from(status) {
        Ok(S::Pending) => Ok(Status::Pending),
        Ok(S::Retrying) => Ok(Status::Retrying),
        Ok(S::Success) => Ok(Status::Success),
        Ok(S::SuccessWithWarning) => Ok(Status::SuccessWithWarning),
        Ok(S::Skipped) => Ok(Status::Skipped),
        Ok(S::Failed) => Ok(Status::Failed),
        Ok(S::Dead) => Ok(Status::Dead),
        Ok(S::Unspecified) | Err(_) => Err(Error::invalid(format!("filter.statuses[{i}]"), "a status that there is")),
    }
}

pub(super) fn skip_reason(reason: SkipReason) -> i32 {
    let reason = match reason {
        SkipReason::Inactive => v1::SkipReason::Inactive,
        SkipReason::NotInEffect => v1::SkipReason::NotInEffect,
        SkipReason::NotEnabled => v1::SkipReason::NotEnabled,
    };
    reason.into()
}

fn trigger(trigger: Trigger) -> i32 {
    let trigger = match trigger {
        Trigger::Webhook => v1::ExecutionTrigger::Webhook,
        Trigger::Event => v1::ExecutionTrigger::Event,
        Trigger::Try => v1::ExecutionTrigger::Try,
        Trigger::Replay => v1::ExecutionTrigger::Replay,
    };
    trigger.into()
}

fn attempt(attempt: tidegate_model::Attempt) -> v1::Attempt {
    v1::Attempt {
        number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
        started_at: Some(instant(attempt.started_at)),
        duration_ms: attempt.duration_us.map_or(0.0, millis),
        url: attempt.url,
        method: http_method(attempt.method),
        request_headers: text_of(&attempt.request_headers),
        request_body: attempt.request_body,
        status: attempt.status.map(i32::from),
        response_headers: attempt.response_headers.as_ref().map(text_of),
        response_body: attempt.response_body,
        response_truncated: attempt.response_truncated,
        error: attempt.error,
    }
}

fn call(call: tidegate_model::Call) -> v1::Call {
    v1::Call {
        started_at: Some(instant(call.started_at)),
        duration_ms: call.duration_us.map(millis),
        method: call.method,
        url: call.url,
        request_headers: text_of(&call.request_headers),
        request_body: call.request_body,
        status: call.status.map(i32::from),
        response_headers: call.response_headers.as_ref().map(text_of),
        response_body: call.response_body,
        response_truncated: call.response_truncated,
        error: call.error,
        credential: call.credential,
    }
}

fn message(execution: tidegate_model::Execution) -> v1::Execution {
    let duration_ms = duration_ms(&execution);
    let (request, event) = (execution.request.as_ref(), execution.event.as_ref());
    v1::Execution {
        id: execution.id.to_string(),
        integration_id: execution.integration.to_string(),
        trigger: trigger(execution.trigger),
        status: status(execution.status),
        skip_reason: execution.skip_reason.map(skip_reason),
        started_at: Some(instant(execution.started_at)),
        finished_at: execution.finished_at.map(instant),
        duration_ms,
        method: request.map(|r| http_method(r.method)),
        url: request.map(|r| r.url.clone()),
        caller_address: request.and_then(|r| r.caller_address).map(|address| address.to_string()),
        headers: request.map(|r| text_of(&r.headers)),
        parameters: request.map(|r| text_of(&r.parameters)),
        object_type: event.map(|e| e.object_type.to_string()),
        event_type: event.map(|e| event_type(e.event_type)),
        object_id: event.map(|e| e.object_id.to_string()),
        event_id: event.map(|e| e.id.to_string()),
        attempts: execution.attempts.into_iter().map(attempt).collect(),
        calls: execution.calls.into_iter().map(call).collect(),
        next_attempt_at: execution.next_attempt_at.map(instant),
        enable_result: execution.enable_result.as_ref().map(text_of),
        core_result: execution.core_result.as_ref().map(text_of),
        log: log_text(&execution.log),
        error: execution.error,
        core_logic_version: execution.core_logic_version,
        enable_logic_version: execution.enable_logic_version,
        execution_user: Some(execution_user(execution.execution_user)),
        replay_of: execution.replay_of.map(|id| id.to_string()),
    }
}

fn filter(filter: v1::ExecutionFilter) -> Result<ExecutionFilterInput, Error> {
    let statuses = filter.statuses.into_iter().enumerate().map(status_of).collect::<Result<Vec<_>, _>>()?;
    Ok(ExecutionFilterInput {
        integration_id: filter.integration_id,
        // Of a list that is empty a message does not tell whether it was given.
        statuses: Some(statuses).filter(|all| !all.is_empty()),
        from: time("filter.from_time", filter.from_time)?,
        to: time("filter.to_time", filter.to_time)?,
        object_type: filter.object_type,
        object_id: filter.object_id,
        event_id: filter.event_id,
        text: filter.text,
    })
}

impl ExecutionService for Face {
    async fn get_execution(
        &self,
        access: &Access,
        request: v1::GetExecutionRequest,
    ) -> Result<v1::GetExecutionResponse, Error> {
        let execution = self.services.execution(access, &request.id).await?;
        Ok(v1::GetExecutionResponse { execution: execution.map(message) })
    }

    async fn list_executions(
        &self,
        access: &Access,
        request: v1::ListExecutionsRequest,
    ) -> Result<v1::ListExecutionsResponse, Error> {
        let filter = request.filter.map(filter).transpose()?.unwrap_or_default();
        let listed = self.services.executions(access, filter, asked(request.first, request.after), true).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListExecutionsResponse { data, page_info, total_count })
    }

    async fn replay_execution(
        &self,
        access: &Access,
        request: v1::ReplayExecutionRequest,
    ) -> Result<v1::ReplayExecutionResponse, Error> {
        let execution = self.services.replay_execution(access, &request.id).await?;
        Ok(v1::ReplayExecutionResponse { execution: Some(message(execution)) })
    }

    async fn replay_executions(
        &self,
        access: &Access,
        request: v1::ReplayExecutionsRequest,
    ) -> Result<v1::ReplayExecutionsResponse, Error> {
        let filter = filter(required("filter", request.filter)?)?;
        let (dry_run, rate) = (request.dry_run.unwrap_or_default(), request.rate_per_second);
        let answer = self.services.replay_executions(access, filter, dry_run, rate).await?;
        Ok(v1::ReplayExecutionsResponse { replayed_executions: Some(replays::replayed(&answer)) })
    }

    async fn get_replay(&self, access: &Access, request: v1::GetReplayRequest) -> Result<v1::GetReplayResponse, Error> {
        let replay = self.services.replay(access, &request.id).await?;
        Ok(v1::GetReplayResponse { replay: replay.map(replays::message) })
    }

    async fn list_replays(
        &self,
        access: &Access,
        request: v1::ListReplaysRequest,
    ) -> Result<v1::ListReplaysResponse, Error> {
        let listed = self.services.replays(access, asked(request.first, request.after)).await?;
        let (data, page_info, total_count) = page(listed, replays::message);
        Ok(v1::ListReplaysResponse { data, page_info, total_count })
    }

    async fn stop_replay(
        &self,
        access: &Access,
        request: v1::StopReplayRequest,
    ) -> Result<v1::StopReplayResponse, Error> {
        let replay = self.services.stop_replay(access, &request.id).await?;
        Ok(v1::StopReplayResponse { replay: Some(replays::message(replay)) })
    }

    async fn cancel_execution(
        &self,
        access: &Access,
        request: v1::CancelExecutionRequest,
    ) -> Result<v1::CancelExecutionResponse, Error> {
        let execution = self.services.cancel_execution(access, &request.id).await?;
        Ok(v1::CancelExecutionResponse { execution: Some(message(execution)) })
    }

    async fn cancel_executions(
        &self,
        access: &Access,
        request: v1::CancelExecutionsRequest,
    ) -> Result<v1::CancelExecutionsResponse, Error> {
        let filter = filter(required("filter", request.filter)?)?;
        let dry_run = request.dry_run.unwrap_or_default();
        let answer = self.services.cancel_executions(access, filter, dry_run).await?;
        Ok(v1::CancelExecutionsResponse { cancelled_executions: Some(replays::cancelled(&answer)) })
    }
}
