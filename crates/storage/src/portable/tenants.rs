//! Tenants.

use tidegate_model::{Error, Page, PageOf, Tenant, TenantId};

use super::super::dialect::{self, Connection, Row};
use super::row::Columns;
use super::{Database, audit, counted, micros, number, one_more, sql};
use crate::fault::{Fault, taken};

statements! {
    INSERT = "INSERT INTO tenant (id, name, created_at) VALUES ($1, $2, $3)";
    FIND = "SELECT id, name, created_at FROM tenant WHERE id = $1";
    LIST = "SELECT id, name, created_at FROM tenant WHERE id > $1 ORDER BY id LIMIT $2";
    COUNT = "SELECT COUNT(*) FROM tenant";
    // Before the rest, because Logics do not go while an Integration uses them, and events not while a delivery does.
    DELETE_DELIVERIES = "DELETE FROM delivery WHERE tenant = $1";
    DELETE_INTEGRATIONS = "DELETE FROM integration WHERE tenant = $1";
    DELETE_EVENTS = "DELETE FROM event WHERE tenant = $1";
    DELETE = "DELETE FROM tenant WHERE id = $1 RETURNING id, name, created_at";
    LOCK = concat!("SELECT id FROM tenant WHERE id = $1", dialect!(exclusively));
    // Held until the end of the transaction, so that what is inserted for a tenant goes with it.
    HOLD = concat!("SELECT id FROM tenant WHERE id = $1", dialect!(key_share));
}

pub(super) async fn insert(db: &Database, tenant: &Tenant) -> Result<(), Fault> {
    let insert = sql(INSERT).bind(tenant.id.as_str()).bind(tenant.name.as_str()).bind(micros(tenant.created_at));
    let mut change = db.change().await?;
    insert.execute(&mut *change).await.map_err(|e| taken(e, "Tenant", &tenant.id))?;
    audit::commit(db, change).await
}

pub(super) async fn find(db: &Database, id: &TenantId) -> Result<Option<Tenant>, Fault> {
    let row = sql(FIND).bind(id.as_str()).fetch_optional(&mut *db.reads().await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, page: PageOf<TenantId>) -> Result<Page<Tenant>, Fault> {
    let after = page.after.as_ref().map_or("", TenantId::as_str);
    let mut look = db.look().await?;
    let total = number(&mut look, sql(COUNT)).await?;
    let rows = sql(LIST).bind(after).bind(one_more(page.first)).fetch_all(&mut *look).await?;
    let tenants = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(tenants, page.first, counted(total)))
}

pub(super) async fn delete(db: &Database, id: &TenantId) -> Result<Option<Tenant>, Fault> {
    // Its own entry in the audit log is no tenant's.
    let mut change = db.change().await?;
    for statement in
        [LOCK, DELETE_INTEGRATIONS, DELETE_DELIVERIES, DELETE_EVENTS].into_iter().chain(dialect::FORGET_TENANT)
    {
        sql(statement).bind(id.as_str()).execute(&mut *change).await?;
    }
    let Some(row) = sql(DELETE).bind(id.as_str()).fetch_optional(&mut *change).await? else { return Ok(None) };
    audit::commit(db, change).await?;
    read(&row).map(Some)
}

/// Keeps the tenant from being deleted until this transaction ends; `false` when there is none.
pub(super) async fn hold(connection: &mut Connection, id: &TenantId) -> Result<bool, Fault> {
    Ok(sql(HOLD).bind(id.as_str()).fetch_optional(connection).await?.is_some())
}

/// As [`hold`], and refuses when there is none.
pub(super) async fn require(connection: &mut Connection, id: &TenantId) -> Result<(), Fault> {
    if hold(connection, id).await? { Ok(()) } else { Err(Error::TenantNotFound(id.to_string()).into()) }
}

fn read(row: &Row) -> Result<Tenant, Fault> {
    let columns = Columns::of("tenant", row);
    Ok(Tenant { id: columns.text("id")?, name: columns.get("name")?, created_at: columns.time("created_at")? })
}
