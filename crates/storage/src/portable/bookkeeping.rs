//! Health and housekeeping.

use chrono::TimeDelta;
use tidegate_model::{Error, Timestamp};
use uuid::Uuid;

use super::super::{days, dialect};
use super::row::Columns;
use super::{Database, executions, micros, sql};
use crate::fault::Fault;

/// How long a day may be tried to be dropped before its records go one by one.
const PATIENCE: TimeDelta = TimeDelta::days(1);

statements! {
    // The ids are said twice, so that neither looks into the days between them.
    PRUNE_EXECUTIONS = "DELETE FROM execution WHERE (tenant, id) IN (SELECT tenant, id FROM execution \
        WHERE started_at < $1 AND (id < $3 OR id >= $4) ORDER BY started_at LIMIT $2) AND (id < $3 OR id >= $4)";
    PRUNE_EVENTS = "DELETE FROM event WHERE (tenant, id) IN (SELECT e.tenant, e.id FROM event e WHERE e.taken_at < $1 \
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tenant = e.tenant AND d.event_id = e.id) \
        ORDER BY e.taken_at LIMIT $2)";
    LEASE = "INSERT INTO lease (name, holder, leased_until) VALUES ($4, $1, $3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until \
        WHERE lease.holder = excluded.holder OR lease.leased_until <= $2";
    // Leased by the first who came, for good.
    NAME = "INSERT INTO lease (name, holder, leased_until) VALUES ('installation', $1, 9223372036854775807) ON CONFLICT (name) DO NOTHING";
    NAMED = "SELECT holder FROM lease WHERE name = 'installation'";
}

pub(super) async fn ping(db: &Database) -> Result<(), Fault> {
    let refuses: bool = sqlx::query_scalar(dialect::REFUSES_CHANGES).fetch_one(&mut *db.reads().await?).await?;
    if refuses { Err(Error::Unavailable("a database that takes changes").into()) } else { Ok(()) }
}

pub(super) async fn time(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let Some(time) = dialect::TIME else { return Ok(None) };
    let time: i64 = sqlx::query_scalar(time).fetch_one(&mut *db.reads().await?).await?;
    Ok(Timestamp::from_timestamp_micros(time))
}

pub(super) async fn make_days(db: &Database, now: Timestamp) -> Result<u64, Fault> {
    // Later ones have no ids.
    const LAST: i64 = 3_000_000;
    let today = now.timestamp().div_euclid(24 * 60 * 60).clamp(0, LAST);
    Ok(days::make(&mut *db.writes().await?, i32::try_from(today).unwrap_or(0)).await?)
}

pub(super) async fn drop_days(db: &Database, before: Timestamp) -> Result<u64, Fault> {
    Ok(days::drop(&mut *db.writes().await?, micros(before)).await?)
}

pub(super) async fn prune_executions(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let overdue = before.checked_sub_signed(PATIENCE).unwrap_or(before);
    let (from, to) = days::kept(&mut *db.writes().await?, executions::first_id(overdue)).await?;
    let prune = sql(PRUNE_EXECUTIONS).bind(micros(before)).bind(i64::from(max)).bind(from).bind(to);
    Ok(prune.execute(&mut *db.writes().await?).await?.rows_affected())
}

/// Events first, then the local log, where there is one, with what is left of `max`.
pub(super) async fn prune_events(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let mut pruned = 0;
    for statement in [PRUNE_EVENTS].into_iter().chain(dialect::PRUNE_LOG) {
        let left = i64::from(max) - i64::try_from(pruned).unwrap_or(i64::MAX);
        pruned +=
            sql(statement).bind(micros(before)).bind(left).execute(&mut *db.writes().await?).await?.rows_affected();
    }
    Ok(pruned)
}

pub(super) async fn lease(
    db: &Database,
    what: &str,
    holder: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Fault> {
    let lease = sql(LEASE).bind(holder).bind(micros(now)).bind(micros(until)).bind(what);
    Ok(lease.execute(&mut *db.writes().await?).await?.rows_affected() == 1)
}

pub(super) async fn installation(db: &Database, candidate: Uuid) -> Result<Uuid, Fault> {
    let named = async || Ok::<_, Fault>(sql(NAMED).fetch_optional(&mut *db.reads().await?).await?);
    // A standby that has a name tells it.
    let row = if let Some(row) = named().await? {
        row
    } else {
        sql(NAME).bind(candidate).execute(&mut *db.writes().await?).await?;
        named().await?.ok_or(sqlx::Error::RowNotFound)?
    };
    Columns::of("lease", &row).get("holder")
}

pub(super) async fn close(db: &Database) {
    db.close().await;
}
