//! Many rows at once: here one by one, because a statement costs no round trip.

use std::collections::HashSet;

use uuid::Uuid;

use super::dialect::Connection;
use crate::record::RecordRow;

statements! {
    INSERT_EXECUTION = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, \
        object_id, search, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant, id) DO NOTHING";
    END_DELIVERY = "DELETE FROM delivery WHERE tenant = $1 AND id = $2 AND holder = $3";
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

/// Deletes those of these deliveries that `holder` has; answers which.
pub(crate) async fn end_deliveries(
    connection: &mut Connection,
    keys: &[(&str, Uuid)],
    holder: Uuid,
) -> sqlx::Result<HashSet<Uuid>> {
    let mut ended = HashSet::new();
    for (tenant, id) in keys {
        let end = sqlx::query(END_DELIVERY).bind(*tenant).bind(*id).bind(holder);
        if end.execute(&mut *connection).await?.rows_affected() == 1 {
            ended.insert(*id);
        }
    }
    Ok(ended)
}
