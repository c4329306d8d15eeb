use async_graphql::{Context, ID, InputObject, Object, Result};
use tidegate_model::{Change, Outcome};

use super::enums::{EventType, ExecutionStatus, HttpMethod, IntegrationType, LogicKind, SkipReason};
use super::of;
use super::scalars::Json;
use super::trial_calls::{CallDifference, PlannedCall, TriedCall};
use crate::service;
use crate::shown::{log_text, millis};

/// A call (INCOMING) or an event (OUTGOING).
#[derive(InputObject)]
pub(super) struct TrySampleInput {
    /// INCOMING: POST where absent.
    method: Option<HttpMethod>,
    /// INCOMING: without the query string.
    url: Option<String>,
    /// INCOMING: names and texts.
    headers: Option<Json>,
    /// INCOMING: an object or an array; `{}` where absent.
    parameters: Option<Json>,
    /// INCOMING: where absent, the text of `parameters` (nothing for GET).
    raw_body: Option<String>,
    /// OUTGOING: required.
    object_type: Option<String>,
    /// OUTGOING: required.
    event_type: Option<EventType>,
    /// OUTGOING: `sample` where absent.
    object_id: Option<ID>,
    /// OUTGOING, UPDATE and DELETE: the former state.
    old: Option<Json>,
    /// OUTGOING, CREATE and UPDATE: the state now.
    new: Option<Json>,
}

#[derive(InputObject)]
pub(super) struct TryLogicInput {
    /// A script that is not saved; or `logicID`.
    source: Option<String>,
    /// A Logic, at its newest version; or `source`.
    #[graphql(name = "logicID")]
    logic_id: Option<ID>,
    /// What `source` is; CORE where absent.
    kind: Option<LogicKind>,
    /// What `sample` is.
    r#type: Option<IntegrationType>,
    /// What the script runs on, alone; or `executionID`.
    sample: Option<TrySampleInput>,
    /// A record: its Integration, as it is now, runs again on what the record kept, with the script in its place. Needs `execution:read`.
    #[graphql(name = "executionID")]
    execution_id: Option<ID>,
    /// Whether HTTP calls are sent. Otherwise each one is an error to the script.
    #[graphql(name = "sendHttp", default = false)]
    send_http: bool,
}

/// A change that a run would have made.
struct TriedChange(service::Drafted);

#[Object]
impl TriedChange {
    async fn object_type(&self) -> &str {
        self.0.object_type.as_str()
    }

    async fn object_id(&self) -> ID {
        ID::from(&self.0.object_id)
    }

    async fn event_type(&self) -> EventType {
        self.0.change.event_type().into()
    }

    /// UPDATE: the attributes that changed, as they were; DELETE: all.
    async fn old(&self) -> Option<Json> {
        self.0.change.old_object().map(Json)
    }

    /// CREATE and UPDATE: all attributes.
    async fn new(&self) -> Option<Json> {
        match &self.0.change {
            Change::Create { new } | Change::Update { new, .. } => Some(new.clone().into()),
            Change::Delete { .. } => None,
        }
    }
}

/// How a trial came out other than what was recorded.
struct LogicDifference(service::Difference);

#[Object]
impl LogicDifference {
    /// Whether anything does.
    async fn differs(&self) -> bool {
        self.0.differs()
    }

    /// How the recorded run's scripts ended, whatever became of the call that they planned.
    async fn recorded_status(&self) -> ExecutionStatus {
        self.0.recorded_status.into()
    }

    async fn status_differs(&self) -> bool {
        self.0.status_differs
    }

    /// What core logic returned then.
    async fn recorded_result(&self) -> Option<Json> {
        self.0.recorded_result.clone().map(Json)
    }

    async fn result_differs(&self) -> bool {
        self.0.result_differs
    }

    /// The top-level attributes of the results that differ. A masked header counts as the same.
    async fn attributes(&self) -> &[String] {
        &self.0.attributes
    }

    async fn calls_differ(&self) -> bool {
        !self.0.calls.is_empty()
    }

    /// Those of the scripts in their order, then the one that the result asks for beside the first attempt. Method, URL and body count; of a
    /// body that was cut, its length.
    async fn calls(&self) -> Vec<CallDifference> {
        self.0.calls.iter().cloned().map(CallDifference).collect()
    }
}

/// What came of a trial. Nothing of it is kept.
struct TriedLogic(service::TriedLogic);

#[Object]
impl TriedLogic {
    /// SUCCESS, `SUCCESS_WITH_WARNING`, SKIPPED or FAILED. Of enable logic alone: SUCCESS where it enables.
    async fn status(&self) -> ExecutionStatus {
        service::status_of(&self.0.tried).into()
    }

    async fn skip_reason(&self) -> Option<SkipReason> {
        match self.0.tried.outcome {
            Outcome::Skipped(reason) => Some(reason.into()),
            Outcome::Succeeded(_) | Outcome::Failed(_) => None,
        }
    }

    /// What enable logic returned.
    async fn enable_result(&self) -> Option<Json> {
        self.0.tried.enable_result.clone().map(Json)
    }

    /// What the script returned: of an OUTGOING one the call that it plans.
    async fn result(&self) -> Option<Json> {
        match &self.0.tried.outcome {
            Outcome::Succeeded(result) => Some(result.clone().into()),
            Outcome::Skipped(_) | Outcome::Failed(_) => None,
        }
    }

    /// A line each, with its time and level.
    async fn log(&self) -> String {
        log_text(&self.0.tried.log)
    }

    /// Script, line and traceback.
    async fn error(&self) -> Option<&str> {
        self.0.error()
    }

    /// The HTTP calls that the scripts asked for, in their order.
    async fn calls(&self) -> Vec<TriedCall> {
        self.0.tried.calls.iter().cloned().map(TriedCall).collect()
    }

    /// OUTGOING: the call that the result asks for, without the platform's own headers; null where it asks for none.
    async fn planned_call(&self) -> Option<PlannedCall> {
        self.0.tried.plan.as_ref()?.as_ref().ok().cloned().map(PlannedCall)
    }

    /// OUTGOING: why the result is no plan for a call. A run would fail by it.
    async fn plan_error(&self) -> Option<&str> {
        self.0.tried.plan.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// The changes of objects that they would have made, in their order.
    async fn changes(&self) -> Vec<TriedChange> {
        self.0.changes.iter().cloned().map(TriedChange).collect()
    }

    async fn cpu_ms(&self) -> f64 {
        millis(u64::try_from(self.0.tried.cpu.as_micros()).unwrap_or(u64::MAX))
    }

    /// Without the wait for a free thread.
    async fn wall_ms(&self) -> f64 {
        millis(u64::try_from(self.0.tried.wall.as_micros()).unwrap_or(u64::MAX))
    }

    /// The most that the script's virtual machine was seen to have: at each call and turn of a loop, while values were converted, and at
    /// the end. What is not yet cleaned away counts too.
    async fn memory_bytes(&self) -> usize {
        self.0.tried.memory
    }

    /// With `executionID`.
    async fn difference(&self) -> Option<LogicDifference> {
        self.0.difference.clone().map(LogicDifference)
    }
}

/// What a source would have made of the last runs of a Logic.
struct LogicComparison(service::Comparison);

#[Object]
impl LogicComparison {
    async fn tried(&self) -> usize {
        self.0.tried
    }

    /// Runs whose input is no longer kept, and those for which there was no time.
    async fn not_tried(&self) -> usize {
        self.0.not_tried
    }

    /// Those that would have come out differently, newest first.
    async fn different(&self) -> Vec<DifferentRun> {
        self.0.different.iter().cloned().map(DifferentRun).collect()
    }
}

/// A run that would have come out differently.
struct DifferentRun(service::Different);

#[Object]
impl DifferentRun {
    #[graphql(name = "executionID")]
    async fn execution_id(&self) -> ID {
        self.0.execution.into()
    }

    /// How its scripts would have ended.
    async fn status(&self) -> ExecutionStatus {
        self.0.status.into()
    }

    /// Script, line and traceback.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    async fn difference(&self) -> LogicDifference {
        LogicDifference(self.0.difference.clone())
    }
}

#[derive(Default)]
pub(super) struct TrialMutation;

#[Object]
impl TrialMutation {
    /// Runs a script without effects: objects stay as they are, HTTP calls are written down, nothing is recorded.
    async fn try_logic(&self, ctx: &Context<'_>, r#in: TryLogicInput) -> Result<TriedLogic> {
        let (services, access) = of(ctx)?;
        let input = service::TryLogicInput {
            source: r#in.source,
            logic_id: r#in.logic_id.map(|id| id.0),
            kind: r#in.kind.map(Into::into),
            incoming: r#in.r#type.map(|kind| kind == IntegrationType::Incoming),
            sample: r#in.sample.map(Into::into),
            execution_id: r#in.execution_id.map(|id| id.0),
            send_http: r#in.send_http,
        };
        Ok(TriedLogic(services.try_logic(access, input).await?))
    }

    /// Tries a source, as `tryLogic` does, in the place of a Logic on the last 1 to 100 runs of the Integrations that use it.
    /// Needs `execution:read` too.
    async fn compare_logic(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "logicID")] logic_id: ID,
        source: String,
        #[graphql(default = 100)] last: i32,
    ) -> Result<LogicComparison> {
        let (services, access) = of(ctx)?;
        Ok(LogicComparison(services.compare_logic(access, &logic_id, source, last).await?))
    }
}

impl From<TrySampleInput> for service::SampleInput {
    fn from(sample: TrySampleInput) -> Self {
        Self {
            method: sample.method.map(Into::into),
            url: sample.url,
            headers: sample.headers.map(|j| j.0),
            parameters: sample.parameters.map(|j| j.0),
            raw_body: sample.raw_body,
            object_type: sample.object_type,
            event_type: sample.event_type.map(Into::into),
            object_id: sample.object_id.map(|id| id.0),
            old: sample.old.map(|j| j.0),
            new: sample.new.map(|j| j.0),
        }
    }
}
