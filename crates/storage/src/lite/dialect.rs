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

/// Whether the error says that the file cannot be used now: busy, locked, full, an I/O error.
pub(crate) fn is_transient(error: &dyn DatabaseError) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const IO: i32 = 10;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0) & 0xff;
    [BUSY, LOCKED, IO, FULL, CANNOT_OPEN].contains(&code)
}

/// There is one writer.
pub(crate) fn is_deadlock(_: &dyn DatabaseError) -> bool {
    false
}
