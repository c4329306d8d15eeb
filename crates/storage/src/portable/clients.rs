//! OAuth2 clients. Their foreign keys end them with their owner.

use std::collections::BTreeSet;

use tidegate_model::{
    ApplicationId, Client, ClientId, ClientOwner, ClientSecret, ClientSecretId, ClientSecrets, Error,
    IntegrationSystemId, Resource, RuntimeId, Scope, SecretHash, TenantId,
};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, Statement, applications, audit, integration_systems, micros, runtimes, sql};
use crate::codec::{UnknownWord, owner_kind};
use crate::contract::OwnerKind;
use crate::fault::{Fault, dangling, taken};

/// The columns that [`read`] reads.
macro_rules! columns {
    () => {
        "id, owner_kind, tenant, integration_system, application, runtime, service, scopes, created_at, \
            secret, secret_id, secret_created_at, second_secret, second_secret_id, second_secret_created_at"
    };
}
pub(super) use columns;

statements! {
    INSERT = "INSERT INTO client (id, owner_kind, tenant, integration_system, application, runtime, scopes, created_at, \
        secret, secret_id, secret_created_at, service) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    FIND = concat!("SELECT ", columns!(), " FROM client WHERE id = $1");
    FIND_BELONGING = concat!("SELECT ", columns!(), " FROM client WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL)");
    LIST = concat!("SELECT ", columns!(), " FROM client WHERE COALESCE(integration_system, application, runtime) = $1 \
        ORDER BY created_at, id");
    LIST_ADMINISTRATORS = concat!("SELECT ", columns!(), " FROM client \
        WHERE COALESCE(integration_system, application, runtime) IS NULL AND owner_kind = 'ADMINISTRATOR' ORDER BY created_at, id");
    LIST_SERVICES = concat!("SELECT ", columns!(), " FROM client \
        WHERE COALESCE(integration_system, application, runtime) IS NULL AND owner_kind = 'SERVICE' ORDER BY created_at, id");
    DELETE = concat!("DELETE FROM client WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL) RETURNING ", columns!());
}

pub(super) const KIND: &str = "Client";

/// The owner's foreign key is checked with the insert: without the owner there is no client. It has one secret.
pub(super) async fn insert(db: &Database, client: &Client) -> Result<(), Fault> {
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
        .bind(micros(client.created_at))
        .bind(client.secrets.first.hash.0.to_vec())
        .bind(client.secrets.first.id.0)
        .bind(micros(client.secrets.first.created_at))
        .bind(match &client.owner {
            ClientOwner::Service(name) => Some(name.as_str()),
            _ => None,
        });
    let mut change = db.change_as(client.owner.tenant()).await?;
    insert.execute(&mut *change).await.map_err(|e| {
        dangling(taken(e, KIND, client.id), || match &client.owner {
            ClientOwner::Administrator | ClientOwner::Service(_) => Error::not_found(KIND, client.id),
            ClientOwner::IntegrationSystem(id) => Error::not_found(integration_systems::KIND, id),
            ClientOwner::Application(_, id) => Error::not_found(applications::KIND, id),
            ClientOwner::Runtime(_, id) => Error::not_found(runtimes::KIND, id),
        })
    })?;
    audit::commit(db, change).await
}

pub(super) async fn find(db: &Database, id: ClientId) -> Result<Option<Client>, Fault> {
    sql(FIND).bind(id.0).fetch_optional(&mut *db.reads().await?).await?.as_ref().map(read).transpose()
}

pub(super) async fn find_belonging(db: &Database, id: ClientId, belongs: &OwnerKind) -> Result<Option<Client>, Fault> {
    let find = belonging(FIND_BELONGING, id, belongs);
    let row = match belongs.tenant() {
        Some(tenant) => find.fetch_optional(&mut *db.read_of(tenant).await?).await?,
        None => find.fetch_optional(&mut *db.reads().await?).await?,
    };
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(db: &Database, owner: &ClientOwner) -> Result<Vec<Client>, Fault> {
    let list = match (owner, owner_ids(owner)) {
        (ClientOwner::Administrator, _) => sql(LIST_ADMINISTRATORS),
        (ClientOwner::Service(_), _) => sql(LIST_SERVICES),
        (_, (system, application, runtime)) => sql(LIST).bind(system.or(application).or(runtime)),
    };
    let rows = match owner.tenant() {
        Some(tenant) => list.fetch_all(&mut *db.read_of(tenant).await?).await?,
        None => list.fetch_all(&mut *db.reads().await?).await?,
    };
    let mut clients = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    clients.retain(|client| client.owner == *owner);
    Ok(clients)
}

/// All of Tidegate's own services, oldest first.
pub(super) async fn list_services(db: &Database) -> Result<Vec<Client>, Fault> {
    sql(LIST_SERVICES).fetch_all(&mut *db.reads().await?).await?.iter().map(read).collect()
}

pub(super) async fn delete(db: &Database, id: ClientId, belongs: &OwnerKind) -> Result<Client, Fault> {
    let mut change = db.change_as(belongs.tenant()).await?;
    let deleted = belonging(DELETE, id, belongs).fetch_optional(&mut *change).await?;
    let deleted = read(&deleted.ok_or_else(|| Error::not_found(KIND, id))?)?;
    audit::commit(db, change).await?;
    Ok(deleted)
}

/// A statement whose first three parameters say which client, and whose it must be.
pub(super) fn belonging(statement: &'static str, id: ClientId, belongs: &OwnerKind) -> Statement {
    let kind = match belongs {
        OwnerKind::Administrator => "ADMINISTRATOR",
        OwnerKind::Service => "SERVICE",
        OwnerKind::IntegrationSystem => "INTEGRATION_SYSTEM",
        OwnerKind::Application(_) => "APPLICATION",
        OwnerKind::Runtime(_) => "RUNTIME",
    };
    sql(statement).bind(id.0).bind(kind).bind(belongs.tenant().map(ToString::to_string))
}

fn owner_ids(owner: &ClientOwner) -> (Option<Uuid>, Option<Uuid>, Option<Uuid>) {
    match owner {
        ClientOwner::Administrator | ClientOwner::Service(_) => (None, None, None),
        ClientOwner::IntegrationSystem(id) => (Some(id.0), None, None),
        ClientOwner::Application(_, id) => (None, Some(id.0), None),
        ClientOwner::Runtime(_, id) => (None, None, Some(id.0)),
    }
}

pub(super) fn read(row: &Row) -> Result<Client, Fault> {
    let columns = Columns::of("client", row);
    let kind: String = columns.get("owner_kind")?;
    let owner = match kind.as_str() {
        "ADMINISTRATOR" => ClientOwner::Administrator,
        "INTEGRATION_SYSTEM" => ClientOwner::IntegrationSystem(IntegrationSystemId(columns.get("integration_system")?)),
        "APPLICATION" => ClientOwner::Application(columns.text("tenant")?, ApplicationId(columns.get("application")?)),
        "SERVICE" => ClientOwner::Service(columns.get("service")?),
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
    let (id, created_at) = (ClientId(columns.get("id")?), columns.time("created_at")?);
    // Clients of before the version that made second ones say nothing of their secret but its hash.
    let first = ClientSecret {
        id: ClientSecretId(columns.get::<Option<Uuid>>("secret_id")?.unwrap_or(id.0)),
        hash: SecretHash(columns.hash("secret")?),
        created_at: columns.maybe_time("secret_created_at")?.unwrap_or(created_at),
    };
    let second = match columns.get::<Option<Uuid>>("second_secret_id")? {
        None => None,
        Some(id) => Some(ClientSecret {
            id: ClientSecretId(id),
            hash: SecretHash(columns.hash("second_secret")?),
            created_at: columns.time("second_secret_created_at")?,
        }),
    };
    Ok(Client { id, owner, scopes, created_at, secrets: ClientSecrets { first, second } })
}
