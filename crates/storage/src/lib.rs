//! Remembering, in PostgreSQL or SQLite.
//!
//! [`open`] gives the [`Store`], all of whose contracts ([`contract`]) hold on both databases: a change is whole or not at all, and
//! durable on return; what a caller broke is the [`Error`](tidegate_model::Error) that callers see; what the database broke is logged
//! here, once, and comes out as `Internal` or `Unavailable`; every call ends in bounded time. What must never be (a client without its
//! owner, two Integrations behind one key, a delivery of no event) the schema's keys forbid, so that no race of calls can make it.
//!
//! # How it is built
//!
//! The sources in `portable/` are written once and compiled once per driver: `pg` and `lite` mount them beside a `dialect`, which
//! says the little that differs (how a change begins, which rows it holds, inserts of many rows). So each statement is one text, a const,
//! and two tests keep it honest: one prepares every statement on both databases, one compares the schemas. What stands in columns is
//! what is searched or ordered by; the rest of a record is a compressed body.
//!
//! To add a statement: a line in the `statements!` of its noun's file. To remember something new: a table in a new step of
//! `migrations/sqlite` and `migrations/postgres`, with the same name; the step's line in `schema.rs`; a method in the contract; a function
//! in the noun's file; a test in `tests/it`, which runs on every store.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use tidegate_model::{Clock, SystemClock, Tenant};
//! use tidegate_storage::{DatabaseUrl, Options, migrate, open};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let url: DatabaseUrl = "sqlite::memory:".parse()?;
//! migrate(&url).await?;
//! let opened = open(&Options { url, max_connections: 4, clock: Arc::new(SystemClock) }).await?;
//!
//! let acme = Tenant { id: "acme".parse()?, name: "Acme".to_owned(), created_at: SystemClock.now() };
//! opened.store.insert_tenant(&acme).await?;
//! assert_eq!(opened.store.tenant(&acme.id).await?, Some(acme));
//! # Ok(())
//! # }
//! ```

#![expect(clippy::duplicate_mod, reason = "the portable sources are compiled once per driver, by design")]

/// Names statements, and lists them for the test that prepares each one on both databases.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $text:expr;)*) => {
        $(const $name: &str = $text;)*

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Leases what is in `due`, and reads it.
macro_rules! claim_due {
    () => {
        "UPDATE delivery SET holder = $1, leased_until = $3 WHERE (tenant, id) IN (SELECT tenant, id FROM due) \
         RETURNING id, next_at, place, body, \
         (SELECT e.body FROM event e WHERE e.tenant = delivery.tenant AND e.id = delivery.event_id) AS event"
    };
}

/// Whether the Integration of a `delivery` is there.
macro_rules! has_integration {
    () => {
        "EXISTS (SELECT 1 FROM integration i WHERE i.tenant = delivery.tenant AND i.id = delivery.integration)"
    };
}

mod body;
mod codec;
pub mod contract;
mod fault;
mod group;
mod lite;
mod naming;
mod open;
mod pg;
mod record;
mod recorder;
mod repeats;
mod rotation;
mod safe;
mod schema;
mod seal;
mod url;

pub use contract::Store;
pub use open::{OpenError, Opened, Options, migrate, open};
pub use rotation::{Resealed, Rotated, rotate};
pub use safe::{Safe, Versioned};
pub use seal::{Sealer, place};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
