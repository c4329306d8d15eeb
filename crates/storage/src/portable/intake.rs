//! What comes from the log: the position, events, and what is kept aside.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tidegate_model::contract::Position;
use tidegate_model::{Delivery, DeliveryOrdering, Error, Event, EventId, ExecutionId, TenantId, Timestamp};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::Connection;
use super::deliveries::{self, Claim, Inserted};
use super::row::Columns;
use super::{Database, aside, counted, micros, number, order, sql, tenants};
use crate::body;
use crate::contract::Intake;
use crate::fault::Fault;
use crate::record::EventRow;

statements! {
    POSITION = "SELECT position FROM intake WHERE name = 'events'";
    // Whoever moves it first wins; another one that read the same position changes nothing.
    MOVE = "UPDATE intake SET position = $2 WHERE name = 'events' AND position = $1";
    LOG = "SELECT position FROM intake WHERE name = 'log'";
    KEEP_LOG = "INSERT INTO intake (name, position) VALUES ('log', $1) \
        ON CONFLICT (name) DO UPDATE SET position = excluded.position";
    FIND_EVENT = "SELECT id, body FROM event WHERE tenant = $1 AND id = $2";
}

pub(super) async fn position(db: &Database) -> Result<Position, Fault> {
    let mut connection = db.reads().await?;
    Ok(counted(number(&mut connection, sql(POSITION)).await?))
}

/// When a log was made stands where positions do.
pub(super) async fn log(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let row = sql(LOG).fetch_optional(&mut *db.reads().await?).await?;
    row.map(|row| Columns::of("intake", &row).time("position")).transpose()
}

pub(super) async fn begin_log(db: &Database, made: Timestamp, (from, to): (Position, Position)) -> Result<bool, Fault> {
    let mut change = db.change().await?;
    if sql(MOVE).bind(place(from)).bind(place(to)).execute(&mut *change).await?.rows_affected() == 0 {
        return Ok(false);
    }
    sql(KEEP_LOG).bind(micros(made)).execute(&mut *change).await?;
    change.commit().await?;
    Ok(true)
}

pub(super) async fn take_in(
    db: &Database,
    (from, to): (Position, Position),
    intake: &Intake,
    holder: Uuid,
    leased_until: Timestamp,
    now: Timestamp,
) -> Result<Option<Vec<ExecutionId>>, Fault> {
    let mut change = db.change().await?;
    if sql(MOVE).bind(place(from)).bind(place(to)).execute(&mut *change).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let claim = |delivery: &Delivery| {
        let waits = intake.waiting.contains(&delivery.execution.id);
        if waits { Claim::Lane } else { Claim::Of(holder, leased_until) }
    };
    let mut in_order = Vec::new();
    let mut rows = Vec::new();
    let mut events = Vec::with_capacity(intake.events.len());
    let (mut tenants_held, mut targets_held) = (HashMap::new(), HashMap::new());
    for (event, _) in &intake.events {
        let held = match tenants_held.entry(&event.tenant) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(tenants::hold(&mut change, &event.tenant).await?),
        };
        if !held {
            return Err(Error::TenantNotFound(event.tenant.to_string()).into());
        }
        events.push(EventRow { tenant: event.tenant.as_str(), id: event.id.as_str(), body: body::pack(event)? });
    }
    // Of those that come twice in one batch, the first counts.
    let mut fresh = bulk::insert_events(&mut change, events, micros(now)).await?;
    for (event, due) in &intake.events {
        if !fresh.remove(&(event.tenant.to_string(), event.id.to_string())) {
            continue;
        }
        for delivery in due {
            let target = (&delivery.execution.tenant, delivery.execution.integration);
            let held = match targets_held.entry(target) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => *unknown.insert(deliveries::hold_target(&mut change, delivery).await?),
            };
            if !held {
                continue;
            }
            match delivery.ordering {
                DeliveryOrdering::PerObject => in_order.push(delivery),
                DeliveryOrdering::None => rows.push(deliveries::row(delivery, claim(delivery))?),
            }
        }
    }
    let mut new = bulk::insert_deliveries(&mut change, rows).await?;
    new.retain(|id| !intake.waiting.contains(id));
    // Last, so that those who end deliveries of an order wait for little.
    if !in_order.is_empty() {
        let before = order::take_places(&mut change, in_order.len()).await?;
        for (delivery, place) in in_order.into_iter().zip(before + 1..) {
            new.extend(insert(&mut change, delivery, claim(delivery), place).await?);
        }
    }
    for kept in &intake.aside {
        aside::insert(&mut change, kept).await?;
    }
    change.commit().await?;
    Ok(Some(new))
}

pub(super) async fn event(db: &Database, tenant: &TenantId, id: &EventId) -> Result<Option<Event>, Fault> {
    let row =
        sql(FIND_EVENT).bind(tenant.as_str()).bind(id.as_str()).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.map(|row| Columns::of("event", &row).body("body")).transpose()
}

/// Its id, when it is new and leased.
async fn insert(
    connection: &mut Connection,
    delivery: &Delivery,
    claim: Claim,
    place: i64,
) -> Result<Option<ExecutionId>, Fault> {
    let inserted = deliveries::insert_one(connection, delivery, claim, Some(place)).await?;
    let leased = inserted == Inserted::There && matches!(claim, Claim::Of(..));
    Ok(leased.then_some(delivery.execution.id))
}

/// A position as it is stored.
fn place(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
