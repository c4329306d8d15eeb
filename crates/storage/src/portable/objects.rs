//! Object types and domain objects.

use std::collections::BTreeSet;

use tidegate_model::{Error, Json, Object, ObjectId, ObjectType, ObjectTypeId, Page, PageOf, TenantId, TypeName};

use super::super::dialect::{Connection, Row};
use super::row::Columns;
use super::{Database, audit, counted, micros, number, one_more, outbox, sql, tenants};
use crate::contract::{ObjectWrite, WriteConflict};
use crate::fault::{Fault, taken};

statements! {
    INSERT_TYPE = "INSERT INTO object_type (tenant, id, name, schema) VALUES ($1, $2, $3, $4)";
    FIND_TYPE = "SELECT id, tenant, name, schema FROM object_type WHERE tenant = $1 AND name = $2";
    LIST_TYPES = "SELECT id, tenant, name, schema FROM object_type WHERE tenant = $1 ORDER BY name";
    UPDATE_TYPE = "UPDATE object_type SET schema = $3 WHERE tenant = $1 AND name = $2";
    LOCK_TYPE = concat!("SELECT name FROM object_type WHERE tenant = $1 AND name = $2", dialect!(exclusively));
    ANY_OF_TYPE = "SELECT 1 FROM object WHERE tenant = $1 AND object_type = $2 LIMIT 1";
    DELETE_TYPE = "DELETE FROM object_type WHERE tenant = $1 AND name = $2";
    HOLD_TYPE = concat!("SELECT name FROM object_type WHERE tenant = $1 AND name = $2", dialect!(key_share));
    FIND = "SELECT seq, tenant, object_type, id, data, version, created_at, updated_at, created_by, updated_by \
        FROM object WHERE tenant = $1 AND object_type = $2 AND id = $3";
    LIST = "SELECT seq, tenant, object_type, id, data, version, created_at, updated_at, created_by, updated_by \
        FROM object WHERE tenant = $1 AND object_type = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    COUNT = "SELECT COUNT(*) FROM object WHERE tenant = $1 AND object_type = $2";
    INSERT = "INSERT INTO object (tenant, object_type, id, data, version, updated_at, updated_by, created_at, created_by) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, object_type, id) DO NOTHING";
    UPDATE = "UPDATE object SET data = $4, version = $5, updated_at = $6, updated_by = $7 \
        WHERE tenant = $1 AND object_type = $2 AND id = $3 AND version = $8";
    DELETE = "DELETE FROM object WHERE tenant = $1 AND object_type = $2 AND id = $3 AND version = $4";
}

const TYPE_KIND: &str = "ObjectType";

pub(super) async fn insert_type(db: &Database, object_type: &ObjectType) -> Result<(), Fault> {
    let mut change = db.change_within(&object_type.tenant).await?;
    tenants::require(&mut change, &object_type.tenant).await?;
    let insert = sql(INSERT_TYPE)
        .bind(object_type.tenant.as_str())
        .bind(object_type.id.0)
        .bind(object_type.name.as_str())
        .bind(object_type.schema.as_ref().map(Json::as_str));
    insert.execute(&mut *change).await.map_err(|e| taken(e, TYPE_KIND, &object_type.name))?;
    audit::commit(db, change).await
}

pub(super) async fn update_type(db: &Database, object_type: &ObjectType) -> Result<(), Fault> {
    let mut change = db.change_of(&object_type.tenant).await?;
    let update = sql(UPDATE_TYPE)
        .bind(object_type.tenant.as_str())
        .bind(object_type.name.as_str())
        .bind(object_type.schema.as_ref().map(Json::as_str));
    if update.execute(&mut *change).await?.rows_affected() == 0 {
        return Err(Error::not_found(TYPE_KIND, &object_type.name).into());
    }
    audit::commit(db, change).await
}

pub(super) async fn delete_type(db: &Database, tenant: &TenantId, name: &TypeName) -> Result<(), Fault> {
    let mut change = db.change_of(tenant).await?;
    let of_type = |statement| sql(statement).bind(tenant.as_str()).bind(name.as_str());
    // Who writes an object holds its type: from here on there are no new ones.
    if of_type(LOCK_TYPE).fetch_optional(&mut *change).await?.is_none() {
        return Err(Error::not_found(TYPE_KIND, name).into());
    }
    if of_type(ANY_OF_TYPE).fetch_optional(&mut *change).await?.is_some() {
        return Err(Error::InvalidOperation(format!("there are objects of the type {name}")).into());
    }
    of_type(DELETE_TYPE).execute(&mut *change).await?;
    audit::commit(db, change).await
}

pub(super) async fn find_type(db: &Database, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Fault> {
    let row = sql(FIND_TYPE)
        .bind(tenant.as_str())
        .bind(name.as_str())
        .fetch_optional(&mut *db.read_of(tenant).await?)
        .await?;
    row.as_ref().map(read_type).transpose()
}

pub(super) async fn list_types(db: &Database, tenant: &TenantId) -> Result<Vec<ObjectType>, Fault> {
    sql(LIST_TYPES)
        .bind(tenant.as_str())
        .fetch_all(&mut *db.read_of(tenant).await?)
        .await?
        .iter()
        .map(read_type)
        .collect()
}

pub(super) async fn find(
    db: &Database,
    tenant: &TenantId,
    object_type: &TypeName,
    id: &ObjectId,
) -> Result<Option<Object>, Fault> {
    let find = sql(FIND).bind(tenant.as_str()).bind(object_type.as_str()).bind(id.as_str());
    let row = find.fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(|row| read(row).map(|(_, object)| object)).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    object_type: &TypeName,
    page: PageOf<i64>,
) -> Result<Page<(i64, Object)>, Fault> {
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str()).bind(object_type.as_str())).await?;
    let list = sql(LIST)
        .bind(tenant.as_str())
        .bind(object_type.as_str())
        .bind(page.after.unwrap_or(0))
        .bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let objects = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(objects, page.first, counted(total)))
}

pub(super) async fn write(db: &Database, writes: &[ObjectWrite]) -> Result<WriteConflict, Fault> {
    let tenants = writes.iter().map(|write| &write.object.tenant).collect::<BTreeSet<_>>();
    let mut change = match tenants.first() {
        Some(tenant) if tenants.len() == 1 => db.change_within(tenant).await?,
        _ => db.change().await?,
    };
    for tenant in tenants {
        tenants::hold(&mut change, tenant).await?;
    }
    for (index, write) in writes.iter().enumerate() {
        let Object { tenant, object_type, .. } = &write.object;
        let hold = sql(HOLD_TYPE).bind(tenant.as_str()).bind(object_type.as_str());
        if hold.fetch_optional(&mut *change).await?.is_none() {
            return Err(Error::not_found(TYPE_KIND, object_type).into());
        }
        if !write_one(&mut change, write).await? {
            return Ok(WriteConflict::At(index));
        }
    }
    outbox::commit(db, change, writes.iter().map(|write| &write.event)).await?;
    Ok(WriteConflict::None)
}

async fn write_one(connection: &mut Connection, write: &ObjectWrite) -> Result<bool, Fault> {
    let object = &write.object;
    let named = |statement| {
        sql(statement).bind(object.tenant.as_str()).bind(object.object_type.as_str()).bind(object.id.as_str())
    };
    let state = |statement| {
        named(statement)
            .bind(object.data.as_str())
            .bind(object.version)
            .bind(micros(object.updated_at))
            .bind(object.updated_by.as_str())
    };
    let statement = match write.expected {
        None if write.delete => return Ok(false),
        None => state(INSERT).bind(micros(object.created_at)).bind(object.created_by.as_str()),
        Some(version) if write.delete => named(DELETE).bind(version),
        Some(version) => state(UPDATE).bind(version),
    };
    Ok(statement.execute(connection).await?.rows_affected() == 1)
}

fn read_type(row: &Row) -> Result<ObjectType, Fault> {
    let columns = Columns::of("object_type", row);
    let schema: Option<String> = columns.get("schema")?;
    Ok(ObjectType {
        id: ObjectTypeId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        name: columns.text("name")?,
        schema: schema.map(Json::trusted),
    })
}

fn read(row: &Row) -> Result<(i64, Object), Fault> {
    let columns = Columns::of("object", row);
    let object = Object {
        tenant: columns.text("tenant")?,
        object_type: columns.text("object_type")?,
        id: columns.text("id")?,
        data: columns.json("data")?,
        version: columns.get("version")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
        created_by: columns.get("created_by")?,
        updated_by: columns.get("updated_by")?,
    };
    Ok((columns.get("seq")?, object))
}
