//! The schema's history, embedded: the same names for both databases, in `migrations/`.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{PgConnection, PgPool, SqlSafeStr, SqliteConnection, SqlitePool};

use crate::open::OpenError;

/// A step: version, name, and its text for SQLite and PostgreSQL.
type Step = (i64, &'static str, &'static str, &'static str);

/// All steps, oldest first. A step that was released is never changed; what it got wrong, a later one sets right.
const STEPS: &[Step] = &[
    (
        1,
        "start",
        include_str!("../../../migrations/sqlite/0001_start.sql"),
        include_str!("../../../migrations/postgres/0001_start.sql"),
    ),
    (
        2,
        "settings",
        include_str!("../../../migrations/sqlite/0002_settings.sql"),
        include_str!("../../../migrations/postgres/0002_settings.sql"),
    ),
    (
        3,
        "credentials",
        include_str!("../../../migrations/sqlite/0003_credentials.sql"),
        include_str!("../../../migrations/postgres/0003_credentials.sql"),
    ),
    (
        6,
        "records in order",
        include_str!("../../../migrations/sqlite/0006_records_in_order.sql"),
        include_str!("../../../migrations/postgres/0006_records_in_order.sql"),
    ),
    (
        7,
        "repeats",
        include_str!("../../../migrations/sqlite/0007_repeats.sql"),
        include_str!("../../../migrations/postgres/0007_repeats.sql"),
    ),
    (
        9,
        "debts",
        include_str!("../../../migrations/sqlite/0009_debts.sql"),
        include_str!("../../../migrations/postgres/0009_debts.sql"),
    ),
    (
        10,
        "pauses",
        include_str!("../../../migrations/sqlite/0010_pauses.sql"),
        include_str!("../../../migrations/postgres/0010_pauses.sql"),
    ),
    (
        12,
        "tokens",
        include_str!("../../../migrations/sqlite/0012_tokens.sql"),
        include_str!("../../../migrations/postgres/0012_tokens.sql"),
    ),
    (
        13,
        "audit",
        include_str!("../../../migrations/sqlite/0013_audit.sql"),
        include_str!("../../../migrations/postgres/0013_audit.sql"),
    ),
    (
        14,
        "clients",
        include_str!("../../../migrations/sqlite/0014_clients.sql"),
        include_str!("../../../migrations/postgres/0014_clients.sql"),
    ),
    (
        15,
        "walls",
        include_str!("../../../migrations/sqlite/0015_walls.sql"),
        include_str!("../../../migrations/postgres/0015_walls.sql"),
    ),
    (
        17,
        "lanes",
        include_str!("../../../migrations/sqlite/0017_lanes.sql"),
        include_str!("../../../migrations/postgres/0017_lanes.sql"),
    ),
    (
        18,
        "days",
        include_str!("../../../migrations/sqlite/0018_days.sql"),
        include_str!("../../../migrations/postgres/0018_days.sql"),
    ),
    (
        19,
        "orphans",
        include_str!("../../../migrations/sqlite/0019_orphans.sql"),
        include_str!("../../../migrations/postgres/0019_orphans.sql"),
    ),
];

const APPLIED: &str = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
const HISTORY: &str = "SELECT version, checksum, success FROM _sqlx_migrations";
const ENCODING: &str = "SELECT current_setting('server_encoding')";
const SQLITE_HAS_HISTORY: &str = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
const POSTGRES_HAS_HISTORY: &str = "SELECT COUNT(*) FROM pg_tables WHERE tablename = '_sqlx_migrations' \
    AND schemaname = ANY (current_schemas(false))";

/// Brings a SQLite schema up to date.
pub(crate) async fn sqlite(pool: &SqlitePool) -> Result<(), OpenError> {
    migrator(|step| step.2).run(pool).await.map_err(OpenError::Migrate)
}

/// Brings a PostgreSQL schema up to date, under sqlx's advisory lock. One that is up to date is left alone: sqlx would ask for the right to
/// make tables.
pub(crate) async fn postgres(pool: &PgPool) -> Result<(), OpenError> {
    check_encoding(&mut *pool.acquire().await.map_err(OpenError::connect)?).await?;
    let migrator = migrator(|step| step.3);
    // Who may not read the history is told so by sqlx.
    if is_done(&migrator, pool).await.unwrap_or(false) {
        return Ok(());
    }
    migrator.run(pool).await.map_err(OpenError::Migrate)
}

/// Whether the history holds each step as it is here, and none that was broken off.
async fn is_done(migrator: &Migrator, pool: &PgPool) -> sqlx::Result<bool> {
    if sqlx::query_scalar::<_, i64>(POSTGRES_HAS_HISTORY).fetch_one(pool).await? == 0 {
        return Ok(false);
    }
    let history: Vec<(i64, Vec<u8>, bool)> = sqlx::query_as(HISTORY).fetch_all(pool).await?;
    let is_there =
        |step: &Migration| history.iter().any(|(version, sum, _)| *version == step.version && **sum == *step.checksum);
    Ok(history.iter().all(|(_, _, success)| *success) && migrator.iter().all(is_there))
}

/// Refuses a PostgreSQL database that cannot hold every text.
pub(crate) async fn check_encoding(connection: &mut PgConnection) -> Result<(), OpenError> {
    let encoding: String = sqlx::query_scalar(ENCODING).fetch_one(connection).await.map_err(OpenError::connect)?;
    if encoding == "UTF8" { Ok(()) } else { Err(OpenError::Encoding(encoding)) }
}

/// Refuses a SQLite schema that is behind.
pub(crate) async fn check_sqlite(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let known: i64 =
        sqlx::query_scalar(SQLITE_HAS_HISTORY).fetch_one(&mut *connection).await.map_err(OpenError::connect)?;
    let applied: Option<i64> = match known {
        0 => None,
        _ => sqlx::query_scalar(APPLIED).fetch_one(&mut *connection).await.map_err(OpenError::connect)?,
    };
    check(applied)
}

/// Refuses a PostgreSQL schema that is behind.
pub(crate) async fn check_postgres(connection: &mut PgConnection) -> Result<(), OpenError> {
    let known: i64 =
        sqlx::query_scalar(POSTGRES_HAS_HISTORY).fetch_one(&mut *connection).await.map_err(OpenError::connect)?;
    let applied: Option<i64> = match known {
        0 => None,
        _ => sqlx::query_scalar(APPLIED).fetch_one(&mut *connection).await.map_err(OpenError::connect)?,
    };
    check(applied)
}

/// A schema that is ahead is served: steps only add until no older version runs.
fn check(applied: Option<i64>) -> Result<(), OpenError> {
    let needed = STEPS.last().map_or(0, |step| step.0);
    let applied = applied.unwrap_or(0);
    if applied < needed { Err(OpenError::Behind { applied, needed }) } else { Ok(()) }
}

fn migrator(text: impl Fn(&Step) -> &'static str) -> Migrator {
    let migrations = STEPS
        .iter()
        .map(|step| Migration::new(step.0, step.1.into(), MigrationType::Simple, text(step).into_sql_str(), false));
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true);
    migrator
}
