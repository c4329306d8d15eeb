//! Calls that were refused, on their way into the audit log.
//!
//! The first refusal of its kind is written at once; what follows within a minute is counted, and written as one entry when the minute is
//! over. Kinds are bounded, those of one client and all together: whoever is refused often, a stranger above all, writes little.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{AuditEntry, AuditId, Clock, Error, Face, Made, Randomness, Scope, TenantId, Timestamp, Trace};
use tidegate_storage::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long refusals of one kind are counted before they are written.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// How many kinds are told apart of one client in that time. All that follow are one.
const KINDS_OF_ONE: usize = 16;
/// How many in all: so much is in memory, and so many rows are written in a minute.
const KINDS: usize = 2000;
/// How often it looks which minutes are over.
const EVERY: Duration = Duration::from_secs(1);
/// What stands for operations that are not told apart.
const SEVERAL: &str = "*";
/// The longest text of a caller's that is kept.
const MAX_TEXT: usize = 128;

/// Counts refused calls and writes them down.
pub(crate) struct Refusals {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    counted: Mutex<HashMap<Kind, Counted>>,
    first: Notify,
}

/// Refusals that are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    tenant: Option<TenantId>,
    actor: String,
    face: Face,
    operation: String,
    thing: (String, Option<String>),
    refused: &'static str,
}

struct Counted {
    owner: Option<String>,
    address: Option<IpAddr>,
    since: Timestamp,
    last: Timestamp,
    count: u64,
    /// Whether the first one is written.
    written: bool,
}

impl Refusals {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { store, clock, randomness, counted: Mutex::default(), first: Notify::new() }
    }

    /// A client lacks a scope.
    pub(crate) fn of_scope(&self, tenant: Option<TenantId>, trace: Trace, scope: Scope, error: &Error) {
        self.note(tenant, trace, ("Scope".to_owned(), Some(scope.to_string())), error);
    }

    /// A client named a tenant that is not its own, or is not there. It stands in the log of the client's own tenant.
    pub(crate) fn of_tenant(&self, own: Option<&TenantId>, trace: Trace, named: &str, error: &Error) {
        self.note(own.cloned(), trace, ("Tenant".to_owned(), Some(cut(named))), error);
    }

    /// Somebody showed no good token.
    pub(crate) fn of_stranger(&self, face: Face, address: Option<IpAddr>, error: &Error) {
        if matches!(error, Error::Unauthorized(_)) {
            let trace =
                Trace { actor: "stranger".to_owned(), owner: None, face, address, operation: SEVERAL.to_owned() };
            self.note(None, trace, ("Token".to_owned(), None), error);
        }
    }

    fn note(&self, tenant: Option<TenantId>, trace: Trace, thing: (String, Option<String>), error: &Error) {
        let Trace { actor, owner, face, address, operation } = trace;
        let mut kind = Kind { tenant, actor, face, operation: cut(&operation), thing, refused: error.code().0 };
        let now = self.clock.now();
        let mut counted = self.counted();
        if !counted.contains_key(&kind) {
            let of_one = counted.keys().filter(|other| other.actor == kind.actor).count();
            if of_one >= KINDS_OF_ONE {
                SEVERAL.clone_into(&mut kind.operation);
                kind.thing.1 = None;
            }
            if counted.len() >= KINDS {
                kind = Kind { tenant: None, actor: SEVERAL.to_owned(), operation: SEVERAL.to_owned(), ..kind };
                kind.thing.1 = None;
            }
        }
        let fresh = || Counted { owner, address, since: now, last: now, count: 0, written: false };
        let one = counted.entry(kind).or_insert_with(fresh);
        one.count += 1;
        one.last = now;
        one.address = address;
        if !one.written {
            self.first.notify_one();
        }
    }

    /// Writes until shutdown, and then what is left.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let mut failing = false;
        loop {
            let over = shutdown.is_cancelled();
            let due = self.due(over);
            if !due.is_empty() {
                match self.store.append_audit_entries(&due).await {
                    Ok(()) => failing = false,
                    Err(error) => {
                        if !failing {
                            tracing::warn!(%error, "refused calls are missing in the audit log");
                        }
                        failing = true;
                    }
                }
            }
            if over {
                return;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.first.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// What is to be written now; at the end, all.
    fn due(&self, end: bool) -> Vec<AuditEntry> {
        let now = self.clock.now();
        let mut due = Vec::new();
        self.counted().retain(|kind, one| {
            let over = end || now - one.since >= WINDOW;
            if one.count > 0 && (over || !one.written) {
                due.push(self.entry(kind, one));
                one.count = 0;
                one.written = true;
            }
            !over
        });
        due
    }

    fn entry(&self, kind: &Kind, one: &Counted) -> AuditEntry {
        let Kind { tenant, actor, face, operation, thing, refused } = kind.clone();
        AuditEntry {
            id: AuditId::generate(&*self.clock, &*self.randomness),
            tenant,
            at: one.last,
            trace: Trace { actor, owner: one.owner.clone(), face, address: one.address, operation },
            made: Made { kind: thing.0, id: thing.1, before: None, after: None },
            refused: Some(refused.to_owned()),
            count: one.count,
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<Kind, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusals").finish_non_exhaustive()
    }
}

/// A caller's text as it is kept.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}
