//! What can break below a contract, and how it comes out: refusals as they are, everything else logged once.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::error::DatabaseError;
use tidegate_model::Error;
use tokio::time::Instant;

/// Between two lines that say of the same call that the database is not available.
const SILENCE: Duration = Duration::from_secs(5);

/// Why a call of the store ended early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller broke a rule, and is told so.
    Refused(Error),
    /// The database did.
    Database(sqlx::Error),
    /// A row holds what this version cannot read.
    BadRow { table: &'static str, column: &'static str, id: String, source: Box<dyn std::error::Error + Send + Sync> },
}

impl Fault {
    /// Whether it is an answer of the database of this kind.
    pub(crate) fn is(&self, kind: fn(&dyn DatabaseError) -> bool) -> bool {
        matches!(self, Self::Database(e) if e.as_database_error().is_some_and(kind))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Turns a broken unique key into what the caller is told.
pub(crate) fn taken(error: sqlx::Error, what: &'static str, id: impl fmt::Display) -> Fault {
    if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) {
        Fault::Refused(Error::not_unique(what, id))
    } else {
        Fault::Database(error)
    }
}

/// Turns a broken foreign key into what the caller is told.
pub(crate) fn dangling(fault: Fault, refusal: impl FnOnce() -> Error) -> Fault {
    match fault {
        Fault::Database(e) if e.as_database_error().is_some_and(DatabaseError::is_foreign_key_violation) => {
            Fault::Refused(refusal())
        }
        other => other,
    }
}

/// Names failures, so that the log entry of one is found by what its caller was told.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Tells the failures of this run of the process from those of other runs.
    pub(crate) run: String,
    /// Grows with each.
    pub(crate) count: AtomicU64,
    /// When it was said last of a call that the database is not available.
    pub(crate) said: Mutex<HashMap<&'static str, Instant>>,
}

impl Faults {
    /// Logs what broke, and makes what the caller gets. `transient` tells errors that may not come again from those that will.
    pub(crate) fn answer(&self, call: &'static str, fault: Fault, transient: fn(&dyn DatabaseError) -> bool) -> Error {
        use sqlx::Error as E;
        match fault {
            Fault::Refused(error) => error,
            Fault::Database(E::Database(e)) if e.code().as_deref() == Some("22021") => {
                Error::invalid("text", "text without NUL characters")
            }
            Fault::Database(error) => {
                let away = match &error {
                    // A server that goes away while it is being connected to is a broken protocol: it said less than that asks.
                    E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) => true,
                    E::Database(e) => transient(e.as_ref()),
                    _ => false,
                };
                if away {
                    if self.is_news(call) {
                        tracing::error!(call, %error, "the database is not available");
                    }
                    return Error::Unavailable("the database");
                }
                let id = self.next();
                tracing::error!(call, id, %error, "the database refused a statement");
                Error::Internal { id }
            }
            Fault::BadRow { table, column, id: row, source } => {
                let id = self.next();
                tracing::error!(call, id, table, column, row, error = %source, "a row cannot be read");
                Error::Internal { id }
            }
        }
    }

    /// A call took too long; whether it was carried out is not known.
    pub(crate) fn late(&self, call: &'static str) -> Error {
        if self.is_news(call) {
            tracing::error!(call, "the database did not answer in time");
        }
        Error::Unavailable("the database")
    }

    fn is_news(&self, call: &'static str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = said.get(call).is_none_or(|at| at.elapsed() >= SILENCE);
        if is_news {
            said.insert(call, Instant::now());
        }
        is_news
    }

    fn next(&self) -> String {
        format!("{}-{}", self.run, self.count.fetch_add(1, Ordering::Relaxed))
    }
}
