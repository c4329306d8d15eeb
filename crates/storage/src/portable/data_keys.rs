//! The keys that tenants' secrets are sealed with, and what is done to every sealed key when the operator's key changes.

use tidegate_model::{Error, IntegrationId, TenantId};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, Statement, micros, sql};
use crate::contract::{DataKeyRow, SealedWebhookKey};
use crate::fault::{Fault, dangling};

statements! {
    INSERT = "INSERT INTO data_key (tenant, id, sealed, created_at) VALUES ($1, $2, $3, $4)";
    NEWEST = "SELECT tenant, id, sealed, created_at FROM data_key WHERE tenant = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
    LIST = "SELECT tenant, id, sealed, created_at FROM data_key WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3";
    LIST_WEBHOOK_KEYS = "SELECT tenant, integration, sealed FROM webhook_key WHERE (tenant, integration) > ($1, $2) \
        ORDER BY tenant, integration LIMIT $3";
    // Only what was read: a key that was made anew meanwhile stays.
    RESEAL = "UPDATE data_key SET sealed = $4 WHERE tenant = $1 AND id = $2 AND sealed = $3";
    RESEAL_WEBHOOK_KEY = "UPDATE webhook_key SET sealed = $4 WHERE tenant = $1 AND integration = $2 AND sealed = $3";
    RESEAL_SIGNING_KEY = "UPDATE signing_key SET sealed = $3 WHERE id = $1 AND sealed = $2";
}

pub(super) async fn insert(db: &Database, key: &DataKeyRow) -> Result<(), Fault> {
    let insert =
        sql(INSERT).bind(key.tenant.as_str()).bind(key.id).bind(key.sealed.as_slice()).bind(micros(key.created_at));
    let gone = || Error::TenantNotFound(key.tenant.to_string());
    let mut change = db.change_within(&key.tenant).await?;
    insert.execute(&mut *change).await.map_err(|e| dangling(e.into(), gone))?;
    change.commit().await?;
    Ok(())
}

pub(super) async fn newest(db: &Database, tenant: &TenantId) -> Result<Option<DataKeyRow>, Fault> {
    let row = sql(NEWEST).bind(tenant.as_str()).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, after: Option<(TenantId, Uuid)>, max: u32) -> Result<Vec<DataKeyRow>, Fault> {
    let (tenant, id) = after.map_or_else(first, |(tenant, id)| (tenant.into(), id));
    let rows = sql(LIST).bind(tenant).bind(id).bind(i64::from(max)).fetch_all(&mut *db.reads().await?).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn list_webhook_keys(
    db: &Database,
    after: Option<(TenantId, IntegrationId)>,
    max: u32,
) -> Result<Vec<SealedWebhookKey>, Fault> {
    let (tenant, id) = after.map_or_else(first, |(tenant, id)| (tenant.into(), id.0));
    let rows =
        sql(LIST_WEBHOOK_KEYS).bind(tenant).bind(id).bind(i64::from(max)).fetch_all(&mut *db.reads().await?).await?;
    let keys = rows.iter().map(|row| {
        let columns = Columns::of("webhook_key", row);
        Ok(SealedWebhookKey {
            tenant: columns.text("tenant")?,
            integration: IntegrationId(columns.get("integration")?),
            sealed: columns.get("sealed")?,
        })
    });
    keys.collect()
}

pub(super) async fn reseal(db: &Database, tenant: &TenantId, id: Uuid, from: &[u8], to: &[u8]) -> Result<bool, Fault> {
    replaced(db, sql(RESEAL).bind(tenant.as_str()).bind(id).bind(from).bind(to)).await
}

pub(super) async fn reseal_webhook_key(
    db: &Database,
    tenant: &TenantId,
    integration: IntegrationId,
    from: &[u8],
    to: &[u8],
) -> Result<bool, Fault> {
    let reseal = sql(RESEAL_WEBHOOK_KEY).bind(tenant.as_str()).bind(integration.0).bind(from).bind(to);
    replaced(db, reseal).await
}

pub(super) async fn reseal_signing_key(db: &Database, id: &str, from: &[u8], to: &[u8]) -> Result<bool, Fault> {
    replaced(db, sql(RESEAL_SIGNING_KEY).bind(id).bind(from).bind(to)).await
}

async fn replaced(db: &Database, update: Statement) -> Result<bool, Fault> {
    Ok(update.execute(&mut *db.writes().await?).await?.rows_affected() == 1)
}

/// Before every key of every tenant.
fn first() -> (String, Uuid) {
    (String::new(), Uuid::nil())
}

fn read(row: &Row) -> Result<DataKeyRow, Fault> {
    let columns = Columns::of("data_key", row);
    Ok(DataKeyRow {
        id: columns.get("id")?,
        tenant: columns.text("tenant")?,
        sealed: columns.get("sealed")?,
        created_at: columns.time("created_at")?,
    })
}
