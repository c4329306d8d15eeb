//! SQLite: one file, one process, one writer.

#[cfg(test)]
mod asked;
mod bulk;
mod days;
mod dialect;
mod log;

/// The parts of statements that SQLite says in its own way.
macro_rules! dialect {
    // One writer: what was read in a change stays as it is until the change ends.
    (key_share) => {
        ""
    };
    (share) => {
        ""
    };
    (exclusively) => {
        ""
    };
    (skip_locked) => {
        ""
    };
    // Without statistics the primary key looks as good, of which it would read every row.
    (by_status) => {
        " INDEXED BY execution_by_status"
    };
    // Without statistics the primary key looks as good, of which it would read all of the tenant's.
    (by_integration) => {
        " INDEXED BY subscription_by_integration"
    };
    // Without statistics an Integration looks narrower, of which it would read all that waits.
    (by_due) => {
        " INDEXED BY delivery_due"
    };
    (listed) => {
        "SELECT unhex(value, '-') FROM json_each($1)"
    };
    (numbers) => {
        "SELECT value FROM json_each($1)"
    };
}

#[path = "portable/mod.rs"]
mod portable;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tidegate_model::Clock;

pub(crate) use self::log::LocalLog;
pub(crate) use self::portable::Database;
use self::portable::place::Places;
use crate::open::OpenError;
use crate::schema;

/// How long a change waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Opens the file, whose schema must be there.
pub(crate) async fn open(path: &Path, readers: u32, clock: Arc<dyn Clock>) -> Result<Database, OpenError> {
    let writes = Places::of(pool(1).connect_with(file(path)).await.map_err(OpenError::connect)?);
    schema::check_sqlite(&mut *writes.take().await.map_err(OpenError::connect)?).await?;
    let readers = pool(readers).connect_with(file(path).pragma("query_only", "1")).await.map_err(OpenError::connect)?;
    Ok(Database::new(Places::of(readers), writes, clock))
}

/// Makes a database in memory, which lives as long as its one connection: for reads and writes the same.
pub(crate) async fn open_memory(clock: Arc<dyn Clock>) -> Result<Database, OpenError> {
    let options = common(SqliteConnectOptions::new().in_memory(true));
    let only = pool(1).min_connections(1).connect_with(options).await.map_err(OpenError::connect)?;
    schema::sqlite(&only).await?;
    let only = Places::of(only);
    Ok(Database::new(only.clone(), only, clock))
}

/// Brings the file's schema up to date, and makes the file if there is none.
pub(crate) async fn migrate(path: &Path) -> Result<(), OpenError> {
    let only = pool(1).connect_with(file(path).create_if_missing(true)).await.map_err(OpenError::connect)?;
    let done = schema::sqlite(&only).await;
    only.close().await;
    done
}

fn file(path: &Path) -> SqliteConnectOptions {
    common(SqliteConnectOptions::new().filename(path))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
}

fn common(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.foreign_keys(true).busy_timeout(TURN)
}

/// Connections are kept for good: one in memory is the database itself.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        // A full disk ends a transaction by itself; the driver goes on believing in it, and would begin no other one on this connection. What
        // was only dropped is rolled back by now.
        .before_acquire(|connection, _| {
            let usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(usable) })
        })
}
