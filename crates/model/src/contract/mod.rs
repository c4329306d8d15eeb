//! The contracts through which services meet. Each has one implementation in the same process and one over the wire; nothing that
//! holds an `Arc<dyn ...>` can tell which. Implementations pass the same tests.

mod events;
mod objects;
mod recorder;
mod registry;
mod repeats;
mod tokens;
mod trials;
mod vault;

pub use events::{EventLog, Incomprehensible, LogBounds, LogEntry, Position, Received};
pub use objects::{Actor, MAX_CHANGES, ObjectAction, ObjectChange, Objects};
pub use recorder::Recorder;
pub use registry::{Notices, Registry, Resolved, ScriptCheck, ScriptFault, ScriptRule, ScriptWarning, WebhookKeyHash};
pub use repeats::{Claim, Claimed, ContentHash, MAX_REPEATED_ANSWER, REPEAT_WINDOW, RepeatKey, RepeatedBy, Repeats};
pub use tokens::{KeySet, TokenAuthority, Verifier};
pub use trials::{NOT_SENT, Trial, TrialInput, Trials, Tried};
pub use vault::Vault;
