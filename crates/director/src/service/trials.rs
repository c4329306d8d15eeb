//! Trying a script, on a sample or on what a record kept: without effects, and told apart from what was recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tidegate_model::contract::{Trial, TrialInput, Tried};
use tidegate_model::kept::MASK;
use tidegate_model::{
    Direction, Error, Execution, ExecutionUser, HttpMethod, Integration, IntegrationId, Json, LogLevel, LogicId,
    LogicKind, Made, Outcome, Runnable, Script, Settings, SkipReason, Status, TenantId, UserId, means_the_same,
};
use uuid::Uuid;

use super::draft::{Draft, Drafted};
use super::objects::ObjectsService;
use super::trial_calls::{self, CallDifference};
use super::trial_input::{SampleInput, cannot_be_tried, time_of};
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::rules::Rules;

/// What to try, as the caller wrote it.
pub(crate) struct TryLogicInput {
    pub source: Option<String>,
    pub logic_id: Option<String>,
    pub kind: Option<LogicKind>,
    /// Whether the sample is a call; else it is an event.
    pub incoming: Option<bool>,
    pub sample: Option<SampleInput>,
    pub execution_id: Option<String>,
    pub send_http: bool,
}

/// What came of it.
pub(crate) struct TriedLogic {
    pub tried: Tried,
    pub changes: Vec<Drafted>,
    /// To the record, where one was named in which scripts ran.
    pub difference: Option<Difference>,
}

/// How a trial differs from what was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub recorded_status: Status,
    pub status_differs: bool,
    pub recorded_result: Option<Json>,
    pub result_differs: bool,
    /// The top-level attributes of the results that differ.
    pub attributes: Vec<String>,
    /// The calls that differ: those of the scripts, and the one that the result asks for.
    pub calls: Vec<CallDifference>,
}

/// The script to try, and what it is tried as.
pub(super) struct Candidate {
    name: String,
    kind: LogicKind,
    script: Script,
}

impl Candidate {
    /// A script that is not saved.
    pub(super) fn of_source(name: String, kind: LogicKind, source: String) -> Self {
        Self { name, kind, script: Script { logic: LogicId(Uuid::nil()), version: 0, source: source.into() } }
    }
}

impl Difference {
    /// Whether anything differs.
    pub(crate) fn differs(&self) -> bool {
        self.status_differs || self.result_differs || !self.calls.is_empty()
    }
}

impl TriedLogic {
    /// Why it failed, where it did.
    pub(crate) fn error(&self) -> Option<&str> {
        match &self.tried.outcome {
            Outcome::Failed(failure) => Some(&failure.message),
            Outcome::Skipped(_) | Outcome::Succeeded(_) => None,
        }
    }
}

impl Services {
    /// Runs a script on a sample alone, or in its place in the Integration of a record on what the record kept.
    pub(crate) async fn try_logic(&self, access: &Access, input: TryLogicInput) -> Result<TriedLogic, Error> {
        let tenant = access.within(Operation::WriteLogics)?;
        if input.execution_id.is_some() {
            access.within(Operation::ReadExecutions)?;
        }
        let mut rules = Rules::default();
        let one = |a: bool, b: bool| a != b;
        rules.expect(one(input.source.is_some(), input.logic_id.is_some()), "in", "one of source and logicID");
        rules.expect(one(input.sample.is_some(), input.execution_id.is_some()), "in", "one of sample and executionID");
        let typed = input.incoming.is_some() == input.sample.is_some();
        rules.expect(typed, "in.type", "INCOMING or OUTGOING with a sample, and nothing with executionID");
        rules.check()?;
        // A trial changes nothing here, but it may call others.
        let told = Json::of(&json!({ "executionID": input.execution_id, "sendHttp": input.send_http }));
        let made =
            Made { kind: "Logic".to_owned(), id: input.logic_id.clone(), before: None, after: None }.to_state(told);
        let candidate = self.candidate(tenant, input.source, input.logic_id.as_deref(), input.kind).await?;
        let Some(id) = input.execution_id else {
            let sample = input.sample.unwrap_or_default();
            let on = if input.incoming == Some(true) {
                TrialInput::Incoming(self.sample_call(sample)?)
            } else {
                TrialInput::Outgoing(self.sample_event(tenant, sample)?)
            };
            let runnable = self.alone(tenant, &candidate, &on).await?;
            let enable_only = candidate.kind == LogicKind::Enable;
            self.tell(access, Some(tenant), "tryLogic", [made]).await?;
            let (tried, changes) = self.run_trial(runnable, on, enable_only, input.send_http).await?;
            return Ok(TriedLogic { tried, changes, difference: None });
        };
        let id = known_id("Execution", &id)?;
        let record = found("Execution", id, self.store.execution(tenant, id).await?)?;
        self.tell(access, Some(tenant), "tryLogic", [made]).await?;
        self.try_on(&candidate, &record, input.send_http).await
    }

    /// Runs the Integration of a record again, on what the record kept, with the candidate in its place.
    pub(super) async fn try_on(
        &self,
        candidate: &Candidate,
        record: &Execution,
        send_http: bool,
    ) -> Result<TriedLogic, Error> {
        let Some(runnable) = self.store.runnable(&record.tenant, record.integration).await? else {
            return Err(cannot_be_tried(record, "its Integration is deleted"));
        };
        let status = script_status(record).ok_or_else(|| cannot_be_tried(record, "its scripts have not run yet"))?;
        let mut runnable = (*runnable).clone();
        match candidate.kind {
            LogicKind::Core => runnable.core = candidate.script.clone(),
            LogicKind::Enable => runnable.enable = Some(candidate.script.clone()),
        }
        let input = self.recorded_input(record).await?;
        let (tried, changes) = self.run_trial(runnable, input, false, send_http).await?;
        let difference = scripts_ran(record).then(|| difference(record, status, &tried));
        Ok(TriedLogic { tried, changes, difference })
    }

    async fn run_trial(
        &self,
        runnable: Runnable,
        input: TrialInput,
        enable_only: bool,
        send_http: bool,
    ) -> Result<(Tried, Vec<Drafted>), Error> {
        let draft = Arc::new(Draft::of(self.store.clone()));
        let objects = ObjectsService {
            store: draft.clone(),
            schemas: self.objects.schemas.clone(),
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            caller: None,
        };
        let trial = Trial { runnable: Arc::new(runnable), input, enable_only, send_http };
        let tried = self.trials.run(trial, Arc::new(objects)).await?;
        Ok((tried, draft.changes()))
    }

    async fn candidate(
        &self,
        tenant: &TenantId,
        source: Option<String>,
        logic: Option<&str>,
        kind: Option<LogicKind>,
    ) -> Result<Candidate, Error> {
        if let Some(id) = logic {
            let id: LogicId = known_id("Logic", id)?;
            let logic = found("Logic", id, self.store.logic(tenant, id, None).await?)?;
            if kind.is_some_and(|kind| kind != logic.kind) {
                return Err(Error::invalid("in.kind", "the kind of the Logic, or nothing"));
            }
            let script = Script { logic: logic.id, version: logic.version, source: logic.source };
            return Ok(Candidate { name: logic.name, kind: logic.kind, script });
        }
        let source = source.unwrap_or_default();
        self.check_logic(Rules::default(), None, &source)?;
        Ok(Candidate::of_source("trial".to_owned(), kind.unwrap_or(LogicKind::Core), source))
    }

    /// An Integration of nobody's, of the candidate alone.
    async fn alone(&self, tenant: &TenantId, candidate: &Candidate, on: &TrialInput) -> Result<Runnable, Error> {
        let now = time_of(on);
        let (direction, http_method) = match on {
            TrialInput::Incoming(call) => (Direction::Incoming, call.method),
            TrialInput::Outgoing(_) => {
                let url = "https://trial.invalid/".to_owned();
                (Direction::Outgoing { url, subscriptions: Vec::new() }, HttpMethod::Post)
            }
        };
        let enable = (candidate.kind == LogicKind::Enable).then(|| candidate.script.clone());
        let integration = Integration {
            id: IntegrationId(Uuid::nil()),
            tenant: tenant.clone(),
            name: candidate.name.clone(),
            description: None,
            direction,
            http_method,
            active: true,
            effective_date: None,
            expiry_date: None,
            core_logic: candidate.script.logic,
            enable_logic: enable.as_ref().map(|script| script.logic),
            core_version: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: ExecutionUser { id: UserId(Uuid::nil()), username: "trial".to_owned() },
            created_at: now,
            updated_at: now,
        };
        let organization = self.store.tenant(tenant).await?;
        let organization = organization.ok_or_else(|| Error::TenantNotFound(tenant.to_string()))?;
        Ok(Runnable { integration, organization, core: candidate.script.clone(), enable })
    }
}

/// How the scripts of a trial ended.
pub(crate) fn status_of(tried: &Tried) -> Status {
    match &tried.outcome {
        Outcome::Skipped(_) => Status::Skipped,
        Outcome::Succeeded(_) if tried.warned => Status::SuccessWithWarning,
        Outcome::Succeeded(_) => Status::Success,
        Outcome::Failed(_) => Status::Failed,
    }
}

/// How the scripts of a record ended, whatever became of the call that they planned; `None` when they have not run yet.
fn script_status(record: &Execution) -> Option<Status> {
    let warned = record.log.iter().any(|line| line.level == LogLevel::Warn);
    match (record.status, &record.core_result) {
        (Status::Skipped, _) => Some(Status::Skipped),
        (_, Some(_)) if warned => Some(Status::SuccessWithWarning),
        (_, Some(_)) => Some(Status::Success),
        (status, None) => (!status.is_open()).then_some(Status::Failed),
    }
}

/// Whether scripts ran in it. A call that was refused at the door, a run that an enabling rule skipped, and a delivery that died because they
/// could never be run say nothing about scripts.
pub(super) fn scripts_ran(record: &Execution) -> bool {
    let began = record.core_logic_version.is_some() || record.enable_logic_version.is_some();
    let allowed = matches!(record.skip_reason, None | Some(SkipReason::NotEnabled));
    let could = record.status != Status::Dead || record.core_result.is_some();
    script_status(record).is_some() && began && allowed && could
}

fn difference(record: &Execution, recorded_status: Status, tried: &Tried) -> Difference {
    let result = match &tried.outcome {
        Outcome::Succeeded(result) => Some(result),
        Outcome::Skipped(_) | Outcome::Failed(_) => None,
    };
    let attributes = differing(record.core_result.as_ref(), result);
    Difference {
        recorded_status,
        status_differs: recorded_status != status_of(tried),
        recorded_result: record.core_result.clone(),
        result_differs: !attributes.is_empty() || record.core_result.is_some() != result.is_some(),
        attributes,
        calls: trial_calls::differing(record, tried),
    }
}

/// The top-level attributes that only one of two results has, or that mean something else in the other.
fn differing(recorded: Option<&Json>, tried: Option<&Json>) -> Vec<String> {
    let all = |json: Option<&Json>| json.and_then(Json::attributes).unwrap_or_default();
    let (recorded, tried) = (all(recorded), all(tried));
    let names: BTreeSet<&String> = recorded.iter().chain(&tried).map(|(name, _)| name).collect();
    let find = |all: &[(String, Json)], name: &str| all.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let same = |name: &&String| match (find(&recorded, name), find(&tried, name)) {
        (Some(before), Some(now)) => {
            means_the_same(&before, &now) || (*name == "headers" && same_headers(&before, &now))
        }
        _ => false,
    };
    names.into_iter().filter(|name| !same(name)).cloned().collect()
}

/// Whether two tables of headers are the same as far as the record tells: a masked value may have been any.
fn same_headers(recorded: &Json, tried: &Json) -> bool {
    let (Some(recorded), Some(tried)) = (recorded.attributes(), tried.attributes()) else { return false };
    let same = |(name, value): &(String, Json)| {
        let now = tried.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        now.is_some_and(|now| value.to_value() == MASK || means_the_same(value, now))
    };
    recorded.len() == tried.len() && recorded.iter().all(same)
}
