//! Records of runs, and open deliveries among them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tidegate_model::{
    EventId, Execution, ExecutionFilter, ExecutionId, ObjectId, Page, PageOf, Status, TenantId, TypeName,
};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, maybe_micros, number, one_more, sql, tenants};
use crate::body::{self, OwnedDeliveryBody};
use crate::fault::Fault;
use crate::record::RecordRow;

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

/// Those of a tenant that is gone are dropped, as they would have been with it.
pub(super) async fn append(db: &Database, executions: &[Execution]) -> Result<(), Fault> {
    let mut change = db.change().await?;
    let mut held = HashMap::new();
    let mut rows = Vec::with_capacity(executions.len());
    for execution in executions {
        let there = match held.entry(&execution.tenant) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(tenants::hold(&mut change, &execution.tenant).await?),
        };
        if there {
            rows.push(RecordRow::of(execution)?);
        }
    }
    bulk::insert_executions(&mut change, rows).await?;
    change.commit().await?;
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
        .bind(filter.object_type.as_ref().map(TypeName::as_str))
        .bind(filter.object_id.as_ref().map(ObjectId::as_str))
        .bind(filter.event_id.as_ref().map(EventId::as_str))
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
