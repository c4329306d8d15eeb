//! OAuth2 clients. Their foreign keys end them with their owner.

use std::collections::BTreeSet;

use tidegate_model::{
    ApplicationId, Client, ClientId, ClientOwner, Error, IntegrationSystemId, Resource, RuntimeId, Scope, SecretHash,
    TenantId,
};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, applications, audit, integration_systems, micros, runtimes, sql, tenants};
use crate::codec::{UnknownWord, owner_kind};
use crate::contract::OwnerKind;
use crate::fault::{Fault, dangling, taken};

statements! {
    INSERT = "INSERT INTO client (id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "SELECT id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at \
        FROM client WHERE id = $1";
    LIST = "SELECT id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at \
        FROM client WHERE COALESCE(integration_system, application, runtime) = $1 ORDER BY created_at, id";
    LIST_ADMINISTRATORS = "SELECT id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at \
        FROM client WHERE COALESCE(integration_system, application, runtime) IS NULL ORDER BY created_at, id";
    DELETE = "DELETE FROM client WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL) \
        RETURNING id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at";
}

const KIND: &str = "Client";

/// The owner's foreign key is checked with the insert: without the owner there is no client.
pub(super) async fn insert(db: &Database, client: &Client, secret: SecretHash) -> Result<(), Fault> {
    let scopes = client.scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(" ");
    let (system, application, runtime) = owner_ids(&client.owner);
    let insert = sql(INSERT)
        .bind(client.id.0)
        .bind(owner_kind(&client.owner))
        .bind(client.owner.tenant().map(TenantId::as_str))
        .bind(system)
        .bind(application)
        .bind(runtime)
        .bind(scopes)
        .bind(secret.0.to_vec())
        .bind(micros(client.created_at));
    let mut change = db.change().await?;
    if let Some(tenant) = client.owner.tenant() {
        tenants::hold(&mut change, tenant).await?;
    }
    insert.execute(&mut *change).await.map_err(|e| {
        dangling(taken(e, KIND, client.id), || match &client.owner {
            ClientOwner::Administrator => Error::not_found(KIND, client.id),
            ClientOwner::IntegrationSystem(id) => Error::not_found(integration_systems::KIND, id),
            ClientOwner::Application(_, id) => Error::not_found(applications::KIND, id),
            ClientOwner::Runtime(_, id) => Error::not_found(runtimes::KIND, id),
        })
    })?;
    audit::commit(db, change).await
}

pub(super) async fn find(db: &Database, id: ClientId) -> Result<Option<(Client, SecretHash)>, Fault> {
    let Some(row) = sql(FIND).bind(id.0).fetch_optional(db.reads()).await? else { return Ok(None) };
    let secret = Columns::of("client", &row).hash("secret")?;
    Ok(Some((read(&row)?, SecretHash(secret))))
}

pub(super) async fn list(db: &Database, owner: &ClientOwner) -> Result<Vec<Client>, Fault> {
    let list = match owner_ids(owner) {
        (None, None, None) => sql(LIST_ADMINISTRATORS),
        (system, application, runtime) => sql(LIST).bind(system.or(application).or(runtime)),
    };
    let rows = list.fetch_all(db.reads()).await?;
    let mut clients = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    clients.retain(|client| client.owner == *owner);
    Ok(clients)
}

pub(super) async fn delete(db: &Database, id: ClientId, belongs: &OwnerKind) -> Result<Client, Fault> {
    let (kind, tenant) = match belongs {
        OwnerKind::IntegrationSystem => ("INTEGRATION_SYSTEM", None),
        OwnerKind::Application(tenant) => ("APPLICATION", Some(tenant)),
        OwnerKind::Runtime(tenant) => ("RUNTIME", Some(tenant)),
    };
    let mut change = db.change().await?;
    if let Some(tenant) = tenant {
        tenants::hold(&mut change, tenant).await?;
    }
    let delete = sql(DELETE).bind(id.0).bind(kind).bind(tenant.map(|tenant| tenant.as_str().to_owned()));
    let deleted = delete.fetch_optional(&mut *change).await?.ok_or_else(|| Error::not_found(KIND, id))?;
    audit::commit(db, change).await?;
    read(&deleted)
}

fn owner_ids(owner: &ClientOwner) -> (Option<Uuid>, Option<Uuid>, Option<Uuid>) {
    match owner {
        ClientOwner::Administrator => (None, None, None),
        ClientOwner::IntegrationSystem(id) => (Some(id.0), None, None),
        ClientOwner::Application(_, id) => (None, Some(id.0), None),
        ClientOwner::Runtime(_, id) => (None, None, Some(id.0)),
    }
}

fn read(row: &Row) -> Result<Client, Fault> {
    let columns = Columns::of("client", row);
    let kind: String = columns.get("owner_kind")?;
    let owner = match kind.as_str() {
        "ADMINISTRATOR" => ClientOwner::Administrator,
        "INTEGRATION_SYSTEM" => ClientOwner::IntegrationSystem(IntegrationSystemId(columns.get("integration_system")?)),
        "APPLICATION" => ClientOwner::Application(columns.text("tenant")?, ApplicationId(columns.get("application")?)),
        "RUNTIME" => ClientOwner::Runtime(columns.text("tenant")?, RuntimeId(columns.get("runtime")?)),
        _ => return Err(columns.bad("owner_kind", UnknownWord(kind))),
    };
    let mut scopes = columns
        .word("scopes", |text| text.split_whitespace().map(str::parse).collect::<Result<BTreeSet<Scope>, _>>())?;
    // An administrator that was made before there was an audit log has every scope, and so this one too.
    let audit_log = Scope::Read(Resource::AuditLog);
    let has_all = || Scope::all().iter().all(|scope| *scope == audit_log || scopes.contains(scope));
    if owner == ClientOwner::Administrator && has_all() {
        scopes.insert(audit_log);
    }
    Ok(Client { id: ClientId(columns.get("id")?), owner, scopes, created_at: columns.time("created_at")? })
}
