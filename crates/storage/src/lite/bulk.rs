//! Many rows at once: here one by one, because a statement costs no round trip.

use uuid::Uuid;

use super::dialect::Connection;
use super::portable::order::{Chain, Ended};
use crate::fault::Fault;
use crate::record::RecordRow;

statements! {
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
