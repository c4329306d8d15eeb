//! What PostgreSQL has its own way of saying.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr};
use tidegate_model::TenantId;

use super::portable::place::{Places, Transaction};

pub(crate) type Db = sqlx::Postgres;
pub(crate) type Pool = sqlx::PgPool;
pub(crate) type Row = sqlx::postgres::PgRow;
pub(crate) type Connection = sqlx::PgConnection;

/// How long a connection may take to say that it is there.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);

/// Gives a connection back to its place once the server has rolled back what was not committed; one that does not hear from it leaves its
/// place to another.
pub(crate) fn give_back(mut connection: PoolConnection<Db>) {
    let returned = connection.return_to_pool();
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async {
            if tokio::time::timeout(ANSWER, returned).await.is_err() {
                tracing::warn!("a connection to the database does not answer, and is given up");
            }
        });
    }
}

/// Changes lock the rows that they build on; the snapshot is each statement's.
pub(crate) const BEGIN_CHANGE: &str = "BEGIN";

/// Reads what was committed when the first statement began.
pub(crate) const BEGIN_LOOK: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Where a single statement of one tenant reads: the wall stands as long as a transaction.
pub(crate) type Reading = Transaction;

/// Begins so, in sight of one tenant's rows alone (`migrations/postgres/0015_walls.sql`). It goes to the server as one text, and costs no
/// round trip more than the beginning alone.
pub(crate) fn within(begin: &'static str, tenant: &TenantId) -> impl SqlSafeStr + use<> {
    // A tenant's id is a DNS label.
    AssertSqlSafe(format!("{begin}; SET LOCAL tidegate.tenant = '{tenant}'"))
}

/// Begins to read one thing. When it is dropped, the server is told so without being waited for.
pub(crate) async fn reading(places: &Places, tenant: &TenantId) -> sqlx::Result<Reading> {
    places.begin(within("BEGIN READ ONLY", tenant)).await
}

/// A plan for any parameters expects that what may narrow does: it would read all of a list and sort it. One for these parameters is made each
/// time, and knows which conditions are none.
pub(crate) const KEEPS_PLANS_OF_LISTS: bool = false;

/// How many of the newest days a list reads before it goes on to older ones. A statement that may look into every day is planned for each of
/// them, which takes longer than to read the page.
pub(crate) const DAYS_OF_LISTS: &[i64] = &[2, 8];

/// Everything of a tenant refers to it here.
pub(crate) const FORGET_TENANT: Option<&str> = None;

/// There is no local log here: a sequence's numbers become visible out of order.
pub(crate) const PRUNE_LOG: Option<&str> = None;

/// Whether another time may be better: everything but what is about the values of a statement (data, constraints, limits of a row, a trigger of
/// the operator's). A server that is read-only because it is not the primary yet, a right or a table that is not there: somebody mends them.
pub(crate) fn is_transient(error: &dyn DatabaseError) -> bool {
    const ABOUT_VALUES: [&str; 6] = ["21", "22", "23", "44", "54", "P0"];
    !error.code().is_some_and(|code| ABOUT_VALUES.iter().any(|class| code.starts_with(class)))
}

/// Whether the server takes no changes: a standby, or made read-only.
pub(crate) const REFUSES_CHANGES: &str =
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";

/// The server's time, in microseconds since 1970: the one that all processes share.
pub(crate) const TIME: Option<&str> = Some("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");

/// Two transactions waited for each other, and this one was ended.
pub(crate) fn is_deadlock(error: &dyn DatabaseError) -> bool {
    error.code().as_deref() == Some("40P01")
}
