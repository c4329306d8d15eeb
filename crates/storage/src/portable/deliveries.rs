//! Open deliveries: made, saved, released, ended.

use std::collections::{BTreeSet, HashSet};

use tidegate_model::{
    AuditEntry, Delivery, DeliveryOrdering, Error, Execution, ExecutionId, Status, TenantId, Timestamp,
};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::Connection;
use super::order::{self, Ended};
use super::row::Columns;
use super::{Database, audit, micros, sql, tenants};
use crate::body::{self, DeliveryBody, OwnedDeliveryBody};
use crate::codec::trigger;
use crate::fault::{Fault, dangling};
use crate::record::RecordRow;

statements! {
    // Held until the end of the transaction: a delivery of an Integration that is being deleted is not made, and stops nothing.
    HOLD_INTEGRATION = concat!("SELECT id FROM integration WHERE tenant = $1 AND id = $2", dialect!(key_share));
    INSERT = "INSERT INTO delivery (tenant, id, status, search, body, next_at, holder, leased_until, integration, trigger, \
        started_at, event_id, object_type, object_id, place) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";
    SAVE = "UPDATE delivery SET status = $3, search = $4, body = $5, next_at = $6, holder = $7, leased_until = $8 \
        WHERE tenant = $1 AND id = $2 AND holder = $9";
    CANCEL = "DELETE FROM delivery WHERE tenant = $1 AND id = $2 AND (leased_until IS NULL OR leased_until <= $3) \
        RETURNING id, place, tenant, integration, object_type, object_id, body";
}

/// Who holds it, until when.
pub(super) type Lease = Option<(Uuid, Timestamp)>;

pub(super) async fn insert(db: &Database, delivery: &Delivery) -> Result<(), Fault> {
    let mut change = db.change_of(&delivery.execution.tenant).await?;
    if !hold_target(&mut change, delivery).await? {
        return Err(Error::not_found("Integration", delivery.execution.integration).into());
    }
    let place = match delivery.ordering {
        DeliveryOrdering::None => None,
        DeliveryOrdering::PerObject => Some(order::take_places(&mut change, 1).await? + 1),
    };
    let inserted = insert_one(&mut change, delivery, None, place).await;
    inserted.map_err(|e| dangling(e, || Error::not_found("Event", &delivery.event.id)))?;
    audit::commit(db, change).await
}

/// Keeps its Integration from being deleted until this transaction ends; `false` when it is gone.
pub(super) async fn hold_target(connection: &mut Connection, delivery: &Delivery) -> Result<bool, Fault> {
    let record = &delivery.execution;
    let hold = sql(HOLD_INTEGRATION).bind(record.tenant.as_str()).bind(record.integration.0);
    Ok(hold.fetch_optional(connection).await?.is_some())
}

/// What an insert came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is there, with the lease that was asked for.
    Leased,
    /// It is there, and waits for another one.
    Waits,
    /// It was there already.
    Known,
}

/// Inserts one whose Integration is held. With a place, which is held too, it waits while others of its chain are open.
pub(super) async fn insert_one(
    connection: &mut Connection,
    delivery: &Delivery,
    lease: Lease,
    place: Option<i64>,
) -> Result<Inserted, Fault> {
    let (record, event) = (&delivery.execution, &delivery.event);
    let waits = place.is_some() && order::is_open(connection, delivery).await?;
    let (due, lease) = if waits { (order::NEVER, None) } else { (micros(delivery.next_at), lease) };
    let insert = bind(INSERT, delivery, due, lease)?
        .bind(record.integration.0)
        .bind(trigger(record.trigger))
        .bind(micros(record.started_at))
        .bind(event.id.as_str())
        .bind(event.object_type.as_str())
        .bind(event.object_id.as_str())
        .bind(place);
    Ok(match insert.execute(connection).await?.rows_affected() {
        0 => Inserted::Known,
        _ if waits => Inserted::Waits,
        _ => Inserted::Leased,
    })
}

/// Stores what became of it, with the lease that it has from now on, if `holder` has it still.
pub(super) async fn save(db: &Database, delivery: &Delivery, holder: Uuid, lease: Lease) -> Result<bool, Fault> {
    let save = bind(SAVE, delivery, micros(delivery.next_at), lease)?.bind(holder);
    Ok(save.execute(db.writes()).await?.rows_affected() == 1)
}

pub(super) async fn finish(db: &Database, records: &[Execution], holder: Uuid) -> Result<bool, Fault> {
    let keys: Vec<_> = records.iter().map(|record| (record.tenant.as_str(), record.id.0)).collect();
    let mut change = db.change().await?;
    for tenant in records.iter().map(|record| &record.tenant).collect::<BTreeSet<_>>() {
        tenants::hold(&mut change, tenant).await?;
    }
    let ended = bulk::end_deliveries(&mut change, &keys, holder).await?;
    let ids: HashSet<_> = ended.iter().map(|one| one.id).collect();
    let gone = records.iter().filter(|record| ids.contains(&record.id.0));
    let rows = gone.map(RecordRow::of).collect::<Result<_, _>>()?;
    bulk::insert_executions(&mut change, rows).await?;
    let freed = order::free(&mut change, &ended).await?;
    change.commit().await?;
    Ok(freed)
}

/// Ends those that are not leased; answers their records.
pub(super) async fn cancel(
    db: &Database,
    tenant: &TenantId,
    ids: &[ExecutionId],
    error: &str,
    now: Timestamp,
) -> Result<Vec<Execution>, Fault> {
    let mut change = db.change_of(tenant).await?;
    let (mut ended, mut records) = (Vec::new(), Vec::new());
    for id in ids {
        let cancel = sql(CANCEL).bind(tenant.as_str()).bind(id.0).bind(micros(now));
        let Some(row) = cancel.fetch_optional(&mut *change).await? else { continue };
        let OwnedDeliveryBody { execution, .. } = Columns::of("delivery", &row).body("body")?;
        ended.push(Ended::read(&row)?);
        records.push(Execution {
            status: Status::Failed,
            error: Some(error.to_owned()),
            finished_at: Some(now),
            next_attempt_at: None,
            ..execution
        });
    }
    let rows = records.iter().map(RecordRow::of).collect::<Result<_, _>>()?;
    bulk::insert_executions(&mut change, rows).await?;
    order::free(&mut change, &ended).await?;
    let cancelled: HashSet<_> = records.iter().map(|record| record.id.to_string()).collect();
    let is_cancelled = |entry: &AuditEntry| entry.made.id.as_ref().is_some_and(|id| cancelled.contains(id));
    audit::leave(db, &mut change, is_cancelled).await?;
    change.commit().await?;
    Ok(records)
}

fn bind(statement: &'static str, delivery: &Delivery, due: i64, lease: Lease) -> Result<super::Statement, Fault> {
    let record = &delivery.execution;
    let packed = body::pack(&DeliveryBody { execution: record, plan: delivery.plan.as_ref() })?;
    Ok(sql(statement)
        .bind(record.tenant.as_str())
        .bind(record.id.0)
        .bind(record.status.as_str())
        .bind(body::search_text(record))
        .bind(packed)
        .bind(due)
        .bind(lease.map(|(holder, _)| holder))
        .bind(lease.map(|(_, until)| micros(until))))
}
