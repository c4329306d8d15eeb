//! What an Integration is: a definition, the Logics it runs, the user it runs as (seed 002).

use std::fmt;
use std::sync::Arc;

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{IntegrationId, Json, LogicId, Settings, Tenant, TenantId, Timestamp, TypeName, UserId};

/// Whether a Logic decides or does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogicKind {
    /// Decides whether core logic is called.
    Enable,
    /// Does the work.
    Core,
}

/// A Lua script, at one of its immutable versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logic {
    /// Its id, over all versions.
    pub id: LogicId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in its tenant; never changes.
    pub name: String,
    /// Never changes.
    pub kind: LogicKind,
    /// For people.
    pub description: Option<String>,
    /// The script of this version.
    pub source: Arc<str>,
    /// 1, 2, 3, ...
    pub version: i32,
    /// When version 1 was made.
    pub created_at: Timestamp,
    /// When this version was made.
    pub updated_at: Timestamp,
}

/// GET or POST: all that either direction speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HttpMethod {
    /// GET
    Get,
    /// POST
    Post,
}

impl HttpMethod {
    /// The method's name in HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// It was made.
    Create,
    /// Some of its attributes changed.
    Update,
    /// It is gone.
    Delete,
}

impl EventType {
    /// The name that scripts, GraphQL and records use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// What an OUTGOING Integration listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subscription {
    /// Objects of this type.
    pub object_type: TypeName,
    /// When this happens to one.
    pub event_type: EventType,
}

/// The user that scripts of an Integration run as; what they change is attributed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionUser {
    /// Its id.
    pub id: UserId,
    /// `integration/<name of the Integration>`.
    pub username: String,
}

impl ExecutionUser {
    /// Who did it, as `createdBy` and `updatedBy` show it.
    pub fn attribution(&self) -> String {
        format!("user:{}", self.username)
    }
}

/// Which way an Integration works, with what only that way has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A third party calls `/webhook/<key>`. The key is kept apart, hashed.
    Incoming,
    /// Events of the subscribed kinds cause calls of `url`.
    Outgoing {
        /// Absolute, http or https.
        url: String,
        /// Sorted, without repetition.
        subscriptions: Vec<Subscription>,
    },
}

impl Direction {
    /// What is called, of an OUTGOING one.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Incoming => None,
            Self::Outgoing { url, .. } => Some(url),
        }
    }
}

/// A definition of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in its tenant; never changes.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Which way, and what that way needs. The way never changes.
    pub direction: Direction,
    /// The method that callers use, or that the platform calls with.
    pub http_method: HttpMethod,
    /// Switched on.
    pub active: bool,
    /// From this instant on, inclusive; `None` is open.
    pub effective_date: Option<Timestamp>,
    /// Until this instant, inclusive; `None` is open.
    pub expiry_date: Option<Timestamp>,
    /// Does the work.
    pub core_logic: LogicId,
    /// The version of it that runs; `None` is the newest, whichever that is.
    pub core_version: Option<i32>,
    /// Decides, where there is one.
    pub enable_logic: Option<LogicId>,
    /// The version of it that runs; `None` is the newest.
    pub enable_version: Option<i32>,
    /// What has a default.
    pub settings: Settings,
    /// Why its deliveries wait, where they do; OUTGOING only. The platform pauses, somebody resumes.
    pub paused: Option<Pause>,
    /// Who its scripts run as.
    pub execution_user: ExecutionUser,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// That deliveries of an Integration wait until somebody resumes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// Since when.
    pub since: Timestamp,
}

/// Why deliveries wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PauseReason {
    /// The destination answered 410: it is gone for good.
    Gone,
    /// For days no call arrived.
    Failing,
}

impl PauseReason {
    /// The reason's word, the same in GraphQL, SQL and prose.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "GONE",
            Self::Failing => "FAILING",
        }
    }
}

impl Integration {
    /// The state that events of the built-in type `Integration` tell: by the names that GraphQL uses, without the times, which change with
    /// everything, and without what is secret.
    pub fn state(&self) -> Json {
        let (kind, url, subscriptions) = match &self.direction {
            Direction::Incoming => ("INCOMING", None, None),
            Direction::Outgoing { url, subscriptions } => ("OUTGOING", Some(url), Some(subscriptions)),
        };
        let instant = |time: Timestamp| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let subscriptions: Vec<_> = subscriptions
            .into_iter()
            .flatten()
            .map(|s| json!({ "objectType": s.object_type, "eventType": s.event_type }))
            .collect();
        Json::of(&json!({
            "name": self.name,
            "type": kind,
            "description": self.description,
            "httpMethod": self.http_method,
            "active": self.active,
            "effectiveDate": self.effective_date.map(instant),
            "expiryDate": self.expiry_date.map(instant),
            "coreLogicID": self.core_logic,
            "coreLogicVersion": self.core_version,
            "enableLogicID": self.enable_logic,
            "enableLogicVersion": self.enable_version,
            "limits": self.settings.limits,
            "incoming": self.settings.incoming,
            "outgoing": self.settings.outgoing,
            "paused": self.paused.map(|pause| json!({ "reason": pause.reason, "since": instant(pause.since) })),
            "url": url,
            "subscriptions": subscriptions,
        }))
    }
}

/// A Logic as a run needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Whose source it is.
    pub logic: LogicId,
    /// Which version.
    pub version: i32,
    /// The text.
    pub source: Arc<str>,
}

/// An Integration with all that a run of it needs, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runnable {
    /// The definition.
    pub integration: Integration,
    /// Its tenant, which scripts see as `organization`.
    pub organization: Tenant,
    /// The core logic.
    pub core: Script,
    /// The enable logic, where there is one.
    pub enable: Option<Script>,
}
