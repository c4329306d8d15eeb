//! What SQLite has its own way of saying.

use sqlx::SqlSafeStr;
use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use tidegate_model::TenantId;

use super::portable::place::{Place, Places};

pub(crate) type Db = sqlx::Sqlite;
pub(crate) type Pool = sqlx::SqlitePool;
pub(crate) type Row = sqlx::sqlite::SqliteRow;
pub(crate) type Connection = sqlx::SqliteConnection;

/// Gives a connection back to its place. A file answers, or says that it cannot.
pub(crate) fn give_back(connection: PoolConnection<Db>) {
    drop(connection);
}

/// Takes the write lock at once, so that no change fails half-way because another one was faster.
pub(crate) const BEGIN_CHANGE: &str = "BEGIN IMMEDIATE";

/// Reads what was committed when the first statement began.
pub(crate) const BEGIN_LOOK: &str = "BEGIN";

/// Where a single statement of one tenant reads.
pub(crate) type Reading = Place;

/// There is no second wall here: whoever has the file has all of it.
pub(crate) fn within(begin: &'static str, _: &TenantId) -> impl SqlSafeStr + use<> {
    begin
}

/// As any statement reads.
pub(crate) async fn reading(places: &Places, _: &TenantId) -> sqlx::Result<Reading> {
    places.take().await
}

/// Plans do not depend on parameters here.
pub(crate) const KEEPS_PLANS_OF_LISTS: bool = true;

/// Days are not kept apart here.
pub(crate) const DAYS_OF_LISTS: &[i64] = &[];

/// What a deleted tenant leaves in tables that do not refer to it: of its entries in the log only their places stay, which have the names of no
/// events, so that another tenant of that id may use those anew.
pub(crate) const FORGET_TENANT: Option<&str> =
    Some("UPDATE local_log SET body = NULL, event_id = event_id || char(0) || position WHERE tenant = $1");

/// Forgets old entries of the local log.
pub(crate) const PRUNE_LOG: Option<&str> = Some(
    "DELETE FROM local_log WHERE position IN \
     (SELECT position FROM local_log WHERE published_at < $1 ORDER BY position LIMIT $2)",
);

/// Whether another time may be better: everything but what is about a statement and its values. A file that is locked, read-only, full or
/// damaged: somebody mends it.
pub(crate) fn is_transient(error: &dyn DatabaseError) -> bool {
    const ERROR: i32 = 1;
    const TOO_BIG: i32 = 18;
    const CONSTRAINT: i32 = 19;
    const MISMATCH: i32 = 20;
    const RANGE: i32 = 25;
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(ERROR) & 0xff;
    ![ERROR, TOO_BIG, CONSTRAINT, MISMATCH, RANGE].contains(&code)
}

/// A file that takes no changes says so when it is to be changed.
pub(crate) const REFUSES_CHANGES: &str = "SELECT false";

/// There is one process, and it has a clock.
pub(crate) const TIME: Option<&str> = None;

/// There is one writer.
pub(crate) fn is_deadlock(_: &dyn DatabaseError) -> bool {
    false
}
