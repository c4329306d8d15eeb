//! PostgreSQL: many processes, each with a small pool.

#[cfg(test)]
mod asked;
mod bulk;
mod days;
mod dialect;

/// The parts of statements that PostgreSQL says in its own way.
macro_rules! dialect {
    (key_share) => {
        " FOR KEY SHARE"
    };
    (share) => {
        " FOR SHARE"
    };
    (exclusively) => {
        " FOR UPDATE"
    };
    (skip_locked) => {
        " FOR UPDATE SKIP LOCKED"
    };
    (by_status) => {
        ""
    };
    (by_integration) => {
        ""
    };
    (by_due) => {
        ""
    };
    (listed) => {
        "SELECT listed::uuid FROM json_array_elements_text($1::json) AS listed"
    };
    (numbers) => {
        "SELECT number::bigint FROM json_array_elements_text($1::json) AS number"
    };
}

#[path = "portable/mod.rs"]
mod portable;

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use tidegate_model::Clock;

use self::dialect::ANSWER;
pub(crate) use self::portable::Database;
use self::portable::place::Places;
use crate::open::OpenError;
use crate::schema;

/// How long a call waits for a connection.
const TURN: Duration = Duration::from_secs(5);

/// How long a connection may rest before it is asked whether it still is one.
const REST: Duration = Duration::from_secs(1);

/// What holds in each session. The server gives up a statement before this side does (see `CALL_LIMIT`), and notices a client that is gone.
/// What a transaction sees is said here because a role's own setting may be another one.
///
/// It is not said while a connection is made: poolers refuse what they do not know there, or drop it without a word.
const SESSION: &str = "SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s'; \
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
    SET default_transaction_isolation = 'read committed'";

/// Connects to a database whose schema must be there.
pub(crate) async fn open(
    options: &PgConnectOptions,
    connections: u32,
    clock: Arc<dyn Clock>,
) -> Result<Database, OpenError> {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async { unless_gone(begin_session(connection).await) }))
        .before_acquire(|connection, life| Box::pin(rested(connection, life)));
    let places = Places::of(connect(pool, options).await?);
    let mut place = places.take().await.map_err(OpenError::connect)?;
    schema::check_encoding(&mut place).await?;
    schema::check_postgres(&mut place).await?;
    tell_of_walls(&mut place).await?;
    drop(place);
    Ok(Database::new(places.clone(), places, clock))
}

/// Row-level security, the second wall between tenants, holds neither superusers nor roles that were freed of it.
async fn tell_of_walls(connection: &mut PgConnection) -> Result<(), OpenError> {
    const IS_ABOVE: &str = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    if sqlx::query_scalar::<_, bool>(IS_ABOVE).fetch_one(connection).await.map_err(OpenError::connect)? {
        tracing::warn!(
            "the database's role is not held to row-level security: give Tidegate a plain role, neither SUPERUSER nor BYPASSRLS"
        );
    }
    Ok(())
}

/// Brings the schema up to date, one process at a time.
pub(crate) async fn migrate(options: &PgConnectOptions) -> Result<(), OpenError> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(TURN);
    let pool = connect(pool, options).await?;
    let done = schema::postgres(&pool).await;
    pool.close().await;
    done
}

/// Fills a pool. While connections are refused it tries again until its time is over, and then tells nothing but that; of one that broke
/// nothing is known but that: so they are asked once more.
async fn connect(pool: PgPoolOptions, options: &PgConnectOptions) -> Result<PgPool, OpenError> {
    // Since PostgreSQL 12 numbers come in full without it, and poolers do not know it.
    let options = options.clone().extra_float_digits(None);
    let told = match first(pool, options.clone()).await {
        Err(told @ (sqlx::Error::PoolTimedOut | sqlx::Error::Io(_))) => told,
        done => return done.map_err(OpenError::connect),
    };
    let asked = async { begin_session(&mut PgConnection::connect_with(&options).await?).await };
    let why = match tokio::time::timeout(ANSWER, asked).await {
        Ok(Ok(())) => told,
        Ok(Err(why)) => why,
        Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
    };
    Err(OpenError::connect(why))
}

/// A pool, one of whose connections answers.
async fn first(pool: PgPoolOptions, options: PgConnectOptions) -> sqlx::Result<PgPool> {
    let pool = pool.connect_with(options).await?;
    pool.acquire().await?.ping().await?;
    Ok(pool)
}

async fn begin_session(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(SESSION).execute(connection).await.map(drop)
}

/// A connection that broke at once is for its first user to notice. The pool would make others for as long as somebody waits, and write a
/// line about each: a pooler whose server is away lets everybody in, and then nobody further.
fn unless_gone(begun: sqlx::Result<()>) -> sqlx::Result<()> {
    match &begun {
        Err(sqlx::Error::Io(_)) => Ok(()),
        Err(sqlx::Error::Database(error)) => {
            let is_gone = error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P0"));
            if is_gone { Ok(()) } else { begun }
        }
        _ => begun,
    }
}

/// Asks a connection that has rested whether it is still there. The driver bounds no wait of its own.
async fn rested(connection: &mut PgConnection, life: PoolConnectionMetadata) -> sqlx::Result<bool> {
    if life.idle_for < REST {
        return Ok(true);
    }
    match tokio::time::timeout(ANSWER, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}
