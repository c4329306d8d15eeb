//! Replays by filter.

use tidegate_model::{DeliveryOrdering, ExecutionId, Page, PageOf, Replay, ReplayId, ReplayState, TenantId, Timestamp};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, audit, counted, deliveries, maybe_micros, micros, number, one_more, order, sql, tenants};
use crate::codec::UnknownWord;
use crate::contract::ReplayStep;
use crate::fault::Fault;

macro_rules! columns {
    () => {
        "id, tenant, state, filter, rate, total, replayed, refused, created_by, created_at, ended_at"
    };
}

statements! {
    INSERT = "INSERT INTO replay (tenant, id, state, filter, rate, total, replayed, refused, done_to, next_at, created_by, created_at, \
        ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    FIND = concat!("SELECT ", columns!(), " FROM replay WHERE tenant = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM replay WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    COUNT = "SELECT COUNT(*) FROM replay WHERE tenant = $1";
    STOP = "UPDATE replay SET state = 'STOPPED', ended_at = $3 WHERE tenant = $1 AND id = $2 AND ended_at IS NULL";
    NEXT = concat!("SELECT ", columns!(), ", done_to, next_at FROM replay WHERE ended_at IS NULL ORDER BY next_at LIMIT 1");
    // Whoever moves it first wins; another one that made the same step changes nothing.
    MOVE = "UPDATE replay SET done_to = $4 WHERE tenant = $1 AND id = $2 AND done_to = $3 AND ended_at IS NULL";
    TELL = "UPDATE replay SET replayed = replayed + $3, refused = refused + $4, next_at = $5, state = $6, ended_at = $7 \
        WHERE tenant = $1 AND id = $2";
    PRUNE = "DELETE FROM replay WHERE (tenant, id) IN (SELECT tenant, id FROM replay WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)";
}

pub(super) async fn insert(db: &Database, replay: &Replay) -> Result<(), Fault> {
    let mut change = db.change_within(&replay.tenant).await?;
    tenants::require(&mut change, &replay.tenant).await?;
    let filter = serde_json::to_string(&replay.filter).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let insert = sql(INSERT)
        .bind(replay.tenant.as_str())
        .bind(replay.id.0)
        .bind(replay.state.as_str())
        .bind(filter)
        .bind(i32::try_from(replay.rate_per_second).unwrap_or(i32::MAX))
        .bind(stored(replay.count))
        .bind(stored(replay.replayed))
        .bind(stored(replay.refused))
        .bind(Uuid::nil())
        .bind(micros(replay.created_at))
        .bind(replay.created_by.as_str())
        .bind(micros(replay.created_at))
        .bind(maybe_micros(replay.ended_at));
    insert.execute(&mut *change).await?;
    audit::commit(db, change).await
}

pub(super) async fn find(db: &Database, tenant: &TenantId, id: ReplayId) -> Result<Option<Replay>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, tenant: &TenantId, page: PageOf<ReplayId>) -> Result<Page<Replay>, Fault> {
    let before = page.after.map_or(Uuid::max(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(before).bind(one_more(page.first));
    let replays = list.fetch_all(&mut *look).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(replays, page.first, counted(total)))
}

pub(super) async fn stop(
    db: &Database,
    tenant: &TenantId,
    id: ReplayId,
    now: Timestamp,
) -> Result<Option<Replay>, Fault> {
    let mut change = db.change_of(tenant).await?;
    let stopped = sql(STOP).bind(tenant.as_str()).bind(id.0).bind(micros(now)).execute(&mut *change).await?;
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *change).await?;
    if stopped.rows_affected() > 0 {
        audit::commit(db, change).await?;
    }
    row.as_ref().map(read).transpose()
}

pub(super) async fn next(db: &Database) -> Result<Option<(Replay, ExecutionId, Timestamp)>, Fault> {
    let row = sql(NEXT).fetch_optional(&mut *db.reads().await?).await?;
    row.map(|row| {
        let columns = Columns::of("replay", &row);
        Ok((read(&row)?, ExecutionId(columns.get("done_to")?), columns.time("next_at")?))
    })
    .transpose()
}

pub(super) async fn take_step(db: &Database, replay: &Replay, step: &ReplayStep) -> Result<bool, Fault> {
    let mut change = db.change_of(&replay.tenant).await?;
    let this = |text| sql(text).bind(replay.tenant.as_str()).bind(replay.id.0);
    let moved = this(MOVE).bind(step.from.0).bind(step.to.0).execute(&mut *change).await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let mut held = Vec::with_capacity(step.deliveries.len());
    for delivery in &step.deliveries {
        if deliveries::hold_target(&mut change, delivery).await? {
            held.push(delivery);
        }
    }
    let gone = step.deliveries.len() - held.len();
    // Places after targets, as everywhere.
    let ordered = held.iter().filter(|delivery| delivery.ordering == DeliveryOrdering::PerObject).count();
    let mut places = match ordered {
        0 => 0..0,
        count => order::take_places(&mut change, count).await? + 1..i64::MAX,
    };
    for delivery in &held {
        let place = if delivery.ordering == DeliveryOrdering::PerObject { places.next() } else { None };
        deliveries::insert_one(&mut change, delivery, deliveries::Claim::Anybody, place).await?;
    }
    let (state, ended_at) = match step.next_at {
        Some(_) => (ReplayState::Running, None),
        None => (ReplayState::Done, Some(step.now)),
    };
    let tell = this(TELL)
        .bind(stored(u64::try_from(held.len()).unwrap_or(u64::MAX)))
        .bind(stored(step.refused + u64::try_from(gone).unwrap_or(0)))
        .bind(micros(step.next_at.unwrap_or(step.now)))
        .bind(state.as_str())
        .bind(maybe_micros(ended_at));
    tell.execute(&mut *change).await?;
    change.commit().await?;
    Ok(true)
}

pub(super) async fn prune(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let prune = sql(PRUNE).bind(micros(before)).bind(i64::from(max));
    Ok(prune.execute(&mut *db.writes().await?).await?.rows_affected())
}

fn read(row: &Row) -> Result<Replay, Fault> {
    let columns = Columns::of("replay", row);
    let count = |column| columns.get::<i64>(column).map(counted);
    Ok(Replay {
        id: ReplayId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        state: columns.word("state", read_state)?,
        filter: columns.word("filter", |text| serde_json::from_str(&text))?,
        rate_per_second: u32::try_from(columns.get::<i32>("rate")?).unwrap_or(1),
        count: count("total")?,
        replayed: count("replayed")?,
        refused: count("refused")?,
        created_by: columns.get("created_by")?,
        created_at: columns.time("created_at")?,
        ended_at: columns.maybe_time("ended_at")?,
    })
}

fn read_state(word: String) -> Result<ReplayState, UnknownWord> {
    use ReplayState as S;
    [S::Running, S::Done, S::Stopped].into_iter().find(|state| state.as_str() == word).ok_or(UnknownWord(word))
}

/// A count as it is stored.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
