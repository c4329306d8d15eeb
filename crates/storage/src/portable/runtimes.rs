//! Runtimes.

use tidegate_model::{Error, Event, Page, PageOf, Runtime, RuntimeId, SystemDetails, TenantId};
use uuid::Uuid;

use super::super::dialect::Row;
use super::applications::details;
use super::row::Columns;
use super::{Database, counted, integration_systems, micros, number, one_more, outbox, sql, tenants};
use crate::fault::{Fault, dangling, taken};

statements! {
    INSERT = "INSERT INTO runtime \
        (tenant, id, name, description, labels, integration_system, updated_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    FIND = "SELECT id, tenant, name, description, labels, integration_system, created_at, updated_at \
        FROM runtime WHERE tenant = $1 AND id = $2";
    LIST = "SELECT id, tenant, name, description, labels, integration_system, created_at, updated_at \
        FROM runtime WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    COUNT = "SELECT COUNT(*) FROM runtime WHERE tenant = $1";
    UPDATE = "UPDATE runtime SET name = $3, description = $4, labels = $5, integration_system = $6, updated_at = $7 \
        WHERE tenant = $1 AND id = $2";
    DELETE = "DELETE FROM runtime WHERE tenant = $1 AND id = $2";
}

/// What errors call it.
pub(super) const KIND: &str = "Runtime";

pub(super) async fn insert(db: &Database, runtime: &Runtime, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_within(&runtime.tenant).await?;
    tenants::require(&mut change, &runtime.tenant).await?;
    let insert = bind(INSERT, runtime).bind(micros(runtime.details.created_at));
    insert.execute(&mut *change).await.map_err(|e| refused(e, &runtime.details))?;
    outbox::commit(db, change, [event]).await
}

pub(super) async fn find(db: &Database, tenant: &TenantId, id: RuntimeId) -> Result<Option<Runtime>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, tenant: &TenantId, page: PageOf<RuntimeId>) -> Result<Page<Runtime>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(after).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let runtimes = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(runtimes, page.first, counted(total)))
}

pub(super) async fn update(db: &Database, runtime: &Runtime, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(&runtime.tenant).await?;
    let update = bind(UPDATE, runtime).execute(&mut *change).await;
    if update.map_err(|e| refused(e, &runtime.details))?.rows_affected() == 0 {
        return Err(Error::not_found(KIND, runtime.id).into());
    }
    outbox::commit(db, change, [event]).await
}

pub(super) async fn delete(db: &Database, tenant: &TenantId, id: RuntimeId, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(tenant).await?;
    let done = sql(DELETE).bind(tenant.as_str()).bind(id.0).execute(&mut *change).await?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(KIND, id).into());
    }
    outbox::commit(db, change, [event]).await
}

/// What a broken key of a Runtime means.
fn refused(error: sqlx::Error, details: &SystemDetails) -> Fault {
    let manager = details.integration_system.map(|id| id.to_string()).unwrap_or_default();
    dangling(taken(error, KIND, &details.name), || Error::not_found(integration_systems::KIND, manager))
}

fn bind(statement: &'static str, runtime: &Runtime) -> super::Statement {
    let details = &runtime.details;
    sql(statement)
        .bind(runtime.tenant.as_str())
        .bind(runtime.id.0)
        .bind(details.name.as_str())
        .bind(details.description.as_deref())
        .bind(details.labels.as_str())
        .bind(details.integration_system.map(|id| id.0))
        .bind(micros(details.updated_at))
}

fn read(row: &Row) -> Result<Runtime, Fault> {
    let columns = Columns::of("runtime", row);
    Ok(Runtime { id: RuntimeId(columns.get("id")?), tenant: columns.text("tenant")?, details: details(&columns)? })
}
