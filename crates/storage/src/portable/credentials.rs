//! Credentials, as ciphertexts with their data keys beside them.

use tidegate_model::{CredentialId, Error, Event, Page, PageOf, TenantId};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, micros, number, one_more, outbox, sql, tenants};
use crate::codec::read_credential_kind;
use crate::contract::{CredentialRow, LockedCredential};
use crate::fault::{Fault, dangling, taken};
use crate::naming::names_credential;

/// What is read of one, up to the condition.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.tenant, c.name, c.kind, c.description, c.version, c.data_key, c.sealed, c.created_at, c.updated_at, \
             k.sealed AS locked_key FROM credential c JOIN data_key k ON k.tenant = c.tenant AND k.id = c.data_key ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO credential \
        (tenant, id, description, version, data_key, sealed, updated_at, name, kind, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND = select!("WHERE c.tenant = $1 AND c.id = $2");
    FIND_NAMED = select!("WHERE c.tenant = $1 AND c.name = $2");
    LIST = select!("WHERE c.tenant = $1 AND c.id > $2 ORDER BY c.id LIMIT $3");
    COUNT = "SELECT COUNT(*) FROM credential WHERE tenant = $1";
    // Only from the version before: of two who change the same one, the second changes nothing.
    UPDATE = "UPDATE credential SET description = $3, version = $4, data_key = $5, sealed = $6, updated_at = $7 \
        WHERE tenant = $1 AND id = $2 AND version = $4 - 1";
    EXISTS = "SELECT id FROM credential WHERE tenant = $1 AND id = $2";
    DELETE = "DELETE FROM credential WHERE tenant = $1 AND id = $2 RETURNING name";
    SETTINGS = "SELECT id, name, settings FROM integration WHERE tenant = $1 AND settings <> '{}' ORDER BY name";
}

const KIND: &str = "Credential";

pub(super) async fn insert(db: &Database, credential: &CredentialRow, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_within(&credential.tenant).await?;
    tenants::require(&mut change, &credential.tenant).await?;
    let insert = bind(INSERT, credential)
        .bind(credential.name.as_str())
        .bind(credential.kind.as_str())
        .bind(micros(credential.created_at));
    insert.execute(&mut *change).await.map_err(|e| without_key(taken(e, KIND, &credential.name), credential))?;
    outbox::commit(db, change, [event]).await
}

pub(super) async fn find(
    db: &Database,
    tenant: &TenantId,
    id: CredentialId,
) -> Result<Option<LockedCredential>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn find_named(
    db: &Database,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<LockedCredential>, Fault> {
    let row = sql(FIND_NAMED).bind(tenant.as_str()).bind(name).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    page: PageOf<CredentialId>,
) -> Result<Page<LockedCredential>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(after).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let credentials = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(credentials, page.first, counted(total)))
}

pub(super) async fn update(db: &Database, credential: &CredentialRow, event: &Event) -> Result<(), Fault> {
    let (tenant, id) = (&credential.tenant, credential.id);
    let mut change = db.change_of(tenant).await?;
    let update = bind(UPDATE, credential).execute(&mut *change).await;
    if update.map_err(|e| without_key(e.into(), credential))?.rows_affected() == 0 {
        let there = sql(EXISTS).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *change).await?;
        return Err(match there {
            None => Error::not_found(KIND, id),
            Some(_) => Error::InvalidOperation(format!("Credential {id} was changed meanwhile")),
        }
        .into());
    }
    outbox::commit(db, change, [event]).await
}

pub(super) async fn delete(db: &Database, tenant: &TenantId, id: CredentialId, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(tenant).await?;
    let deleted = sql(DELETE).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *change).await?;
    let deleted = deleted.ok_or_else(|| Error::not_found(KIND, id))?;
    let name: String = Columns::of("credential", &deleted).get("name")?;
    for row in sql(SETTINGS).bind(tenant.as_str()).fetch_all(&mut *change).await? {
        let columns = Columns::of("integration", &row);
        let settings = columns.word("settings", |text| serde_json::from_str(&text))?;
        if names_credential(&settings, &name) {
            let user: String = columns.get("name")?;
            let refusal = format!("Credential {name} is named by the settings of Integration {user}");
            return Err(Error::InvalidOperation(refusal).into());
        }
    }
    outbox::commit(db, change, [event]).await
}

/// A data key goes with its tenant alone.
fn without_key(fault: Fault, credential: &CredentialRow) -> Fault {
    dangling(fault, || Error::TenantNotFound(credential.tenant.to_string()))
}

fn bind(statement: &'static str, credential: &CredentialRow) -> super::Statement {
    sql(statement)
        .bind(credential.tenant.as_str())
        .bind(credential.id.0)
        .bind(credential.description.as_deref())
        .bind(credential.version)
        .bind(credential.data_key)
        .bind(credential.sealed.as_slice())
        .bind(micros(credential.updated_at))
}

fn read(row: &Row) -> Result<LockedCredential, Fault> {
    let columns = Columns::of("credential", row);
    let credential = CredentialRow {
        id: CredentialId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        name: columns.get("name")?,
        kind: columns.word("kind", read_credential_kind)?,
        description: columns.get("description")?,
        version: columns.get("version")?,
        data_key: columns.get("data_key")?,
        sealed: columns.get("sealed")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    };
    Ok(LockedCredential { row: credential, key: columns.get("locked_key")? })
}
