//! Many rows in one round trip: a column of each as an array.

use std::collections::HashSet;

use sqlx::Row as _;
use uuid::Uuid;

use super::dialect::Connection;
use crate::record::RecordRow;

statements! {
    INSERT_EXECUTIONS = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, \
        object_id, search, body) SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], \
        $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[]) ON CONFLICT (tenant, id) DO NOTHING";
    END_DELIVERIES = "DELETE FROM delivery WHERE (tenant, id) IN (SELECT * FROM UNNEST($1::text[], $2::uuid[])) AND holder = $3 \
        RETURNING id";
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
) -> sqlx::Result<HashSet<Uuid>> {
    let end = sqlx::query(END_DELIVERIES)
        .bind(keys.iter().map(|(tenant, _)| *tenant).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>())
        .bind(holder);
    end.fetch_all(connection).await?.iter().map(|row| row.try_get("id")).collect()
}
