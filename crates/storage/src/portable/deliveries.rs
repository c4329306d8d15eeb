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
use crate::contract::{Hold, Kept, Settled};
use crate::fault::{Fault, dangling};
use crate::record::{DeliveryRow, KeptRow, RecordRow};

statements! {
    // Held until the end of the transaction: a delivery of an Integration that is being deleted is not made, and stops nothing.
    HOLD_INTEGRATION = concat!("SELECT id FROM integration WHERE tenant = $1 AND id = $2", dialect!(key_share));
    CANCEL = "DELETE FROM delivery WHERE tenant = $1 AND id = $2 AND (leased_until IS NULL OR leased_until <= $3) \
        RETURNING id, place, tenant, integration, object_type, object_id, body";
}

/// Who has one that is new.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim {
    /// This one, until then.
    Of(Uuid, Timestamp),
    /// Whoever claims it.
    Anybody,
    /// Nobody, until there is room in its lane.
    Lane,
}

pub(super) async fn insert(db: &Database, delivery: &Delivery) -> Result<(), Fault> {
    let mut change = db.change_of(&delivery.execution.tenant).await?;
    if !hold_target(&mut change, delivery).await? {
        return Err(Error::not_found("Integration", delivery.execution.integration).into());
    }
    let place = match delivery.ordering {
        DeliveryOrdering::None => None,
        DeliveryOrdering::PerObject => Some(order::take_places(&mut change, 1).await? + 1),
    };
    let inserted = insert_one(&mut change, delivery, Claim::Anybody, place).await;
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
    /// It is there, as it was asked for.
    There,
    /// It is there, and waits for another one.
    Waits,
    /// It was there already.
    Known,
}

/// Inserts one whose Integration is held. With a place, which is held too, it waits while others of its chain are open.
pub(super) async fn insert_one(
    connection: &mut Connection,
    delivery: &Delivery,
    claim: Claim,
    place: Option<i64>,
) -> Result<Inserted, Fault> {
    let waits = place.is_some() && order::is_open(connection, delivery).await?;
    let mut row = row(delivery, if waits { Claim::Anybody } else { claim })?;
    row.place = place;
    if waits {
        row.next_at = order::NEVER;
    }
    let inserted = bulk::insert_deliveries(connection, vec![row]).await?;
    Ok(match (inserted.is_empty(), waits) {
        (true, _) => Inserted::Known,
        (false, true) => Inserted::Waits,
        (false, false) => Inserted::There,
    })
}

/// One that is new, and is in no order.
pub(super) fn row(delivery: &Delivery, claim: Claim) -> Result<DeliveryRow<'_>, Fault> {
    let (record, event) = (&delivery.execution, &delivery.event);
    Ok(DeliveryRow {
        tenant: record.tenant.as_str(),
        id: record.id.0,
        integration: record.integration.0,
        status: record.status.as_str(),
        trigger: trigger(record.trigger),
        started_at: micros(record.started_at),
        event_id: event.id.as_str(),
        object_type: event.object_type.as_str(),
        object_id: event.object_id.as_str(),
        next_at: micros(delivery.next_at),
        lease: if let Claim::Of(holder, until) = claim { Some((holder, micros(until))) } else { None },
        place: None,
        parked: matches!(claim, Claim::Lane),
        search: body::search_text(record),
        body: body::pack(&DeliveryBody { execution: record, plan: delivery.plan.as_ref() })?,
    })
}

/// Stores what became of it, and who has it from now on, if `holder` has it still.
pub(super) async fn save(db: &Database, delivery: &Delivery, holder: Uuid, hold: Hold) -> Result<bool, Fault> {
    let settled = settle(db, &[], &[Kept { delivery, hold }], holder).await?;
    Ok(!settled.kept.is_empty())
}

pub(super) async fn settle(
    db: &Database,
    records: &[Execution],
    kept: &[Kept<'_>],
    holder: Uuid,
) -> Result<Settled, Fault> {
    let keys: Vec<_> = records.iter().map(|record| (record.tenant.as_str(), record.id.0)).collect();
    let kept = kept.iter().map(KeptRow::of).collect::<Result<Vec<_>, _>>()?;
    let mut change = db.change().await?;
    for tenant in records.iter().map(|record| &record.tenant).collect::<BTreeSet<_>>() {
        tenants::hold(&mut change, tenant).await?;
    }
    let kept = if kept.is_empty() { Vec::new() } else { bulk::keep_deliveries(&mut change, kept, holder).await? };
    let kept = kept.into_iter().map(ExecutionId).collect();
    if records.is_empty() {
        change.commit().await?;
        return Ok(Settled { freed: false, kept });
    }
    let ended = bulk::end_deliveries(&mut change, &keys, holder).await?;
    let ids: HashSet<_> = ended.iter().map(|one| one.id).collect();
    let gone = records.iter().filter(|record| ids.contains(&record.id.0));
    let rows = gone.map(RecordRow::of).collect::<Result<_, _>>()?;
    bulk::insert_executions(&mut change, rows).await?;
    let freed = order::free(&mut change, &ended).await?;
    change.commit().await?;
    Ok(Settled { freed, kept })
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
