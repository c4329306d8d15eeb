use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::enums::{EventType, ExecutionStatus, ExecutionTrigger, HttpMethod, SkipReason};
use super::integrations::{ExecutionUser, Integration};
use super::of;
use super::page::{Page, asked, told};
use super::scalars::{DateTime, Json, PageCursor};
use crate::service;
use crate::shown::{duration_ms, log_text, millis};

/// One call of a third party.
struct Attempt(tidegate_model::Attempt);

#[Object]
impl Attempt {
    async fn number(&self) -> u32 {
        self.0.number
    }

    async fn started_at(&self) -> DateTime {
        self.0.started_at.into()
    }

    async fn duration_ms(&self) -> f64 {
        self.0.duration_us.map_or(0.0, millis)
    }

    async fn url(&self) -> &str {
        &self.0.url
    }

    async fn method(&self) -> HttpMethod {
        self.0.method.into()
    }

    async fn request_headers(&self) -> Json {
        self.0.request_headers.clone().into()
    }

    async fn request_body(&self) -> Option<&str> {
        self.0.request_body.as_deref()
    }

    async fn status(&self) -> Option<u16> {
        self.0.status
    }

    async fn response_headers(&self) -> Option<Json> {
        self.0.response_headers.clone().map(Json)
    }

    /// Text up to 64 KiB; other bytes as base64.
    async fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    async fn response_truncated(&self) -> bool {
        self.0.response_truncated
    }

    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

/// An HTTP call that a script made.
struct Call(tidegate_model::Call);

#[Object]
impl Call {
    async fn started_at(&self) -> DateTime {
        self.0.started_at.into()
    }

    /// Null where the run did not wait for its end.
    async fn duration_ms(&self) -> Option<f64> {
        self.0.duration_us.map(millis)
    }

    async fn method(&self) -> &str {
        &self.0.method
    }

    /// With its query, without user and password.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The name of the credential that the script named for it.
    async fn credential(&self) -> Option<&str> {
        self.0.credential.as_deref()
    }

    /// Those of credentials are masked.
    async fn request_headers(&self) -> Json {
        self.0.request_headers.clone().into()
    }

    /// Text up to 16 KiB; other bytes as base64.
    async fn request_body(&self) -> Option<&str> {
        self.0.request_body.as_deref()
    }

    /// Of the answer, where there was one.
    async fn status(&self) -> Option<u16> {
        self.0.status
    }

    async fn response_headers(&self) -> Option<Json> {
        self.0.response_headers.clone().map(Json)
    }

    /// Text up to 16 KiB; other bytes as base64.
    async fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    async fn response_truncated(&self) -> bool {
        self.0.response_truncated
    }

    /// Why there was no answer.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

/// The record of one run of an Integration.
pub(super) struct Execution(tidegate_model::Execution);

#[Object]
impl Execution {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Null once it is deleted. Needs `integration:read`.
    async fn integration(&self, ctx: &Context<'_>) -> Result<Option<Integration>> {
        let (services, access) = of(ctx)?;
        Ok(services.integration(access, &self.0.integration.to_string()).await?.map(Integration))
    }

    async fn trigger(&self) -> ExecutionTrigger {
        self.0.trigger.into()
    }

    async fn status(&self) -> ExecutionStatus {
        self.0.status.into()
    }

    async fn skip_reason(&self) -> Option<SkipReason> {
        self.0.skip_reason.map(Into::into)
    }

    async fn started_at(&self) -> DateTime {
        self.0.started_at.into()
    }

    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    async fn duration_ms(&self) -> Option<f64> {
        duration_ms(&self.0)
    }

    /// INCOMING: as received.
    async fn method(&self) -> Option<HttpMethod> {
        self.0.request.as_ref().map(|r| r.method.into())
    }

    /// INCOMING: without the query string and the webhook key.
    async fn url(&self) -> Option<&str> {
        self.0.request.as_ref().map(|r| r.url.as_str())
    }

    /// INCOMING: the address that called.
    async fn caller_address(&self) -> Option<String> {
        self.0.request.as_ref()?.caller_address.map(|address| address.to_string())
    }

    async fn headers(&self) -> Option<Json> {
        self.0.request.as_ref().map(|r| r.headers.clone().into())
    }

    async fn parameters(&self) -> Option<Json> {
        self.0.request.as_ref().map(|r| r.parameters.clone().into())
    }

    /// OUTGOING: what the event was about.
    async fn object_type(&self) -> Option<&str> {
        self.0.event.as_ref().map(|e| e.object_type.as_str())
    }

    async fn event_type(&self) -> Option<EventType> {
        self.0.event.as_ref().map(|e| e.event_type.into())
    }

    async fn object_id(&self) -> Option<ID> {
        self.0.event.as_ref().map(|e| ID::from(&e.object_id))
    }

    async fn event_id(&self) -> Option<ID> {
        self.0.event.as_ref().map(|e| ID::from(&e.id))
    }

    async fn attempts(&self) -> Vec<Attempt> {
        self.0.attempts.iter().cloned().map(Attempt).collect()
    }

    /// What the scripts called by `http`, in its order.
    async fn calls(&self) -> Vec<Call> {
        self.0.calls.iter().cloned().map(Call).collect()
    }

    /// When the next call is due; one that has passed waits for its turn, for a place, or for the end of a pause.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    /// What enable logic returned.
    async fn enable_result(&self) -> Option<Json> {
        self.0.enable_result.clone().map(Json)
    }

    /// What core logic returned.
    async fn core_result(&self) -> Option<Json> {
        self.0.core_result.clone().map(Json)
    }

    /// What the scripts logged: a line each, with its time and level.
    async fn log(&self) -> String {
        log_text(&self.0.log)
    }

    /// Script, line and traceback; or the last attempt's fault.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    async fn core_logic_version(&self) -> Option<i32> {
        self.0.core_logic_version
    }

    async fn enable_logic_version(&self) -> Option<i32> {
        self.0.enable_logic_version
    }

    async fn execution_user(&self) -> Option<ExecutionUser> {
        Some(self.0.execution_user.clone().into())
    }

    /// The record that this run repeats.
    async fn replay_of(&self) -> Option<ID> {
        self.0.replay_of.map(ID::from)
    }
}

/// Every field narrows.
#[derive(InputObject)]
pub(super) struct ExecutionFilter {
    #[graphql(name = "integrationID")]
    integration_id: Option<ID>,
    /// One of these.
    statuses: Option<Vec<ExecutionStatus>>,
    /// Begun at or after.
    from: Option<DateTime>,
    /// Begun before.
    to: Option<DateTime>,
    object_type: Option<String>,
    object_id: Option<ID>,
    event_id: Option<ID>,
    /// In log, error or URL, in any case.
    text: Option<String>,
}

impl From<ExecutionFilter> for service::ExecutionFilterInput {
    fn from(filter: ExecutionFilter) -> Self {
        Self {
            integration_id: filter.integration_id.map(|id| id.0),
            statuses: filter.statuses.map(|all| all.into_iter().map(Into::into).collect()),
            from: filter.from.map(|t| t.0),
            to: filter.to.map(|t| t.0),
            object_type: filter.object_type,
            object_id: filter.object_id.map(|id| id.0),
            event_id: filter.event_id.map(|id| id.0),
            text: filter.text,
        }
    }
}

/// What cancelling by filter came to.
#[derive(SimpleObject)]
pub(super) struct CancelledExecutions {
    /// How many there were.
    count: i32,
    /// How many ended by this.
    cancelled: i32,
    /// How many were left, because an attempt of them was being made.
    in_hand: i32,
}

impl From<service::CancelledExecutions> for CancelledExecutions {
    fn from(answer: service::CancelledExecutions) -> Self {
        Self { count: told(answer.count), cancelled: told(answer.cancelled), in_hand: told(answer.in_hand) }
    }
}

#[derive(Default)]
pub(super) struct ExecutionQuery;

#[Object]
impl ExecutionQuery {
    /// Newest first.
    async fn executions(
        &self,
        ctx: &Context<'_>,
        filter: Option<ExecutionFilter>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Execution>> {
        let (services, access) = of(ctx)?;
        let filter = filter.map(Into::into).unwrap_or_default();
        let counted = ctx.look_ahead().field("totalCount").exists();
        Ok(Page::of(services.executions(access, filter, asked(first, after), counted).await?, Execution))
    }

    async fn execution(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Execution>> {
        let (services, access) = of(ctx)?;
        Ok(services.execution(access, &id).await?.map(Execution))
    }
}

#[derive(Default)]
pub(super) struct ExecutionMutation;

#[Object]
impl ExecutionMutation {
    /// Runs an ended OUTGOING run again, on the same event and with the Integration as it is now. Answers the new record.
    async fn replay_execution(&self, ctx: &Context<'_>, id: ID) -> Result<Execution> {
        let (services, access) = of(ctx)?;
        Ok(Execution(services.replay_execution(access, &id).await?))
    }

    /// Ends a delivery that waits for its first or next attempt, as FAILED. Refused while an attempt is being made.
    async fn cancel_execution(&self, ctx: &Context<'_>, id: ID) -> Result<Execution> {
        let (services, access) = of(ctx)?;
        Ok(Execution(services.cancel_execution(access, &id).await?))
    }

    /// Ends the deliveries that wait and that the filter finds, the newest first, up to 10000 in one call; a filter must narrow something.
    async fn cancel_executions(
        &self,
        ctx: &Context<'_>,
        filter: ExecutionFilter,
        #[graphql(default = false)] dry_run: bool,
    ) -> Result<CancelledExecutions> {
        let (services, access) = of(ctx)?;
        Ok(services.cancel_executions(access, filter.into(), dry_run).await?.into())
    }
}
