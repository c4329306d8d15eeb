//! What scripts are tried on and what comes of it, as messages.

use tidegate_model::contract::NOT_SENT;
use tidegate_model::{Call, Change, Error, Outcome, PlannedCall};
use tidegate_wire::api::v1;

use super::convert::{event_type, event_type_of, http_method, http_method_of, optional_json, text_of};
use super::executions::{skip_reason, status};
use super::integrations::is_incoming;
use super::logics::kind_of;
use crate::service::{
    CallDifference, Comparison, Difference, Different, Drafted, SampleInput, ToldCall, TriedLogic, TryLogicInput,
    status_of,
};
use crate::shown::{log_text, millis, planned_headers};

pub(super) fn input(input: v1::TryLogicInput) -> Result<TryLogicInput, Error> {
    Ok(TryLogicInput {
        source: input.source,
        logic_id: input.logic_id,
        kind: input.kind.map(kind_of).transpose()?,
        incoming: input.r#type.map(is_incoming).transpose()?,
        sample: input.sample.map(sample).transpose()?,
        execution_id: input.execution_id,
        send_http: input.send_http.unwrap_or_default(),
    })
}

fn sample(sample: v1::TrySampleInput) -> Result<SampleInput, Error> {
    Ok(SampleInput {
        method: sample.method.map(|method| http_method_of("in.sample.method", method)).transpose()?,
        url: sample.url,
        headers: optional_json("in.sample.headers", sample.headers)?,
        parameters: optional_json("in.sample.parameters", sample.parameters)?,
        raw_body: sample.raw_body,
        object_type: sample.object_type,
        event_type: sample.event_type.map(|kind| event_type_of("in.sample.eventType", kind)).transpose()?,
        object_id: sample.object_id,
        old: optional_json("in.sample.old", sample.old)?,
        new: optional_json("in.sample.new", sample.new)?,
    })
}

pub(super) fn tried(logic: TriedLogic) -> v1::TriedLogic {
    let status = status(status_of(&logic.tried));
    let error = logic.error().map(str::to_owned);
    let TriedLogic { tried, changes, difference: other } = logic;
    let (reason, result) = match tried.outcome {
        Outcome::Skipped(reason) => (Some(skip_reason(reason)), None),
        Outcome::Succeeded(result) => (None, Some(text_of(&result))),
        Outcome::Failed(_) => (None, None),
    };
    let (planned, unplanned) = match tried.plan {
        None => (None, None),
        Some(Ok(call)) => (Some(call), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let micros = |time: std::time::Duration| millis(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    v1::TriedLogic {
        status,
        skip_reason: reason,
        enable_result: tried.enable_result.as_ref().map(text_of),
        result,
        log: log_text(&tried.log),
        error,
        calls: tried.calls.into_iter().map(call).collect(),
        changes: changes.into_iter().map(change).collect(),
        cpu_ms: micros(tried.cpu),
        wall_ms: micros(tried.wall),
        memory_bytes: i64::try_from(tried.memory).unwrap_or(i64::MAX),
        difference: other.map(difference),
        planned_call: planned.as_ref().map(planned_call),
        plan_error: unplanned,
    }
}

fn planned_call(call: &PlannedCall) -> v1::PlannedCall {
    v1::PlannedCall {
        method: http_method(call.method),
        url: call.url.clone(),
        headers: text_of(&planned_headers(call)),
        body: call.body.as_ref().map(text_of),
    }
}

fn call(call: Call) -> v1::TriedCall {
    v1::TriedCall {
        method: call.method,
        url: call.url,
        headers: text_of(&call.request_headers),
        body: call.request_body,
        sent: call.error.as_deref() != Some(NOT_SENT),
        status: call.status.map(i32::from),
        error: call.error,
        credential: call.credential,
    }
}

fn change(drafted: Drafted) -> v1::TriedChange {
    let Drafted { object_type, object_id, change } = drafted;
    v1::TriedChange {
        object_type: object_type.into(),
        object_id: object_id.into(),
        event_type: event_type(change.event_type()),
        old: change.old_object().as_ref().map(text_of),
        new: match &change {
            Change::Create { new } | Change::Update { new, .. } => Some(text_of(new)),
            Change::Delete { .. } => None,
        },
    }
}

fn compared(ToldCall { method, url, body }: ToldCall) -> v1::ComparedCall {
    v1::ComparedCall { method, url, body }
}

fn difference(difference: Difference) -> v1::LogicDifference {
    let pair = |CallDifference { recorded, tried }| v1::CallDifference {
        recorded: recorded.map(compared),
        tried: tried.map(compared),
    };
    v1::LogicDifference {
        differs: difference.differs(),
        recorded_status: status(difference.recorded_status),
        status_differs: difference.status_differs,
        recorded_result: difference.recorded_result.as_ref().map(text_of),
        result_differs: difference.result_differs,
        attributes: difference.attributes,
        calls_differ: !difference.calls.is_empty(),
        calls: difference.calls.into_iter().map(pair).collect(),
    }
}

pub(super) fn comparison(comparison: Comparison) -> v1::LogicComparison {
    let count = |runs: usize| i32::try_from(runs).unwrap_or(i32::MAX);
    let run = |run: Different| v1::DifferentRun {
        execution_id: run.execution.to_string(),
        status: status(run.status),
        error: run.error,
        difference: Some(difference(run.difference)),
    };
    v1::LogicComparison {
        tried: count(comparison.tried),
        not_tried: count(comparison.not_tried),
        different: comparison.different.into_iter().map(run).collect(),
    }
}
