//! Integrations whose deliveries wait, and since when calls fail.

use tidegate_model::{Event, IntegrationId, Json, Pause, TenantId, Timestamp};

use super::row::Columns;
use super::{Database, micros, outbox, sql};
use crate::fault::Fault;

statements! {
    PAUSE = "UPDATE integration SET paused_at = $3, pause_reason = $4 WHERE tenant = $1 AND id = $2 AND paused_at IS NULL";
    RESUME = "UPDATE integration SET paused_at = NULL, pause_reason = NULL, failing_since = NULL \
        WHERE tenant = $1 AND id = $2 AND paused_at IS NOT NULL";
    FAILED = "UPDATE integration SET failing_since = COALESCE(failing_since, $3) WHERE tenant = $1 AND id = $2 \
        RETURNING id, failing_since";
    FAILING = "SELECT id FROM integration WHERE tenant = $1 AND id = $2 AND failing_since IS NOT NULL";
    ARRIVED = "UPDATE integration SET failing_since = NULL WHERE tenant = $1 AND id = $2 AND failing_since IS NOT NULL";
    PAUSED = concat!("SELECT id FROM integration WHERE paused_at IS NOT NULL AND id IN (", dialect!(listed), ")");
}

pub(super) async fn pause(
    db: &Database,
    tenant: &TenantId,
    id: IntegrationId,
    pause: Pause,
    event: &Event,
) -> Result<bool, Fault> {
    let mut change = db.change_of(tenant).await?;
    let update = sql(PAUSE).bind(tenant.as_str()).bind(id.0).bind(micros(pause.since)).bind(pause.reason.as_str());
    if update.execute(&mut *change).await?.rows_affected() == 0 {
        return Ok(false);
    }
    outbox::commit(db, change, [event]).await?;
    Ok(true)
}

pub(super) async fn resume(db: &Database, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<bool, Fault> {
    let mut change = db.change_of(tenant).await?;
    let update = sql(RESUME).bind(tenant.as_str()).bind(id.0);
    if update.execute(&mut *change).await?.rows_affected() == 0 {
        return Ok(false);
    }
    outbox::commit(db, change, [event]).await?;
    Ok(true)
}

pub(super) async fn note_failure(
    db: &Database,
    tenant: &TenantId,
    id: IntegrationId,
    at: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let update = sql(FAILED).bind(tenant.as_str()).bind(id.0).bind(micros(at));
    let row = update.fetch_optional(&mut *db.writes().await?).await?;
    row.map(|row| Columns::of("integration", &row).time("failing_since")).transpose()
}

pub(super) async fn note_arrival(db: &Database, tenant: &TenantId, id: IntegrationId) -> Result<(), Fault> {
    // Mostly there is nothing to write.
    if sql(FAILING).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.reads().await?).await?.is_none() {
        return Ok(());
    }
    sql(ARRIVED).bind(tenant.as_str()).bind(id.0).execute(&mut *db.writes().await?).await?;
    Ok(())
}

pub(super) async fn paused(db: &Database, ids: &[IntegrationId]) -> Result<Vec<IntegrationId>, Fault> {
    let rows = sql(PAUSED).bind(Json::of(&ids).to_string()).fetch_all(&mut *db.reads().await?).await?;
    rows.iter().map(|row| Columns::of("integration", row).get("id").map(IntegrationId)).collect()
}
