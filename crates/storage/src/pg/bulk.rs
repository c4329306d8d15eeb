//! Many rows in one round trip: a column of each as an array.

use std::collections::HashSet;

use sqlx::Row as _;
use tidegate_model::ExecutionId;
use uuid::Uuid;

use super::dialect::{Connection, Row};
use super::portable::order::{Chain, Ended};
use crate::fault::Fault;
use crate::record::{DeliveryRow, EventRow, KeptRow, RecordRow};

statements! {
    INSERT_EVENTS = "INSERT INTO event (tenant, id, taken_at, body) SELECT tenant, id, $4, body \
        FROM UNNEST($1::text[], $2::text[], $3::bytea[]) AS fresh (tenant, id, body) ON CONFLICT (tenant, id) DO NOTHING RETURNING tenant, id";
    INSERT_DELIVERIES = "INSERT INTO delivery (tenant, id, integration, status, trigger, started_at, event_id, object_type, object_id, \
        next_at, holder, leased_until, place, parked, search, body) SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::uuid[], \
        $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::uuid[], $12::bigint[], \
        $13::bigint[], $14::boolean[], $15::text[], $16::bytea[]) ON CONFLICT DO NOTHING RETURNING id";
    // Each Integration's are asked for on their own: an index has them.
    CLAIM_OF = concat!(
        "WITH due AS MATERIALIZED (SELECT one.tenant, one.id FROM UNNEST($5::uuid[], $4::bigint[]) AS lane (integration, most), \
         LATERAL (SELECT d.tenant, d.id FROM delivery d WHERE d.integration = lane.integration AND d.next_at <= $2 \
         AND (d.leased_until IS NULL OR d.leased_until <= $2) ORDER BY d.next_at, d.id LIMIT lane.most FOR UPDATE SKIP LOCKED) AS one) ",
        claim_due!()
    );
    KEEP = concat!("UPDATE delivery SET status = kept.status, search = kept.search, body = kept.body, \
        next_at = CASE WHEN ", has_integration!(), " THEN kept.next_at ELSE delivery.started_at END, \
        holder = CASE WHEN kept.leased_until IS NULL THEN NULL ELSE $9 END, leased_until = kept.leased_until, \
        parked = CASE WHEN kept.leased_until IS NULL THEN kept.parked ELSE delivery.parked END \
        FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::boolean[]) \
        AS kept (tenant, id, status, search, body, next_at, leased_until, parked) \
        WHERE delivery.tenant = kept.tenant AND delivery.id = kept.id AND delivery.holder = $9 \
        AND (kept.leased_until IS NULL OR ", has_integration!(), ") RETURNING delivery.id");
    INSERT_EXECUTIONS = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, \
        object_id, search, body) SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], \
        $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[]) ON CONFLICT (tenant, id) DO NOTHING";
    END_DELIVERIES = "DELETE FROM delivery WHERE (tenant, id) IN (SELECT * FROM UNNEST($1::text[], $2::uuid[])) AND holder = $3 \
        RETURNING id, place, tenant, integration, object_type, object_id";
    // The first of each chain is asked for on its own: an index has it.
    FREE_FIRSTS = "UPDATE delivery SET next_at = started_at FROM (SELECT first.tenant, first.id \
        FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::text[]) AS chain (tenant, integration, object_type, object_id), \
        LATERAL (SELECT d.tenant, d.id FROM delivery d WHERE d.tenant = chain.tenant AND d.integration = chain.integration \
        AND d.object_type = chain.object_type AND d.object_id = chain.object_id AND d.place IS NOT NULL \
        ORDER BY d.place LIMIT 1) AS first) AS first \
        WHERE delivery.tenant = first.tenant AND delivery.id = first.id AND delivery.next_at = 9223372036854775807";
}

/// Inserts records; one that is there stays as it is.
pub(crate) async fn insert_executions(connection: &mut Connection, rows: Vec<RecordRow<'_>>) -> sqlx::Result<()> {
    let insert = sqlx::query(INSERT_EXECUTIONS)
        .bind(rows.iter().map(|row| row.tenant).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.integration).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.trigger).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.started_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.event_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.object_type).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.object_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.search.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>());
    insert.execute(connection).await?;
    Ok(())
}

/// Inserts events; answers which their tenants, who are held, have not seen before.
pub(crate) async fn insert_events(
    connection: &mut Connection,
    rows: Vec<EventRow<'_>>,
    taken_at: i64,
) -> sqlx::Result<HashSet<(String, String)>> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let insert = sqlx::query(INSERT_EVENTS)
        .bind(rows.iter().map(|row| row.tenant).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
        .bind(taken_at);
    insert.fetch_all(connection).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Inserts deliveries; answers which were not there.
pub(crate) async fn insert_deliveries(
    connection: &mut Connection,
    rows: Vec<DeliveryRow<'_>>,
) -> sqlx::Result<Vec<ExecutionId>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let insert = sqlx::query(INSERT_DELIVERIES)
        .bind(rows.iter().map(|row| row.tenant).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.integration).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.trigger).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.started_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.event_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.object_type).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.object_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.next_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.lease.map(|(holder, _)| holder)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.lease.map(|(_, until)| until)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.place).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.parked).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.search.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>());
    insert.fetch_all(connection).await?.iter().map(|row| row.try_get(0).map(ExecutionId)).collect()
}

/// Leases up to so many of each of these Integrations.
pub(crate) async fn claim_of(
    connection: &mut Connection,
    holder: Uuid,
    (now, leased_until): (i64, i64),
    lanes: &[(Uuid, i64)],
) -> sqlx::Result<Vec<Row>> {
    let (integrations, most): (Vec<Uuid>, Vec<i64>) = lanes.iter().copied().unzip();
    let claim = sqlx::query(CLAIM_OF).bind(holder).bind(now).bind(leased_until).bind(most).bind(integrations);
    claim.fetch_all(connection).await
}

/// Stores what became of deliveries that stay open, where `holder` has them; answers which.
pub(crate) async fn keep_deliveries(
    connection: &mut Connection,
    rows: Vec<KeptRow<'_>>,
    holder: Uuid,
) -> sqlx::Result<Vec<Uuid>> {
    let keep = sqlx::query(KEEP)
        .bind(rows.iter().map(|row| row.tenant).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.search.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.next_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.leased_until).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.parked).collect::<Vec<_>>())
        .bind(holder);
    keep.fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Deletes those of these deliveries that `holder` has; answers which.
pub(crate) async fn end_deliveries(
    connection: &mut Connection,
    keys: &[(&str, Uuid)],
    holder: Uuid,
) -> Result<Vec<Ended>, Fault> {
    let end = sqlx::query(END_DELIVERIES)
        .bind(keys.iter().map(|(tenant, _)| *tenant).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>())
        .bind(holder);
    end.fetch_all(connection).await?.iter().map(Ended::read).collect()
}

/// Makes the first of each chain due, where it waits; answers how many did.
pub(crate) async fn free_firsts(connection: &mut Connection, chains: &[Chain]) -> sqlx::Result<u64> {
    let free = sqlx::query(FREE_FIRSTS)
        .bind(chains.iter().map(|chain| chain.tenant.as_str()).collect::<Vec<_>>())
        .bind(chains.iter().map(|chain| chain.integration).collect::<Vec<_>>())
        .bind(chains.iter().map(|chain| chain.object_type.as_str()).collect::<Vec<_>>())
        .bind(chains.iter().map(|chain| chain.object_id.as_str()).collect::<Vec<_>>());
    Ok(free.execute(connection).await?.rows_affected())
}
