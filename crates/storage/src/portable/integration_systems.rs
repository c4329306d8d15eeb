//! Integration Systems, which belong to no tenant.

use tidegate_model::{Error, IntegrationSystem, IntegrationSystemId, Page, PageOf};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, audit, counted, number, one_more, sql};
use crate::fault::{Fault, dangling, taken};

statements! {
    INSERT = "INSERT INTO integration_system (id, name, description) VALUES ($1, $2, $3)";
    FIND = "SELECT id, name, description FROM integration_system WHERE id = $1";
    LIST = "SELECT id, name, description FROM integration_system WHERE id > $1 ORDER BY id LIMIT $2";
    COUNT = "SELECT COUNT(*) FROM integration_system";
    UPDATE = "UPDATE integration_system SET name = $2, description = $3 WHERE id = $1";
    DELETE = "DELETE FROM integration_system WHERE id = $1 RETURNING id, name, description";
}

/// What errors call it.
pub(super) const KIND: &str = "IntegrationSystem";

pub(super) async fn insert(db: &Database, system: &IntegrationSystem) -> Result<(), Fault> {
    let insert = sql(INSERT).bind(system.id.0).bind(system.name.as_str()).bind(system.description.as_deref());
    let mut change = db.change().await?;
    insert.execute(&mut *change).await.map_err(|e| taken(e, KIND, &system.name))?;
    audit::commit(db, change).await
}

pub(super) async fn find(db: &Database, id: IntegrationSystemId) -> Result<Option<IntegrationSystem>, Fault> {
    let row = sql(FIND).bind(id.0).fetch_optional(&mut *db.reads().await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, page: PageOf<IntegrationSystemId>) -> Result<Page<IntegrationSystem>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look().await?;
    let total = number(&mut look, sql(COUNT)).await?;
    let rows = sql(LIST).bind(after).bind(one_more(page.first)).fetch_all(&mut *look).await?;
    let systems = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(systems, page.first, counted(total)))
}

pub(super) async fn update(db: &Database, system: &IntegrationSystem) -> Result<(), Fault> {
    let update = sql(UPDATE).bind(system.id.0).bind(system.name.as_str()).bind(system.description.as_deref());
    let mut change = db.change().await?;
    let done = update.execute(&mut *change).await.map_err(|e| taken(e, KIND, &system.name))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(KIND, system.id).into());
    }
    audit::commit(db, change).await
}

/// Its clients go with it by their foreign key; Applications and Runtimes hold it by theirs.
pub(super) async fn delete(db: &Database, id: IntegrationSystemId) -> Result<IntegrationSystem, Fault> {
    let mut change = db.change().await?;
    let deleted = sql(DELETE).bind(id.0).fetch_optional(&mut *change).await.map_err(|e| {
        dangling(e.into(), || {
            Error::InvalidOperation(format!("IntegrationSystem {id} still manages Applications or Runtimes"))
        })
    })?;
    let deleted = deleted.ok_or_else(|| Error::not_found(KIND, id))?;
    audit::commit(db, change).await?;
    read(&deleted)
}

fn read(row: &Row) -> Result<IntegrationSystem, Fault> {
    let columns = Columns::of("integration_system", row);
    Ok(IntegrationSystem {
        id: IntegrationSystemId(columns.get("id")?),
        name: columns.get("name")?,
        description: columns.get("description")?,
    })
}
