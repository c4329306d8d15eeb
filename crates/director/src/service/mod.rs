//! What the director does, one file per noun. The faces (GraphQL now, gRPC beside it) translate and call; every rule stands here.

mod applications;
mod aside;
mod attributes;
mod audit;
mod builtin;
mod changes;
mod comparison;
mod credentials;
mod debts;
mod draft;
mod events;
mod executions;
mod fitting;
mod integration_systems;
mod integrations;
mod interfaces;
mod logics;
mod material;
mod object_types;
mod objects;
mod registry;
mod runtimes;
mod settings;
mod shelf;
mod signatures;
mod system_auths;
mod system_details;
mod tenants;
mod trial_calls;
mod trial_input;
mod trials;
mod webhook_urls;

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use tidegate_model::contract::{EventLog, Notices, ScriptCheck, Trials};
use tidegate_model::{CallBounds, Clock, Error, Randomness, RunBounds};
use tidegate_storage::{Safe, Sealer, Store};
use tokio::sync::Notify;

pub(crate) use applications::ApplicationInput;
pub(crate) use audit::AuditFilterInput;
pub(crate) use comparison::{Comparison, Different};
pub(crate) use credentials::{CredentialInput, CredentialUpdateInput, ToldCredential};
pub(crate) use debts::{CancelledExecutions, ReplayedExecutions};
pub(crate) use draft::Drafted;
pub(crate) use events::EventInput;
pub(crate) use executions::ExecutionFilterInput;
pub(crate) use integration_systems::IntegrationSystemInput;
pub(crate) use integrations::{IntegrationInput, IntegrationUpdateInput, SubscriptionInput};
pub(crate) use logics::{LogicInput, LogicUpdateInput};
pub(crate) use object_types::{ObjectTypeInput, ObjectTypeUpdateInput};
pub(crate) use objects::ObjectsService;
pub(crate) use registry::StoredRegistry;
pub(crate) use runtimes::RuntimeInput;
pub(crate) use shelf::Stored;
pub(crate) use signatures::{SchemeName, SignatureInput};
pub(crate) use system_auths::{Owner, SystemAuth};
pub(crate) use tenants::TenantInput;
pub(crate) use trial_calls::{CallDifference, ToldCall};
pub(crate) use trial_input::SampleInput;
pub(crate) use trials::{Difference, TriedLogic, TryLogicInput, status_of};

/// All services over one store.
pub(crate) struct Services {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sealer: Sealer,
    pub(crate) safe: Safe,
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) notices: Arc<dyn Notices>,
    pub(crate) scripts: Arc<dyn ScriptCheck>,
    pub(crate) trials: Arc<dyn Trials>,
    pub(crate) objects: Arc<ObjectsService>,
    /// Tells that a replay was begun.
    pub(crate) replay_begun: Arc<Notify>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// How far an Integration may go with the limits of its scripts.
    pub(crate) run_bounds: RunBounds,
    pub(crate) call_bounds: CallBounds,
    /// Before `/webhook/<key>`, without a slash at its end.
    pub(crate) webhook_url: String,
    /// Where clients get their tokens.
    pub(crate) token_url: String,
}

/// The id that a text is; a text that is none names nothing, like an id that was never given out.
fn known_id<I: FromStr>(what: &'static str, text: &str) -> Result<I, Error> {
    text.parse().map_err(|_| Error::not_found(what, shown(text)))
}

/// The thing that was found, or `NotFound`.
fn found<T>(what: &'static str, id: impl Display, thing: Option<T>) -> Result<T, Error> {
    thing.ok_or_else(|| Error::not_found(what, id))
}

/// A caller's text as an error shows it: not longer than an id can be.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}
