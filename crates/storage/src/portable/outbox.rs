//! Events on their way to the bus.
//!
//! The number of an entry is drawn after the changed row is locked, so the entries of one object have the order of its changes.

use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{Event, Timestamp};
use uuid::Uuid;

use super::row::Columns;
use super::{Database, Transaction, audit, bookkeeping, micros, sql};
use crate::body;
use crate::fault::Fault;

statements! {
    INSERT = "INSERT INTO outbox (tenant, body) VALUES ($1, $2)";
    ANY = "SELECT id FROM outbox LIMIT 1";
    LEASED_ELSEWHERE = "SELECT name FROM lease WHERE name = 'outbox' AND holder <> $1 AND leased_until > $2";
    OLDEST = "SELECT id, body FROM outbox ORDER BY id LIMIT $1";
    DONE = concat!("DELETE FROM outbox WHERE id IN (", dialect!(numbers), ")");
}

/// How long the right to relay is held.
const LEASE: TimeDelta = TimeDelta::seconds(10);

/// Adds the events of a change and what it leaves in the audit log, commits all of it, and tells the relay.
pub(super) async fn commit(
    db: &Database,
    mut change: Transaction,
    events: impl IntoIterator<Item = &Event> + Send,
) -> Result<(), Fault> {
    let packed: Vec<_> =
        events.into_iter().map(|e| Ok((e.tenant.as_str(), body::pack(e)?))).collect::<Result<_, Fault>>()?;
    for (tenant, body) in packed {
        sql(INSERT).bind(tenant).bind(body).execute(&mut *change).await?;
    }
    audit::commit(db, change).await?;
    db.outbox_changed.notify_one();
    Ok(())
}

pub(super) async fn wake(db: &Database) {
    // Only the other processes' entries are found by time; waiting no longer than this is the contract.
    let _woken = tokio::time::timeout(Duration::from_secs(1), db.outbox_changed.notified()).await;
}

/// An empty outbox is told without a write, so that waiting costs no commit per second.
pub(super) async fn claim(
    db: &Database,
    holder: Uuid,
    now: Timestamp,
    max: u32,
) -> Result<Option<Vec<(i64, Event)>>, Fault> {
    if sql(ANY).fetch_optional(&mut *db.reads().await?).await?.is_none() {
        let elsewhere =
            sql(LEASED_ELSEWHERE).bind(holder).bind(micros(now)).fetch_optional(&mut *db.reads().await?).await?;
        return Ok(elsewhere.is_none().then(Vec::new));
    }
    if !bookkeeping::lease(db, "outbox", holder, now, now + LEASE).await? {
        return Ok(None);
    }
    let rows = sql(OLDEST).bind(i64::from(max)).fetch_all(&mut *db.reads().await?).await?;
    let entries = rows.iter().map(|row| {
        let columns = Columns::of("outbox", row);
        Ok((columns.get("id")?, columns.body("body")?))
    });
    entries.collect::<Result<_, Fault>>().map(Some)
}

pub(super) async fn done(db: &Database, ids: &[i64]) -> Result<(), Fault> {
    let ids = serde_json::to_string(ids).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sql(DONE).bind(ids).execute(&mut *db.writes().await?).await?;
    Ok(())
}
