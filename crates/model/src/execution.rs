//! Execution records: what happened in one run of an Integration (seed 002 `DynamicIntegrationExecRecord`, CONTRACT section 6).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    EventId, EventType, ExecutionId, ExecutionUser, HttpMethod, IntegrationId, Json, ObjectId, TenantId, Timestamp,
    TypeName,
};

/// How a run stands, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// A delivery that waits for its first attempt.
    Pending,
    /// A delivery with a failed attempt behind it and one before it.
    Retrying,
    /// It did what it should.
    Success,
    /// It did, and its script logged a warning.
    SuccessWithWarning,
    /// Core logic was not called; see [`SkipReason`].
    Skipped,
    /// It failed, and is not tried again.
    Failed,
    /// A delivery that ran out of attempts; it is kept and can be replayed.
    Dead,
}

impl Status {
    /// The name that GraphQL and the tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Retrying => "RETRYING",
            Self::Success => "SUCCESS",
            Self::SuccessWithWarning => "SUCCESS_WITH_WARNING",
            Self::Skipped => "SKIPPED",
            Self::Failed => "FAILED",
            Self::Dead => "DEAD",
        }
    }

    /// Whether more is to come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Retrying)
    }
}

/// Why core logic was not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipReason {
    /// Switched off.
    Inactive,
    /// Outside `effectiveDate`..`expiryDate`.
    NotInEffect,
    /// Enable logic's `result` is not `true`.
    NotEnabled,
}

/// What caused a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A third party called.
    Webhook,
    /// Something happened to an object.
    Event,
    /// A person tried a script.
    Try,
    /// A person replayed a record.
    Replay,
}

/// An incoming request as it was received, masked before it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedRequest {
    /// The method.
    pub method: HttpMethod,
    /// Without the query string, and without the webhook key.
    pub url: String,
    /// Name to value, repeated ones joined.
    pub headers: Json,
    /// As scripts see them, without the webhook key.
    pub parameters: Json,
    /// The address that called, or that a proxy in between says has called, where the operator trusts that proxy.
    #[serde(default)]
    pub caller_address: Option<IpAddr>,
}

/// Which event a run is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    /// The event.
    pub id: EventId,
    /// The type of its object.
    pub object_type: TypeName,
    /// What happened.
    pub event_type: EventType,
    /// Its object.
    pub object_id: ObjectId,
}

/// One call of a third party. On record before it is made, so that a crash leaves an attempt without an end rather than none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, 3, ...
    pub number: u32,
    /// When the call was begun.
    pub started_at: Timestamp,
    /// How long it took, in microseconds; `None` while it is not known how it ended.
    pub duration_us: Option<u64>,
    /// The URL called, with its query.
    pub url: String,
    /// The method.
    pub method: HttpMethod,
    /// Sent, masked.
    pub request_headers: Json,
    /// Sent.
    pub request_body: Option<String>,
    /// The answer's status, where there was one.
    pub status: Option<u16>,
    /// The answer's headers.
    pub response_headers: Option<Json>,
    /// The answer's body: text up to 64 KiB, other bytes as base64.
    pub response_body: Option<String>,
    /// Whether `response_body` or `response_headers` are not all of the answer.
    pub response_truncated: bool,
    /// Why there was no answer, or not all of it; or `outcome unknown` after a crash.
    pub error: Option<String>,
}

/// An HTTP call that a script made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When it was begun.
    pub started_at: Timestamp,
    /// How long it took, in microseconds; `None` where it was not sent, or the run did not wait for its end.
    pub duration_us: Option<u64>,
    /// The method.
    pub method: String,
    /// With its query, without user and password.
    pub url: String,
    /// The credential that the script named for it.
    #[serde(default)]
    pub credential: Option<String>,
    /// As the script gave them, with the credential's, masked.
    pub request_headers: Json,
    /// The beginning of the body: text, other bytes as base64.
    pub request_body: Option<String>,
    /// The answer's status, where there was one.
    pub status: Option<u16>,
    /// The answer's headers, masked.
    pub response_headers: Option<Json>,
    /// The beginning of the answer's body: text, other bytes as base64.
    pub response_body: Option<String>,
    /// Whether `response_body` was cut.
    pub response_truncated: bool,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// A line that a script logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub time: Timestamp,
    /// How grave.
    pub level: LogLevel,
    /// What.
    pub text: String,
}

/// How grave a log line is; `Warn` makes a success a [`Status::SuccessWithWarning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// `log.debug`
    Debug,
    /// `log`, `log.info`
    Info,
    /// `log.warn`
    Warn,
    /// `log.error`
    Error,
}

impl LogLevel {
    /// The name that scripts and records use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The record of one run, or of a delivery on its way to become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Sorts by start.
    pub id: ExecutionId,
    /// Whose.
    pub tenant: TenantId,
    /// Which Integration ran.
    pub integration: IntegrationId,
    /// What caused it.
    pub trigger: Trigger,
    /// How it stands.
    pub status: Status,
    /// Why it was skipped, where it was.
    pub skip_reason: Option<SkipReason>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; open deliveries have not.
    pub finished_at: Option<Timestamp>,
    /// What was received; incoming only.
    pub request: Option<ReceivedRequest>,
    /// What happened; outgoing only.
    pub event: Option<EventRef>,
    /// The deliveries attempted; outgoing only.
    pub attempts: Vec<Attempt>,
    /// When the next call is due; open deliveries only.
    pub next_attempt_at: Option<Timestamp>,
    /// The HTTP calls that the scripts made, in their order.
    #[serde(default)]
    pub calls: Vec<Call>,
    /// What enable logic returned.
    pub enable_result: Option<Json>,
    /// What core logic returned.
    pub core_result: Option<Json>,
    /// What the scripts logged.
    pub log: Vec<LogLine>,
    /// Why it failed: script, line and traceback, or the last attempt's fault.
    pub error: Option<String>,
    /// The version of the core logic that ran.
    pub core_logic_version: Option<i32>,
    /// The version of the enable logic that ran.
    pub enable_logic_version: Option<i32>,
    /// Who the scripts ran as.
    pub execution_user: ExecutionUser,
    /// The record that this run repeats.
    pub replay_of: Option<ExecutionId>,
}

/// Which records to list; every field narrows, an absent one does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExecutionFilter {
    /// Of this Integration.
    pub integration: Option<IntegrationId>,
    /// In one of these statuses; empty is any.
    pub statuses: Vec<Status>,
    /// Begun at or after.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub to: Option<Timestamp>,
    /// About objects of this type.
    pub object_type: Option<TypeName>,
    /// About this object.
    pub object_id: Option<ObjectId>,
    /// About this event.
    pub event_id: Option<EventId>,
    /// With this text in log, error or URL, in any case.
    pub text: Option<String>,
}
