//! Integrations as they are read: alone, or with all that a run of them needs.

use std::sync::Arc;

use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{
    Direction, EventType, ExecutionUser, Integration, IntegrationId, LogicId, Page, PageOf, Pause, Runnable, Script,
    Settings, Subscription, Tenant, TenantId, TypeName, UserId,
};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, number, one_more, sql};
use crate::codec::{UnknownWord, read_event_type, read_http_method, read_pause_reason};
use crate::fault::Fault;

/// An Integration with its user and subscriptions, in one row.
macro_rules! integrations {
    ($columns:literal, $($rest:literal),*) => {
        concat!(
            "SELECT i.id, i.tenant, i.name, i.description, i.direction, i.http_method, i.active, i.effective_date, \
             i.expiry_date, i.core_logic, i.core_pin, i.enable_logic, i.enable_pin, i.settings, i.paused_at, i.pause_reason, i.execution_user, u.username, i.url, i.created_at, i.updated_at, \
             (SELECT string_agg(s.object_type || ' ' || s.event_type, ',') FROM subscription s",
            dialect!(by_integration),
            " WHERE s.tenant = i.tenant AND s.integration = i.id) AS subscriptions",
            $columns,
            " FROM integration i JOIN execution_user u ON u.tenant = i.tenant AND u.id = i.execution_user",
            $(" ", $rest),*
        )
    };
}

/// The same with its tenant and the versions of its Logics that run, pinned or newest: one statement sees one moment.
macro_rules! runnables {
    ($joined:literal, $rest:literal) => {
        integrations!(
            ", t.name AS tenant_name, t.created_at AS tenant_created_at, cv.version AS core_version, \
             cv.source AS core_source, ev.version AS enable_version, ev.source AS enable_source",
            " JOIN tenant t ON t.id = i.tenant \
             JOIN logic c ON c.tenant = i.tenant AND c.id = i.core_logic \
             JOIN logic_version cv ON cv.tenant = c.tenant AND cv.logic = c.id AND cv.version = COALESCE(i.core_pin, c.version) \
             LEFT JOIN logic e ON e.tenant = i.tenant AND e.id = i.enable_logic \
             LEFT JOIN logic_version ev ON ev.tenant = e.tenant AND ev.logic = e.id AND ev.version = COALESCE(i.enable_pin, e.version)",
            $joined,
            $rest
        )
    };
}

statements! {
    FIND = integrations!("", "WHERE i.tenant = $1 AND i.id = $2");
    LIST = integrations!("", "WHERE i.tenant = $1 AND i.id > $2 ORDER BY i.id LIMIT $3");
    COUNT = "SELECT COUNT(*) FROM integration WHERE tenant = $1";
    RESOLVE = runnables!(
        " JOIN webhook_key k ON k.tenant = i.tenant AND k.integration = i.id",
        "WHERE k.hash = $1 AND i.direction = 'INCOMING' LIMIT 2"
    );
    SUBSCRIBERS = runnables!(
        " JOIN subscription w ON w.tenant = i.tenant AND w.integration = i.id",
        // Not by `i.id`, which is the same: SQLite would go through all Integrations in that order.
        "WHERE w.tenant = $1 AND w.object_type = $2 AND w.event_type = $3 ORDER BY w.integration"
    );
    FIND_RUNNABLE = runnables!("", "WHERE i.tenant = $1 AND i.id = $2");
}

pub(super) async fn find(db: &Database, tenant: &TenantId, id: IntegrationId) -> Result<Option<Integration>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    page: PageOf<IntegrationId>,
) -> Result<Page<Integration>, Fault> {
    let after = page.after.map_or(Uuid::nil(), |id| id.0);
    let mut look = db.look_of(tenant).await?;
    let total = number(&mut look, sql(COUNT).bind(tenant.as_str())).await?;
    let list = sql(LIST).bind(tenant.as_str()).bind(after).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let integrations = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(integrations, page.first, counted(total)))
}

pub(super) async fn resolve(db: &Database, key: WebhookKeyHash) -> Result<Resolved, Fault> {
    let rows = sql(RESOLVE).bind(key.0.to_vec()).fetch_all(&mut *db.reads().await?).await?;
    match rows.as_slice() {
        [] => Ok(Resolved::None),
        [row] => Ok(Resolved::One(read_runnable(row)?)),
        _ => Ok(Resolved::Many),
    }
}

pub(super) async fn subscribers(
    db: &Database,
    tenant: &TenantId,
    object_type: &TypeName,
    event_type: EventType,
) -> Result<Vec<Arc<Runnable>>, Fault> {
    let list = sql(SUBSCRIBERS).bind(tenant.as_str()).bind(object_type.as_str()).bind(event_type.as_str());
    list.fetch_all(&mut *db.read_of(tenant).await?).await?.iter().map(read_runnable).collect()
}

pub(super) async fn runnable(
    db: &Database,
    tenant: &TenantId,
    id: IntegrationId,
) -> Result<Option<Arc<Runnable>>, Fault> {
    let row =
        sql(FIND_RUNNABLE).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    row.as_ref().map(read_runnable).transpose()
}

fn read(row: &Row) -> Result<Integration, Fault> {
    let columns = Columns::of("integration", row);
    let direction: String = columns.get("direction")?;
    let direction = match direction.as_str() {
        "INCOMING" => Direction::Incoming,
        "OUTGOING" => Direction::Outgoing { url: columns.get("url")?, subscriptions: subscriptions(&columns)? },
        _ => return Err(columns.bad("direction", UnknownWord(direction))),
    };
    Ok(Integration {
        id: IntegrationId(columns.get("id")?),
        tenant: columns.text("tenant")?,
        name: columns.get("name")?,
        description: columns.get("description")?,
        direction,
        http_method: columns.word("http_method", read_http_method)?,
        active: columns.get("active")?,
        effective_date: columns.maybe_time("effective_date")?,
        expiry_date: columns.maybe_time("expiry_date")?,
        core_logic: LogicId(columns.get("core_logic")?),
        core_version: columns.get("core_pin")?,
        enable_logic: columns.get::<Option<Uuid>>("enable_logic")?.map(LogicId),
        enable_version: columns.get("enable_pin")?,
        settings: settings(&columns)?,
        paused: pause(&columns)?,
        execution_user: ExecutionUser {
            id: UserId(columns.get("execution_user")?),
            username: columns.get("username")?,
        },
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}

fn read_runnable(row: &Row) -> Result<Arc<Runnable>, Fault> {
    let columns = Columns::of("integration", row);
    let integration = read(row)?;
    let organization = Tenant {
        id: integration.tenant.clone(),
        name: columns.get("tenant_name")?,
        created_at: columns.time("tenant_created_at")?,
    };
    let core = Script {
        logic: integration.core_logic,
        version: columns.get("core_version")?,
        source: columns.get::<&str>("core_source")?.into(),
    };
    let enable = match integration.enable_logic {
        None => None,
        Some(logic) => Some(Script {
            logic,
            version: columns.get("enable_version")?,
            source: columns.get::<&str>("enable_source")?.into(),
        }),
    };
    Ok(Arc::new(Runnable { integration, organization, core, enable }))
}

fn settings(columns: &Columns<'_>) -> Result<Settings, Fault> {
    serde_json::from_str(columns.get("settings")?).map_err(|e| columns.bad("settings", e))
}

fn pause(columns: &Columns<'_>) -> Result<Option<Pause>, Fault> {
    let Some(since) = columns.maybe_time("paused_at")? else { return Ok(None) };
    Ok(Some(Pause { reason: columns.word("pause_reason", read_pause_reason)?, since }))
}

fn subscriptions(columns: &Columns<'_>) -> Result<Vec<Subscription>, Fault> {
    let joined: Option<String> = columns.get("subscriptions")?;
    let mut subscriptions = Vec::new();
    for pair in joined.as_deref().unwrap_or_default().split_terminator(',') {
        let (object_type, event_type) = pair.split_once(' ').unwrap_or((pair, ""));
        subscriptions.push(Subscription {
            object_type: object_type.parse().map_err(|e| columns.bad("subscriptions", e))?,
            event_type: read_event_type(event_type).map_err(|e| columns.bad("subscriptions", e))?,
        });
    }
    subscriptions.sort();
    Ok(subscriptions)
}
