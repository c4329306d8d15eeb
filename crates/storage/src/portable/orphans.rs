//! Deliveries whose Integration is gone. None goes without a record.
//!
//! Those that nobody has in hand end with the Integration, as FAILED: so many in the transaction that deletes it, and others after it, a few at
//! a time, because a backlog may be long and others wait for the database. Who has one in hand ends it himself, by what came of its call, or
//! gives it back. What is left, because somebody died or was stopped on the way, housekeeping ends.

use tidegate_model::{Execution, IntegrationId, Status, TenantId, Timestamp};

use super::super::bulk;
use super::super::dialect::{Connection, Row};
use super::order::{self, Ended};
use super::row::Columns;
use super::{Database, micros, sql};
use crate::body::OwnedDeliveryBody;
use crate::fault::Fault;
use crate::record::RecordRow;

statements! {
    // The lease is asked for twice: somebody may lease one while another one of them is waited for.
    END = "DELETE FROM delivery WHERE (tenant, id) IN (SELECT tenant, id FROM delivery WHERE tenant = $1 AND integration = $2 \
        AND (leased_until IS NULL OR leased_until <= $3) ORDER BY id LIMIT $4) AND (leased_until IS NULL OR leased_until <= $3) \
        RETURNING id, place, tenant, integration, object_type, object_id, body";
    // From one Integration to the next, and not from row to row.
    OWED_BY_NOBODY = "WITH RECURSIVE owed (integration) AS (\
        SELECT * FROM (SELECT integration FROM delivery ORDER BY integration LIMIT 1) AS first \
        UNION ALL SELECT (SELECT d.integration FROM delivery d WHERE d.integration > owed.integration \
        ORDER BY d.integration LIMIT 1) FROM owed WHERE owed.integration IS NOT NULL) \
        SELECT integration AS id, tenant FROM (SELECT integration, \
        (SELECT d.tenant FROM delivery d WHERE d.integration = owed.integration ORDER BY d.next_at LIMIT 1) AS tenant FROM owed \
        WHERE integration IS NOT NULL) AS whose \
        WHERE NOT EXISTS (SELECT 1 FROM integration i WHERE i.tenant = whose.tenant AND i.id = whose.integration)";
}

/// How many end in one transaction: others wait for the database no longer than that takes.
pub(super) const STEP: u64 = 500;

/// What their records say.
const WHY: &str = "the Integration was deleted";

/// Ends up to `max` of an Integration's that nobody has in hand; answers how many.
pub(super) async fn end(
    change: &mut Connection,
    tenant: &TenantId,
    integration: IntegrationId,
    now: Timestamp,
    max: u64,
) -> Result<u64, Fault> {
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let end = sql(END).bind(tenant.as_str()).bind(integration.0).bind(micros(now)).bind(max);
    let rows = end.fetch_all(&mut *change).await?;
    let ended = rows.iter().map(Ended::read).collect::<Result<Vec<_>, _>>()?;
    let records: Vec<_> = rows.iter().filter_map(|row| record(row, now)).collect();
    if !records.is_empty() {
        let records = records.iter().map(RecordRow::of).collect::<Result<_, _>>()?;
        bulk::insert_executions(&mut *change, records).await?;
    }
    order::free(change, &ended).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// As [`end`], in a transaction of its own.
pub(super) async fn end_more(
    db: &Database,
    tenant: &TenantId,
    integration: IntegrationId,
    now: Timestamp,
    max: u64,
) -> Result<u64, Fault> {
    let mut change = db.change_of(tenant).await?;
    let ended = end(&mut change, tenant, integration, now, max).await?;
    change.commit().await?;
    Ok(ended)
}

/// Whose deliveries are left of Integrations that are not there.
pub(super) async fn integrations(db: &Database) -> Result<Vec<(TenantId, IntegrationId)>, Fault> {
    let rows = sql(OWED_BY_NOBODY).fetch_all(&mut *db.reads().await?).await?;
    let whose = rows.iter().map(|row| {
        let columns = Columns::of("delivery", row);
        Ok((columns.text("tenant")?, IntegrationId(columns.get("id")?)))
    });
    whose.collect()
}

/// The record of one; of one that cannot be read there is none, and it stands in nobody's way.
fn record(row: &Row, now: Timestamp) -> Option<Execution> {
    match Columns::of("delivery", row).body::<OwnedDeliveryBody>("body") {
        Ok(OwnedDeliveryBody { execution, .. }) => Some(Execution {
            status: Status::Failed,
            error: Some(WHY.to_owned()),
            finished_at: Some(now),
            next_attempt_at: None,
            ..execution
        }),
        Err(fault) => {
            tracing::error!(?fault, "a delivery of a deleted Integration cannot be read, and leaves no record");
            None
        }
    }
}
