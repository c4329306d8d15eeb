//! Logics and their immutable versions.

use std::sync::Arc;

use tidegate_model::{Error, Event, Logic, LogicId, Page, PageOf, TenantId};
use uuid::Uuid;

use super::super::dialect::{Connection, Row};
use super::row::Columns;
use super::{Database, counted, micros, number, one_more, outbox, sql, tenants};
use crate::codec::{logic_kind, read_logic_kind};
use crate::fault::{Fault, dangling, taken};

statements! {
    INSERT = "INSERT INTO logic (tenant, id, name, kind, description, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    INSERT_VERSION = "INSERT INTO logic_version (tenant, logic, version, source, created_at) VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT l.id, l.tenant, l.name, l.kind, l.description, l.created_at, v.version, v.source, v.created_at AS updated_at \
        FROM logic l JOIN logic_version v ON v.tenant = l.tenant AND v.logic = l.id \
        WHERE l.tenant = $1 AND l.id = $2 AND v.version = COALESCE($3, l.version)";
    LIST = "SELECT l.id, l.tenant, l.name, l.kind, l.description, l.created_at, v.version, v.source, v.created_at AS updated_at \
        FROM logic l JOIN logic_version v ON v.tenant = l.tenant AND v.logic = l.id AND v.version = l.version \
        WHERE l.tenant = $1 AND l.id > $2 ORDER BY l.id LIMIT $3";
    COUNT = "SELECT COUNT(*) FROM logic WHERE tenant = $1";
    // Only from the version before: of two who add the same one, the second changes nothing.
    ADVANCE = "UPDATE logic SET version = $3, description = $4 WHERE tenant = $1 AND id = $2 AND version = $3 - 1";
    DESCRIBE = "UPDATE logic SET description = $3 WHERE tenant = $1 AND id = $2";
    DELETE = "DELETE FROM logic WHERE tenant = $1 AND id = $2";
    HOLD = concat!("SELECT id FROM logic WHERE tenant = $1 AND id = $2", dialect!(key_share));
}

const KIND: &str = "Logic";

pub(super) async fn insert(db: &Database, logic: &Logic, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_within(&logic.tenant).await?;
    tenants::require(&mut change, &logic.tenant).await?;
    let insert = sql(INSERT)
        .bind(logic.tenant.as_str())
        .bind(logic.id.0)
        .bind(logic.name.as_str())
        .bind(logic_kind(logic.kind))
        .bind(logic.description.as_deref())
        .bind(logic.version)
        .bind(micros(logic.created_at));
    insert.execute(&mut *change).await.map_err(|e| taken(e, KIND, &logic.name))?;
    insert_version(&mut change, logic).await?;
    outbox::commit(db, change, [event]).await
}

pub(super) async fn find(
    db: &Database,
    tenant: &TenantId,
    id: LogicId,
    version: Option<i32>,
) -> Result<Option<Logic>, Fault> {
    let row = sql(FIND)
        .bind(tenant.as_str())
        .bind(id.0)
        .bind(version)
        .fetch_optional(&mut *db.read_of(tenant).await?)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, tenant: &TenantId, page: PageOf<LogicId>) -> Result<Page<Logic>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(after).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let logics = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(logics, page.first, counted(total)))
}

pub(super) async fn add_version(db: &Database, logic: &Logic, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(&logic.tenant).await?;
    let advance = sql(ADVANCE)
        .bind(logic.tenant.as_str())
        .bind(logic.id.0)
        .bind(logic.version)
        .bind(logic.description.as_deref());
    if advance.execute(&mut *change).await?.rows_affected() == 0 {
        require(&mut change, &logic.tenant, logic.id).await?;
        let refusal =
            format!("version {} of Logic {} is not the next one: it was changed meanwhile", logic.version, logic.id);
        return Err(Error::InvalidOperation(refusal).into());
    }
    insert_version(&mut change, logic).await?;
    outbox::commit(db, change, [event]).await
}

pub(super) async fn describe(db: &Database, logic: &Logic, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(&logic.tenant).await?;
    let describe = sql(DESCRIBE).bind(logic.tenant.as_str()).bind(logic.id.0).bind(logic.description.as_deref());
    if describe.execute(&mut *change).await?.rows_affected() == 0 {
        return Err(Error::not_found(KIND, logic.id).into());
    }
    outbox::commit(db, change, [event]).await
}

pub(super) async fn delete(db: &Database, tenant: &TenantId, id: LogicId, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(tenant).await?;
    let delete = sql(DELETE).bind(tenant.as_str()).bind(id.0).execute(&mut *change).await;
    let done = delete
        .map_err(|e| dangling(e.into(), || Error::InvalidOperation(format!("Logic {id} is used by an Integration"))))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(KIND, id).into());
    }
    outbox::commit(db, change, [event]).await
}

/// Keeps the Logic from being deleted until this transaction ends, and refuses when the tenant has none of that id.
pub(super) async fn require(connection: &mut Connection, tenant: &TenantId, id: LogicId) -> Result<(), Fault> {
    let held = sql(HOLD).bind(tenant.as_str()).bind(id.0).fetch_optional(connection).await?;
    if held.is_some() { Ok(()) } else { Err(Error::not_found(KIND, id).into()) }
}

async fn insert_version(connection: &mut Connection, logic: &Logic) -> Result<(), Fault> {
    let insert = sql(INSERT_VERSION)
        .bind(logic.tenant.as_str())
        .bind(logic.id.0)
        .bind(logic.version)
        .bind(logic.source.as_ref())
        .bind(micros(logic.updated_at));
    insert.execute(connection).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Logic, Fault> {
    let columns = Columns::of("logic", row);
    Ok(Logic {
        id: LogicId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        name: columns.get("name")?,
        kind: columns.word("kind", read_logic_kind)?,
        description: columns.get("description")?,
        source: Arc::from(columns.get::<&str>("source")?),
        version: columns.get("version")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}
