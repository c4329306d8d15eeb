//! Records of runs, and open deliveries among them.

use std::collections::HashMap;

use tidegate_model::{Execution, ExecutionFilter, ExecutionId, Page, PageOf, Status, TenantId};
use uuid::Uuid;

use super::super::dialect::{Connection, Row};
use super::row::Columns;
use super::{Database, counted, maybe_micros, micros, number, one_more, sql, tenants};
use crate::body::{self, OwnedDeliveryBody};
use crate::codec::trigger;
use crate::fault::Fault;

/// The filter's conditions; `$1` to `$9` are bound by [`filtered`].
macro_rules! matching {
    () => {
        " WHERE tenant = $1 AND (integration = $2 OR $2 IS NULL) AND ($3 = '' OR $3 LIKE '% ' || status || ' %') \
         AND (started_at >= $4 OR $4 IS NULL) AND (started_at < $5 OR $5 IS NULL) \
         AND (object_type = $6 OR $6 IS NULL) AND (object_id = $7 OR $7 IS NULL) AND (event_id = $8 OR $8 IS NULL) \
         AND (search LIKE $9 ESCAPE '\\' OR $9 IS NULL)"
    };
}

statements! {
    INSERT = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, object_id, \
        search, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant, id) DO NOTHING";
    // One statement sees one moment: a delivery that ends meanwhile is in one of the two.
    FIND = "SELECT id, body, FALSE AS open FROM execution WHERE tenant = $1 AND id = $2 \
        UNION ALL SELECT id, body, TRUE AS open FROM delivery WHERE tenant = $1 AND id = $2";
    LIST = concat!(
        "SELECT id, body, open FROM (SELECT id, body, FALSE AS open FROM execution", matching!(),
        " AND id < $10 ORDER BY id DESC LIMIT $11) AS ended \
         UNION ALL SELECT id, body, open FROM (SELECT id, body, TRUE AS open FROM delivery", matching!(),
        " AND id < $10 ORDER BY id DESC LIMIT $11) AS unended ORDER BY id DESC LIMIT $11"
    );
    COUNT = concat!(
        "SELECT (SELECT COUNT(*) FROM execution", matching!(), ") + (SELECT COUNT(*) FROM delivery", matching!(), ")"
    );
}

pub(super) async fn append(db: &Database, executions: &[Execution]) -> Result<(), Fault> {
    let mut change = db.change().await?;
    let mut tenants = HashMap::new();
    for execution in executions {
        let there = match tenants.get(&execution.tenant) {
            Some(there) => *there,
            None => tenants::hold(&mut change, &execution.tenant).await?,
        };
        tenants.insert(&execution.tenant, there);
        if there {
            insert_one(&mut change, execution).await?;
        }
    }
    change.commit().await?;
    Ok(())
}

/// Inserts a record of a tenant that is held; one that is there stays as it is.
pub(super) async fn insert_one(connection: &mut Connection, execution: &Execution) -> Result<(), Fault> {
    let event = execution.event.as_ref();
    let insert = sql(INSERT)
        .bind(execution.tenant.as_str())
        .bind(execution.id.0)
        .bind(execution.integration.0)
        .bind(execution.status.as_str())
        .bind(trigger(execution.trigger))
        .bind(micros(execution.started_at))
        .bind(event.map(|e| e.id.as_str()))
        .bind(event.map(|e| e.object_type.as_str()))
        .bind(event.map(|e| e.object_id.as_str()))
        .bind(body::search_text(execution))
        .bind(body::pack(execution)?);
    insert.execute(connection).await?;
    Ok(())
}

pub(super) async fn find(db: &Database, tenant: &TenantId, id: ExecutionId) -> Result<Option<Execution>, Fault> {
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(db.reads()).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    filter: &ExecutionFilter,
    page: PageOf<ExecutionId>,
) -> Result<Page<Execution>, Fault> {
    let before = page.after.map_or(Uuid::max(), |id| id.0);
    let mut look = db.look().await?;
    let total = number(&mut look, filtered(COUNT, tenant, filter)).await?;
    let list = filtered(LIST, tenant, filter).bind(before).bind(one_more(page.first));
    let rows = list.fetch_all(&mut *look).await?;
    let executions = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(executions, page.first, counted(total)))
}

fn filtered(statement: &'static str, tenant: &TenantId, filter: &ExecutionFilter) -> super::Statement {
    let statuses: Vec<_> = filter.statuses.iter().map(|s: &Status| s.as_str()).collect();
    let statuses = if statuses.is_empty() { String::new() } else { format!(" {} ", statuses.join(" ")) };
    let text = filter.text.as_deref().map(|text| {
        let escaped = body::lower(text).replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        format!("%{escaped}%")
    });
    sql(statement)
        .bind(tenant.as_str())
        .bind(filter.integration.map(|id| id.0))
        .bind(statuses)
        .bind(maybe_micros(filter.from))
        .bind(maybe_micros(filter.to))
        .bind(filter.object_type.as_ref().map(|t| t.as_str()))
        .bind(filter.object_id.as_ref().map(|id| id.as_str()))
        .bind(filter.event_id.as_ref().map(|id| id.as_str()))
        .bind(text)
}

fn read(row: &Row) -> Result<Execution, Fault> {
    let columns = Columns::of("execution", row);
    if columns.get("open")? {
        let body: OwnedDeliveryBody = columns.body("body")?;
        return Ok(body.execution);
    }
    columns.body("body")
}
