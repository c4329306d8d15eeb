//! The store's source, written once and compiled once per driver: [`pg`](crate::pg) and [`lite`](crate::lite) each mount it beside their
//! `dialect`, which says what differs. One file per noun holds the statements and what is done with them; the files named like a contract
//! only bind one to the other.

mod applications;
mod aside;
mod audit;
mod bookkeeping;
mod claims;
mod client_secrets;
mod clients;
mod contracts;
mod credentials;
mod data_keys;
mod deliveries;
mod executions;
mod intake;
mod integration_rows;
mod integration_systems;
mod integrations;
mod logics;
mod objects;
pub(super) mod order;
mod orphans;
mod outbox;
mod pauses;
pub(super) mod place;
mod repeats;
mod replays;
mod revoked_tokens;
pub(super) mod row;
mod runtimes;
mod signing_keys;
mod tenants;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::query::Query;
use tidegate_model::{Clock, Error, TenantId, Timestamp};
use tokio::sync::Notify;

use self::audit::Trail;
use self::place::{Place, Places, Transaction};
use super::dialect::{self, Connection, Db};
use crate::fault::{Fault, Faults};

/// The longest that any call may take, waiting for a connection included.
const CALL_LIMIT: Duration = Duration::from_secs(20);

pub(super) type Statement = Query<'static, Db, <Db as sqlx::Database>::Arguments>;

/// The store on this driver. Cheap to clone: all clones are handles of one store.
#[derive(Clone)]
pub(crate) struct Database {
    reads: Places,
    writes: Places,
    faults: Arc<Faults>,
    outbox_changed: Arc<Notify>,
    /// What changes through this handle leave in the audit log.
    trail: Trail,
    /// Tells where lists begin.
    clock: Arc<dyn Clock>,
}

impl Database {
    /// Works on open places; both may be the same.
    pub(super) fn new(reads: Places, writes: Places, clock: Arc<dyn Clock>) -> Self {
        let run = format!("{:x}-{:x}", clock.now().timestamp_micros(), std::process::id());
        let faults = Arc::new(Faults { run, count: AtomicU64::new(1), said: Mutex::default() });
        Self { reads, writes, faults, outbox_changed: Arc::default(), trail: Trail::None, clock }
    }

    /// The same store, whose changes leave this.
    fn leaving(&self, trail: Trail) -> Self {
        Self { trail, ..self.clone() }
    }

    /// Bounds a call in time, and turns what broke in it into what its caller is told. Where the database ended it because it and another
    /// waited for each other, nothing of it was done, and it is made again on what the other leaves.
    pub(super) async fn run<T, F>(&self, call: &'static str, work: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let until_done = async {
            loop {
                match work().await {
                    Err(fault) if fault.is(dialect::is_deadlock) => {
                        tracing::debug!(call, "ended for another one's sake");
                    }
                    done => return done,
                }
            }
        };
        match tokio::time::timeout(CALL_LIMIT, until_done).await {
            Ok(done) => done.map_err(|fault| self.faults.answer(call, fault, dialect::is_transient)),
            Err(_) => Err(self.faults.late(call)),
        }
    }

    /// Begins a change; dropped without a commit, it never was.
    pub(super) async fn change(&self) -> Result<Transaction, Fault> {
        Ok(self.writes.begin(dialect::BEGIN_CHANGE).await?)
    }

    /// Begins a change of what is a tenant's. The tenant is held first, everywhere: whoever deletes it holds it, and then waits for none
    /// who waits for it.
    async fn change_of(&self, tenant: &TenantId) -> Result<Transaction, Fault> {
        let mut change = self.change_within(tenant).await?;
        tenants::hold(&mut change, tenant).await?;
        Ok(change)
    }

    /// As [`Database::change`], in sight of one tenant's rows alone: the second wall, behind the statements' own conditions.
    pub(super) async fn change_within(&self, tenant: &TenantId) -> Result<Transaction, Fault> {
        Ok(self.writes.begin(dialect::within(dialect::BEGIN_CHANGE, tenant)).await?)
    }

    /// As [`Database::change_of`] for what is a tenant's, as [`Database::change`] for what is above them.
    async fn change_as(&self, whose: Option<&TenantId>) -> Result<Transaction, Fault> {
        match whose {
            Some(tenant) => self.change_of(tenant).await,
            None => self.change().await,
        }
    }

    /// Begins to read several things as they are at one moment.
    pub(super) async fn look(&self) -> Result<Transaction, Fault> {
        Ok(self.reads.begin(dialect::BEGIN_LOOK).await?)
    }

    /// As [`Database::look`], in sight of one tenant's rows alone.
    async fn look_of(&self, tenant: &TenantId) -> Result<Transaction, Fault> {
        Ok(self.reads.begin(dialect::within(dialect::BEGIN_LOOK, tenant)).await?)
    }

    /// As [`Database::look_of`] for what is a tenant's, as [`Database::look`] for what is above them.
    async fn look_as(&self, whose: Option<&TenantId>) -> Result<Transaction, Fault> {
        match whose {
            Some(tenant) => self.look_of(tenant).await,
            None => self.look().await,
        }
    }

    /// Where a single statement reads in sight of one tenant's rows alone.
    async fn read_of(&self, tenant: &TenantId) -> Result<dialect::Reading, Fault> {
        Ok(dialect::reading(&self.reads, tenant).await?)
    }

    /// Where a single statement reads.
    pub(super) async fn reads(&self) -> Result<Place, Fault> {
        Ok(self.reads.take().await?)
    }

    /// Where a single statement writes.
    pub(super) async fn writes(&self) -> Result<Place, Fault> {
        Ok(self.writes.take().await?)
    }

    /// Ends all connections, as they become free.
    pub(super) async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }
}

/// A statement, ready for its parameters.
pub(super) fn sql(text: &'static str) -> Statement {
    sqlx::query(text)
}

/// An instant as it is stored.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

/// An instant or none, as it is stored.
fn maybe_micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(micros)
}

/// How many rows a page reads: one more than it shows.
fn one_more(first: u16) -> i64 {
    i64::from(first) + 1
}

/// A count, as it comes from the database.
fn counted(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Reads one number.
async fn number(connection: &mut Connection, query: Statement) -> Result<i64, Fault> {
    let row = query.fetch_one(connection).await?;
    Ok(sqlx::Row::try_get(&row, 0)?)
}
