//! The vocabulary of Tidegate: what an Integration is, when it runs, what came of it, and the contracts through which services meet.
//!
//! Everything here is a value or a pure rule; nothing reads, writes or waits. The nouns are those of the two documents the platform
//! follows (an Integration System in many tenants; an integration with enable logic and core logic), and they are the same in Rust,
//! proto, SQL, GraphQL and prose.
//!
//! - *Vocabulary*: one file per noun. Illegal states do not compile: an update has both an old and a new state ([`Change`]), an
//!   outgoing Integration has a URL and an incoming one cannot ([`Direction`]).
//! - *Rules*: pure functions of their inputs, with property tests: [`enabling::skip_reason`], [`changed_attributes`].
//! - *Schemas* ([`schema`]): what objects and bodies must be, in the words of JSON Schema.
//! - *Contracts* ([`contract`]): traits with one implementation in the process and one over the wire.
//! - *Errors* ([`Error`]): the nine kinds of refusal that both protocols translate by one table; never a business result.
//!
//! To add a noun: a file here with its type, a table in `migrations/`, a part of the store's contract, a message in `proto/`.
//!
//! ```
//! use tidegate_model::{Json, changed_attributes};
//!
//! let old = Json::parse(r#"{"state":"open","title":"Leak"}"#).unwrap();
//! let new = Json::parse(r#"{"state":"closed","title":"Leak"}"#).unwrap();
//! assert_eq!(changed_attributes(&old, &new).as_str(), r#"{"state":"open"}"#);
//! ```

mod attributes;
mod audit;
mod call;
mod caller;
pub mod cloud_event;
pub mod contract;
mod credential;
mod delivery;
pub mod enabling;
mod error;
mod execution;
mod id;
mod integration;
mod json;
pub mod kept;
mod object;
mod page;
mod proxies;
mod rate;
mod registry;
mod replay;
mod reserved;
pub mod schema;
mod secret;
mod settings;
mod signature;
mod time;

pub use attributes::{assigned, means_the_same};
pub use audit::{AuditEntry, AuditFilter, Face, Made, Trace};
pub use call::{Failure, FailureKind, IncomingCall, Outcome};
pub use caller::{Caller, ClientOwner, Resource, Scope, UnknownScope};
pub use credential::{
    AuthStyle, Credential, CredentialKind, HostPattern, InvalidHostPattern, MAX_SIGNING_SECRETS, Material,
    OAuth2Client, OpenCredential, SigningSecret,
};
pub use delivery::{Delivery, PlannedCall};
pub use error::{Error, Violation};
pub use execution::{
    Attempt, Call, EventRef, Execution, ExecutionFilter, LogLevel, LogLine, ReceivedRequest, SkipReason, Status,
    Trigger,
};
pub use id::{
    ApplicationId, AsideId, AuditId, ClientId, ClientSecretId, CredentialId, EventId, ExecutionId, IntegrationId,
    IntegrationSystemId, InvalidId, LogicId, ObjectId, ObjectTypeId, ReplayId, RuntimeId, SigningSecretId, TenantId,
    TokenId, TypeName, UserId,
};
pub use integration::{
    Direction, EventType, ExecutionUser, HttpMethod, Integration, Logic, LogicKind, Pause, PauseReason, Runnable,
    Script, Subscription,
};
pub use json::{InvalidJson, Json, MAX_DEPTH};
pub use object::{Change, Event, Object, changed_attributes, former_state};
pub use page::{Page, PageOf, Slice};
pub use proxies::{InvalidProxy, Proxies};
pub use rate::{InvalidRateLimit, RateLimit, RatePeriod};
pub use registry::{
    Application, Client, ClientSecret, ClientSecrets, IntegrationSystem, ObjectType, Runtime, SystemDetails, Tenant,
};
pub use replay::{Replay, ReplayState};
pub use reserved::Reserved;
pub use secret::{Secret, SecretHash};
pub use settings::{
    CallBounds, DeliveryOrdering, IdempotencyKey, IncomingSettings, OutgoingSettings, RetrySchedule, RunBounds,
    RunLimits, Settings,
};
pub use signature::{
    GenericSignature, InvalidTemplate, SignatureAlgorithm, SignatureEncoding, SignatureScheme, SignatureSettings,
    SignatureTemplate, TemplatePart, TokenPlace,
};
pub use time::{
    Clock, INSTANT, ManualClock, Randomness, SystemClock, SystemRandomness, Timestamp, micros, parse_instant, writable,
};
