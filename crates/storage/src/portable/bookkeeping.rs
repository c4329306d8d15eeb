//! Health and housekeeping.

use tidegate_model::Timestamp;

use super::super::dialect;
use super::{Database, micros, sql};
use crate::fault::Fault;

statements! {
    PING = "SELECT 1";
    PRUNE_EXECUTIONS = "DELETE FROM execution WHERE (tenant, id) IN \
        (SELECT tenant, id FROM execution WHERE started_at < $1 ORDER BY started_at LIMIT $2)";
    PRUNE_EVENTS = "DELETE FROM event WHERE (tenant, id) IN (SELECT e.tenant, e.id FROM event e WHERE e.taken_at < $1 \
        AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tenant = e.tenant AND d.event_id = e.id) \
        ORDER BY e.taken_at LIMIT $2)";
}

pub(super) async fn ping(db: &Database) -> Result<(), Fault> {
    sql(PING).execute(db.reads()).await?;
    Ok(())
}

pub(super) async fn prune_executions(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let prune = sql(PRUNE_EXECUTIONS).bind(micros(before)).bind(i64::from(max));
    Ok(prune.execute(db.writes()).await?.rows_affected())
}

/// Events first, then the local log, where there is one, with what is left of `max`.
pub(super) async fn prune_events(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let mut pruned = 0;
    for statement in [PRUNE_EVENTS].into_iter().chain(dialect::PRUNE_LOG) {
        let left = i64::from(max) - i64::try_from(pruned).unwrap_or(i64::MAX);
        pruned += sql(statement).bind(micros(before)).bind(left).execute(db.writes()).await?.rows_affected();
    }
    Ok(pruned)
}

pub(super) async fn close(db: &Database) {
    db.reads().close().await;
    db.writes().close().await;
}
