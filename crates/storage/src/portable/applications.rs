//! Applications.

use tidegate_model::{
    Application, ApplicationId, Error, Event, IntegrationSystemId, Page, PageOf, SystemDetails, TenantId,
};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, integration_systems, micros, number, one_more, outbox, sql, tenants};
use crate::fault::{Fault, dangling, taken};

statements! {
    INSERT = "INSERT INTO application \
        (tenant, id, name, description, labels, integration_system, updated_at, provider_name, base_url, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND = "SELECT id, tenant, name, description, labels, integration_system, created_at, updated_at, provider_name, base_url \
        FROM application WHERE tenant = $1 AND id = $2";
    LIST = "SELECT id, tenant, name, description, labels, integration_system, created_at, updated_at, provider_name, base_url \
        FROM application WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    COUNT = "SELECT COUNT(*) FROM application WHERE tenant = $1";
    UPDATE = "UPDATE application SET name = $3, description = $4, labels = $5, integration_system = $6, updated_at = $7, \
        provider_name = $8, base_url = $9 WHERE tenant = $1 AND id = $2";
    DELETE = "DELETE FROM application WHERE tenant = $1 AND id = $2";
}

/// What errors call it.
pub(super) const KIND: &str = "Application";

pub(super) async fn insert(db: &Database, application: &Application, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_within(&application.tenant).await?;
    tenants::require(&mut change, &application.tenant).await?;
    let insert = bind(INSERT, application).bind(micros(application.details.created_at));
    insert.execute(&mut *change).await.map_err(|e| refused(e, &application.details))?;
    outbox::commit(db, change, [event]).await
}

pub(super) async fn find(db: &Database, tenant: &TenantId, id: ApplicationId) -> Result<Option<Application>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    page: PageOf<ApplicationId>,
) -> Result<Page<Application>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(after).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let applications = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(applications, page.first, counted(total)))
}

pub(super) async fn update(db: &Database, application: &Application, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(&application.tenant).await?;
    let update = bind(UPDATE, application).execute(&mut *change).await;
    if update.map_err(|e| refused(e, &application.details))?.rows_affected() == 0 {
        return Err(Error::not_found(KIND, application.id).into());
    }
    outbox::commit(db, change, [event]).await
}

pub(super) async fn delete(db: &Database, tenant: &TenantId, id: ApplicationId, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(tenant).await?;
    let done = sql(DELETE).bind(tenant.as_str()).bind(id.0).execute(&mut *change).await?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(KIND, id).into());
    }
    outbox::commit(db, change, [event]).await
}

/// What a broken key of an Application means.
fn refused(error: sqlx::Error, details: &SystemDetails) -> Fault {
    let manager = details.integration_system.map(|id| id.to_string()).unwrap_or_default();
    dangling(taken(error, KIND, &details.name), || Error::not_found(integration_systems::KIND, manager))
}

fn bind(statement: &'static str, application: &Application) -> super::Statement {
    let details = &application.details;
    sql(statement)
        .bind(application.tenant.as_str())
        .bind(application.id.0)
        .bind(details.name.as_str())
        .bind(details.description.as_deref())
        .bind(details.labels.as_str())
        .bind(details.integration_system.map(|id| id.0))
        .bind(micros(details.updated_at))
        .bind(application.provider_name.as_deref())
        .bind(application.base_url.as_deref())
}

fn read(row: &Row) -> Result<Application, Fault> {
    let columns = Columns::of("application", row);
    Ok(Application {
        id: ApplicationId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        details: details(&columns)?,
        provider_name: columns.get("provider_name")?,
        base_url: columns.get("base_url")?,
    })
}

/// What it shares with a Runtime.
pub(super) fn details(columns: &Columns<'_>) -> Result<SystemDetails, Fault> {
    Ok(SystemDetails {
        name: columns.get("name")?,
        description: columns.get("description")?,
        labels: columns.json("labels")?,
        integration_system: columns.get::<Option<Uuid>>("integration_system")?.map(IntegrationSystemId),
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}
