//! Many rows at once: here one by one, because a statement costs no round trip.

use std::collections::HashSet;

use tidegate_model::ExecutionId;
use uuid::Uuid;

use super::dialect::{Connection, Row};
use super::portable::order::{Chain, Ended};
use crate::fault::Fault;
use crate::record::{DeliveryRow, EventRow, KeptRow, RecordRow};

statements! {
    INSERT_EVENT = "INSERT INTO event (tenant, id, taken_at, body) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, id) DO NOTHING";
    INSERT_DELIVERY = "INSERT INTO delivery (tenant, id, integration, status, trigger, started_at, event_id, object_type, object_id, \
        next_at, holder, leased_until, place, parked, search, body) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
    CLAIM_OF = concat!(
        "WITH due AS MATERIALIZED (SELECT tenant, id FROM delivery WHERE integration = $5 AND next_at <= $2 \
         AND (leased_until IS NULL OR leased_until <= $2) ORDER BY next_at, id LIMIT $4) ",
        claim_due!()
    );
    KEEP = concat!("UPDATE delivery SET status = $3, search = $4, body = $5, next_at = CASE WHEN ", has_integration!(), " THEN $6 \
        ELSE started_at END, holder = $7, leased_until = $8, parked = CASE WHEN $8 IS NULL THEN $9 ELSE parked END \
        WHERE tenant = $1 AND id = $2 AND holder = $10 AND ($8 IS NULL OR ", has_integration!(), ")");
    INSERT_EXECUTION = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, \
        object_id, search, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant, id) DO NOTHING";
    END_DELIVERY = "DELETE FROM delivery WHERE tenant = $1 AND id = $2 AND holder = $3 \
        RETURNING id, place, tenant, integration, object_type, object_id";
    FREE_FIRST = "UPDATE delivery SET next_at = started_at WHERE next_at = 9223372036854775807 AND tenant = $1 AND id = \
        (SELECT id FROM delivery WHERE tenant = $1 AND integration = $2 AND object_type = $3 AND object_id = $4 \
        AND place IS NOT NULL ORDER BY place LIMIT 1)";
}

/// Inserts records; one that is there stays as it is.
pub(crate) async fn insert_executions(connection: &mut Connection, rows: Vec<RecordRow<'_>>) -> sqlx::Result<()> {
    for row in rows {
        let insert = sqlx::query(INSERT_EXECUTION)
            .bind(row.tenant)
            .bind(row.id)
            .bind(row.integration)
            .bind(row.status)
            .bind(row.trigger)
            .bind(row.started_at)
            .bind(row.event_id)
            .bind(row.object_type)
            .bind(row.object_id)
            .bind(row.search)
            .bind(row.body);
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Inserts events; answers which their tenants, who are held, have not seen before.
pub(crate) async fn insert_events(
    connection: &mut Connection,
    rows: Vec<EventRow<'_>>,
    taken_at: i64,
) -> sqlx::Result<HashSet<(String, String)>> {
    let mut new = HashSet::with_capacity(rows.len());
    for row in rows {
        let insert = sqlx::query(INSERT_EVENT).bind(row.tenant).bind(row.id).bind(taken_at).bind(row.body);
        if insert.execute(&mut *connection).await?.rows_affected() == 1 {
            new.insert((row.tenant.to_owned(), row.id.to_owned()));
        }
    }
    Ok(new)
}

/// Inserts deliveries; answers which were not there.
pub(crate) async fn insert_deliveries(
    connection: &mut Connection,
    rows: Vec<DeliveryRow<'_>>,
) -> sqlx::Result<Vec<ExecutionId>> {
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        let insert = sqlx::query(INSERT_DELIVERY)
            .bind(row.tenant)
            .bind(row.id)
            .bind(row.integration)
            .bind(row.status)
            .bind(row.trigger)
            .bind(row.started_at)
            .bind(row.event_id)
            .bind(row.object_type)
            .bind(row.object_id)
            .bind(row.next_at)
            .bind(row.lease.map(|(holder, _)| holder))
            .bind(row.lease.map(|(_, until)| until))
            .bind(row.place)
            .bind(row.parked)
            .bind(row.search)
            .bind(row.body);
        if insert.execute(&mut *connection).await?.rows_affected() == 1 {
            new.push(ExecutionId(row.id));
        }
    }
    Ok(new)
}

/// Leases up to so many of each of these Integrations.
pub(crate) async fn claim_of(
    connection: &mut Connection,
    holder: Uuid,
    (now, leased_until): (i64, i64),
    lanes: &[(Uuid, i64)],
) -> sqlx::Result<Vec<Row>> {
    let mut claimed = Vec::new();
    for (integration, most) in lanes {
        let claim = sqlx::query(CLAIM_OF).bind(holder).bind(now).bind(leased_until).bind(*most).bind(*integration);
        claimed.extend(claim.fetch_all(&mut *connection).await?);
    }
    Ok(claimed)
}

/// Stores what became of deliveries that stay open, where `holder` has them; answers which.
pub(crate) async fn keep_deliveries(
    connection: &mut Connection,
    rows: Vec<KeptRow<'_>>,
    holder: Uuid,
) -> sqlx::Result<Vec<Uuid>> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let keep = sqlx::query(KEEP)
            .bind(row.tenant)
            .bind(row.id)
            .bind(row.status)
            .bind(row.search)
            .bind(row.body)
            .bind(row.next_at)
            .bind(row.leased_until.map(|_| holder))
            .bind(row.leased_until)
            .bind(row.parked)
            .bind(holder);
        if keep.execute(&mut *connection).await?.rows_affected() == 1 {
            kept.push(row.id);
        }
    }
    Ok(kept)
}

/// Deletes those of these deliveries that `holder` has; answers which.
pub(crate) async fn end_deliveries(
    connection: &mut Connection,
    keys: &[(&str, Uuid)],
    holder: Uuid,
) -> Result<Vec<Ended>, Fault> {
    let mut ended = Vec::with_capacity(keys.len());
    for (tenant, id) in keys {
        let end = sqlx::query(END_DELIVERY).bind(*tenant).bind(*id).bind(holder);
        ended.extend(end.fetch_optional(&mut *connection).await?.as_ref().map(Ended::read).transpose()?);
    }
    Ok(ended)
}

/// Makes the first of each chain due, where it waits; answers how many did.
pub(crate) async fn free_firsts(connection: &mut Connection, chains: &[Chain]) -> sqlx::Result<u64> {
    let mut freed = 0;
    for chain in chains {
        let free = sqlx::query(FREE_FIRST)
            .bind(chain.tenant.as_str())
            .bind(chain.integration)
            .bind(chain.object_type.as_str())
            .bind(chain.object_id.as_str());
        freed += free.execute(&mut *connection).await?.rows_affected();
    }
    Ok(freed)
}
