//! Many rows in one round trip: a column of each as an array.

use uuid::Uuid;

use super::dialect::Connection;
use super::portable::order::{Chain, Ended};
use crate::fault::Fault;
use crate::record::RecordRow;

statements! {
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
