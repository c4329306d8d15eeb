//! Enumerations, by the names that GraphQL has for the model's.

use async_graphql::Enum;

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::LogicKind")]
pub(super) enum LogicKind {
    Enable,
    Core,
}

/// What scripts are looked at for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::contract::ScriptRule")]
pub(super) enum ScriptRule {
    /// It reads a name that neither it nor the platform defines.
    UnknownGlobal,
    /// It never reads a local.
    UnusedLocal,
    /// It can end without having returned anything.
    MissingReturn,
    /// It was not looked at.
    NotLinted,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntegrationType {
    Incoming,
    Outgoing,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::HttpMethod")]
pub(super) enum HttpMethod {
    Get,
    Post,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::EventType")]
pub(super) enum EventType {
    Create,
    Update,
    Delete,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::Status")]
pub(super) enum ExecutionStatus {
    Pending,
    Retrying,
    Success,
    SuccessWithWarning,
    Skipped,
    Failed,
    Dead,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::SkipReason")]
pub(super) enum SkipReason {
    Inactive,
    NotInEffect,
    NotEnabled,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::Trigger")]
pub(super) enum ExecutionTrigger {
    Webhook,
    Event,
    Try,
    Replay,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(super) enum SystemAuthReferenceType {
    IntegrationSystem,
    Application,
    Runtime,
}
