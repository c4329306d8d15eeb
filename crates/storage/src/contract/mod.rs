//! What the store remembers, by noun. Both engines implement all of it and pass one suite.
//!
//! Rules that hold for every call: a change is whole or not at all; what a caller breaks (a taken name, a missing thing) is the `model::Error` that
//! callers see; what the database breaks is logged here once, with its cause, and comes out as `Error::Internal` or `Error::Unavailable`.
//! Ids and times are arguments: the store draws neither.

mod aside;
mod audit;
mod bookkeeping;
mod clients;
mod definitions;
mod deliveries;
mod events;
mod executions;
mod objects;
mod pauses;
mod repeats;
mod replays;
mod secrets;
mod systems;

pub use aside::{Aside, AsideEntry};
pub use audit::AuditLog;
pub use bookkeeping::Bookkeeping;
pub use clients::{Clients, OwnerKind, SigningKeyRow};
pub use definitions::{Definitions, WebhookKeyRow};
pub use deliveries::{Deliveries, Hold, Intake, Kept, Settled, Whose};
pub use events::Outbox;
pub use executions::Executions;
pub use objects::{ObjectWrite, Objects, WriteConflict};
pub use pauses::Pauses;
pub use repeats::{RepeatStep, RepeatedCalls};
pub use replays::{ReplayStep, Replays};
pub use secrets::{CredentialRow, DataKeyRow, LockedCredential, SealedWebhookKey, Secrets};
pub use systems::Systems;

/// All of it: what a service holds as `Arc<dyn Store>`.
pub trait Store:
    Systems
    + Clients
    + Definitions
    + Secrets
    + Objects
    + Outbox
    + Aside
    + Deliveries
    + Pauses
    + Executions
    + Replays
    + RepeatedCalls
    + AuditLog
    + Bookkeeping
    + Send
    + Sync
{
}
