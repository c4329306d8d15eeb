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
#[graphql(remote = "tidegate_model::CredentialKind")]
pub(super) enum CredentialKind {
    /// Authorization: Basic, from a username and a password.
    Basic,
    /// Authorization: Bearer, a token as it is.
    Bearer,
    /// A header of the third party's own.
    Header,
    /// Authorization: Bearer, a token that the third party's token endpoint gives for client credentials.
    #[graphql(name = "OAUTH2")]
    OAuth2,
    /// Never sent: signatures are made and checked with it.
    Signing,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::AuthStyle")]
pub(super) enum AuthStyle {
    /// The client id and secret stand in the header Authorization.
    Basic,
    /// They stand in the form.
    Post,
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
#[graphql(remote = "tidegate_model::DeliveryOrdering")]
pub(super) enum DeliveryOrdering {
    /// No delivery waits for another.
    None,
    /// Those about one object are made one after the other, in the order of its events, each when the one before has ended; other objects go on.
    PerObject,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::ReplayState")]
pub(super) enum ReplayState {
    /// More is to come.
    Running,
    /// Everything was replayed.
    Done,
    /// Somebody stopped it.
    Stopped,
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

/// Which way a call came in.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tidegate_model::Face")]
pub(super) enum AuditFace {
    /// GraphQL.
    Graphql,
    /// gRPC.
    Grpc,
    /// Plain HTTP.
    Http,
    /// A command of `tidegate`, on the database itself.
    Cli,
    /// A script.
    Script,
    /// None: the platform did it.
    System,
}
