//! Records of runs, and open deliveries among them.
//!
//! A list is read in the order of an index that has what narrows most: event, object, Integration and status, status, or the tenant alone. Where
//! statuses narrow, each is read on its own and they are merged, so that no row is read that is not shown. Time narrows the ids; where days are kept
//! apart, the newest are read first, and others if those do not fill the page.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::TimeDelta;
use tidegate_model::{
    EventId, Execution, ExecutionFilter, ExecutionId, ObjectId, PageOf, Slice, Status, TenantId, Timestamp, TypeName,
};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::{self, Row};
use super::row::Columns;
use super::{Database, Statement, counted, maybe_micros, number, one_more, sql, tenants};
use crate::body::{self, OwnedDeliveryBody};
use crate::fault::Fault;
use crate::record::RecordRow;

/// The conditions that no index has; every parameter but the ids' is in them.
macro_rules! narrowed {
    () => {
        " AND (integration = $2 OR $2 IS NULL) AND (started_at >= $4 OR $4 IS NULL) AND (started_at < $5 OR $5 IS NULL) \
         AND (object_type = $6 OR $6 IS NULL) AND (object_id = $7 OR $7 IS NULL) AND (event_id = $8 OR $8 IS NULL) \
         AND (search LIKE $9 ESCAPE '\\' OR $9 IS NULL)"
    };
}

/// One of several statuses, or any.
macro_rules! in_statuses {
    () => {
        " AND ($3 = '' OR $3 LIKE '% ' || status || ' %')"
    };
}

/// A page in the order of an index whose first columns are given.
macro_rules! page_of {
    ($table:expr, $first:expr) => {
        page_of!($table, $first, "DESC")
    };
    ($table:expr, $first:expr, $direction:literal) => {
        concat!(
            "SELECT id, body FROM ",
            $table,
            " WHERE tenant = $1",
            $first,
            " AND id >= $10 AND id < $11",
            narrowed!(),
            " ORDER BY id ",
            $direction,
            " LIMIT $12"
        )
    };
}

/// How many a page would be cut out of.
macro_rules! count_of {
    ($table:expr, $first:expr) => {
        concat!(
            "SELECT COUNT(*) FROM ",
            $table,
            " WHERE tenant = $1",
            $first,
            " AND id >= $10 AND id < $11",
            narrowed!()
        )
    };
}

statements! {
    // One statement sees one moment: a delivery that ends meanwhile is in one of the two.
    FIND = "SELECT id, body, FALSE AS open FROM execution WHERE tenant = $1 AND id = $2 \
        UNION ALL SELECT id, body, TRUE AS open FROM delivery WHERE tenant = $1 AND id = $2";
    LIST_BY_EVENT = page_of!("execution", concat!(" AND event_id = $8", in_statuses!()));
    LIST_BY_OBJECT = page_of!("execution", concat!(" AND object_id = $7", in_statuses!()));
    LIST_BY_INTEGRATION = page_of!("execution", " AND integration = $2 AND status = trim($3)");
    LIST_BY_STATUS = page_of!(concat!("execution", dialect!(by_status)), " AND status = trim($3)");
    LIST_ALL = page_of!("execution", in_statuses!());
    UP_BY_EVENT = page_of!("execution", concat!(" AND event_id = $8", in_statuses!()), "ASC");
    UP_BY_OBJECT = page_of!("execution", concat!(" AND object_id = $7", in_statuses!()), "ASC");
    UP_BY_INTEGRATION = page_of!("execution", " AND integration = $2 AND status = trim($3)", "ASC");
    UP_BY_STATUS = page_of!(concat!("execution", dialect!(by_status)), " AND status = trim($3)", "ASC");
    UP_ALL = page_of!("execution", in_statuses!(), "ASC");
    LIST_OPEN_BY_EVENT = page_of!("delivery", concat!(" AND event_id = $8", in_statuses!()));
    LIST_OPEN_BY_INTEGRATION = page_of!("delivery", concat!(" AND integration = $2", in_statuses!()));
    LIST_OPEN = page_of!("delivery", in_statuses!());
    COUNT_BY_EVENT = count_of!("execution", concat!(" AND event_id = $8", in_statuses!()));
    COUNT_BY_OBJECT = count_of!("execution", concat!(" AND object_id = $7", in_statuses!()));
    COUNT_BY_INTEGRATION = count_of!("execution", " AND integration = $2 AND status = trim($3)");
    COUNT_BY_STATUS = count_of!(concat!("execution", dialect!(by_status)), " AND status = trim($3)");
    COUNT_ALL = count_of!("execution", in_statuses!());
    COUNT_OPEN_BY_EVENT = count_of!("delivery", concat!(" AND event_id = $8", in_statuses!()));
    COUNT_OPEN_BY_INTEGRATION = count_of!("delivery", concat!(" AND integration = $2", in_statuses!()));
    COUNT_OPEN = count_of!("delivery", in_statuses!());
    COUNT_REPLAYABLE = count_of!("execution", concat!(" AND event_id IS NOT NULL AND EXISTS (SELECT 1 FROM integration i \
        WHERE i.tenant = execution.tenant AND i.id = execution.integration) AND EXISTS (SELECT 1 FROM event e \
        WHERE e.tenant = execution.tenant AND e.id = execution.event_id)", in_statuses!()));
    // Where nothing else narrows, the index alone is read.
    COUNT_IN_INDEX_BY_INTEGRATION = "SELECT COUNT(*) FROM execution WHERE tenant = $1 AND status = $2 AND integration = $3";
    COUNT_IN_INDEX_BY_STATUS = "SELECT COUNT(*) FROM execution WHERE tenant = $1 AND status = $2";
}

/// What a record is that has ended.
const ENDED: [Status; 5] = [Status::Success, Status::SuccessWithWarning, Status::Skipped, Status::Failed, Status::Dead];
/// What a delivery is that has not.
const OPEN: [Status; 2] = [Status::Pending, Status::Retrying];

/// Ids are made at the start of what they name, or this much before or after.
const AROUND_START: TimeDelta = TimeDelta::minutes(1);

/// One statement's share of a list.
struct Part {
    list: &'static str,
    /// The same from its other end; of what has ended.
    up: &'static str,
    count: &'static str,
    /// Those that it may show; empty is any.
    statuses: Vec<Status>,
    open: bool,
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
    let row = sql(FIND).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *db.read_of(tenant).await?).await?;
    let open = |row: &Row| Columns::of("execution", row).get("open");
    row.as_ref().map(|row| read(row, open(row)?)).transpose()
}

pub(super) async fn list(
    db: &Database,
    tenant: &TenantId,
    filter: &ExecutionFilter,
    page: PageOf<ExecutionId>,
) -> Result<Slice<Execution>, Fault> {
    let mut look = db.look_of(tenant).await?;
    let (from, to) = ids(filter);
    let to = page.after.map_or(to, |id| id.0.min(to));
    let mut rows = Vec::new();
    for span in spans((from, to), db.clock.now(), dialect::DAYS_OF_LISTS) {
        for part in parts(filter) {
            let statement = narrowed(part.list, tenant, filter, &part.statuses, span).bind(one_more(page.first));
            for row in statement.fetch_all(&mut *look).await? {
                let id: Uuid = Columns::of("execution", &row).get("id")?;
                rows.push((id, row, part.open));
            }
        }
        if rows.len() > usize::from(page.first) {
            break;
        }
    }
    rows.sort_unstable_by(|(one, ..), (other, ..)| other.cmp(one));
    let has_next = rows.len() > usize::from(page.first);
    rows.truncate(usize::from(page.first));
    let data = rows.iter().map(|(_, row, open)| read(row, *open)).collect::<Result<_, _>>()?;
    Ok(Slice { data, has_next })
}

pub(super) async fn count(db: &Database, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Fault> {
    let mut look = db.look_of(tenant).await?;
    let mut total = 0;
    for part in parts(filter) {
        if !part.open && is_in_index(filter) {
            let statuses = if part.statuses.is_empty() { &ENDED[..] } else { &part.statuses };
            for status in statuses {
                let text =
                    if filter.integration.is_some() { COUNT_IN_INDEX_BY_INTEGRATION } else { COUNT_IN_INDEX_BY_STATUS };
                let statement = sql(text).bind(tenant.as_str()).bind(status.as_str());
                let statement = filter.integration.iter().fold(statement, |statement, id| statement.bind(id.0));
                total += counted(number(&mut look, statement).await?);
            }
        } else {
            let statement = narrowed(part.count, tenant, filter, &part.statuses, ids(filter));
            total += counted(number(&mut look, statement).await?);
        }
    }
    Ok(total)
}

/// Up to `max` that have ended, the oldest first, with ids between these.
pub(super) async fn ended(
    db: &Database,
    tenant: &TenantId,
    filter: &ExecutionFilter,
    (after, before): (ExecutionId, ExecutionId),
    max: u16,
) -> Result<Vec<Execution>, Fault> {
    let (from, to) = ids(filter);
    let next = Uuid::from_u128(after.0.as_u128().saturating_add(1));
    let ids = (from.max(next), to.min(before.0));
    let mut look = db.look_of(tenant).await?;
    let mut rows = Vec::new();
    for part in parts(filter).into_iter().filter(|part| !part.open) {
        let statement = narrowed(part.up, tenant, filter, &part.statuses, ids).bind(i64::from(max));
        for row in statement.fetch_all(&mut *look).await? {
            let id: Uuid = Columns::of("execution", &row).get("id")?;
            rows.push((id, row));
        }
    }
    rows.sort_unstable_by_key(|(id, _)| *id);
    rows.truncate(usize::from(max));
    rows.iter().map(|(_, row)| read(row, false)).collect()
}

pub(super) async fn count_replayable(db: &Database, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Fault> {
    let statuses: Vec<_> = ENDED.into_iter().filter(|status| filter.statuses.contains(status)).collect();
    if statuses.is_empty() && !filter.statuses.is_empty() {
        return Ok(0);
    }
    let mut look = db.look_of(tenant).await?;
    let statement = narrowed(COUNT_REPLAYABLE, tenant, filter, &statuses, ids(filter));
    Ok(counted(number(&mut look, statement).await?))
}

/// The statements whose rows, merged, are the list.
fn parts(filter: &ExecutionFilter) -> Vec<Part> {
    let wanted = |among: &[Status]| -> Vec<Status> {
        among.iter().copied().filter(|status| filter.statuses.is_empty() || filter.statuses.contains(status)).collect()
    };
    let (ended, open) = (wanted(&ENDED), wanted(&OPEN));
    let mut parts = Vec::new();
    if !ended.is_empty() {
        let whole = |list, up, count, statuses| Part { list, up, count, statuses, open: false };
        let each = |list, up, count| ended.iter().map(move |status| whole(list, up, count, vec![*status]));
        if filter.event_id.is_some() {
            parts.push(whole(LIST_BY_EVENT, UP_BY_EVENT, COUNT_BY_EVENT, ended.clone()));
        } else if filter.object_id.is_some() {
            parts.push(whole(LIST_BY_OBJECT, UP_BY_OBJECT, COUNT_BY_OBJECT, ended.clone()));
        } else if filter.integration.is_some() {
            parts.extend(each(LIST_BY_INTEGRATION, UP_BY_INTEGRATION, COUNT_BY_INTEGRATION));
        } else if ended.len() < ENDED.len() {
            parts.extend(each(LIST_BY_STATUS, UP_BY_STATUS, COUNT_BY_STATUS));
        } else {
            parts.push(whole(LIST_ALL, UP_ALL, COUNT_ALL, Vec::new()));
        }
    }
    if !open.is_empty() {
        let (list, count) = if filter.event_id.is_some() {
            (LIST_OPEN_BY_EVENT, COUNT_OPEN_BY_EVENT)
        } else if filter.integration.is_some() {
            (LIST_OPEN_BY_INTEGRATION, COUNT_OPEN_BY_INTEGRATION)
        } else {
            (LIST_OPEN, COUNT_OPEN)
        };
        parts.push(Part { list, up: "", count, statuses: open, open: true });
    }
    parts
}

/// Whether an index has everything that narrows.
fn is_in_index(filter: &ExecutionFilter) -> bool {
    let ExecutionFilter { integration: _, statuses: _, from, to, object_type, object_id, event_id, text } = filter;
    let other =
        [from.is_some(), to.is_some(), object_type.is_some(), object_id.is_some(), event_id.is_some(), text.is_some()];
    !other.contains(&true)
}

/// From which id to which records of the time that the filter says are.
fn ids(filter: &ExecutionFilter) -> (Uuid, Uuid) {
    let from = filter.from.and_then(|from| from.checked_sub_signed(AROUND_START)).map_or(Uuid::nil(), first_id);
    let to = filter.to.and_then(|to| to.checked_add_signed(AROUND_START)).map_or(Uuid::max(), first_id);
    (from, to)
}

/// These ids in spans, the newest first: the first ones reach so many days back from the newest that may be there, the last has what is left.
fn spans((from, to): (Uuid, Uuid), now: Timestamp, days: &[i64]) -> Vec<(Uuid, Uuid)> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let newest = i64::try_from(to.as_u128() >> 80).unwrap_or(i64::MAX).min(now.timestamp_millis());
    let mut spans = Vec::new();
    let mut before = to;
    for days in days {
        let first = id_at((newest.div_euclid(DAY) - (days - 1)) * DAY);
        if first <= from || first >= before {
            break;
        }
        spans.push((first, before));
        before = first;
    }
    spans.push((from, before));
    spans
}

/// A statement with `$1` to `$11`.
fn narrowed(
    text: &'static str,
    tenant: &TenantId,
    filter: &ExecutionFilter,
    statuses: &[Status],
    (from, before): (Uuid, Uuid),
) -> Statement {
    let names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
    let statuses = if names.is_empty() { String::new() } else { format!(" {} ", names.join(" ")) };
    let search = filter.text.as_deref().map(|text| {
        let escaped = body::lower(text).replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        format!("%{escaped}%")
    });
    sql(text)
        .persistent(dialect::KEEPS_PLANS_OF_LISTS)
        .bind(tenant.as_str())
        .bind(filter.integration.map(|id| id.0))
        .bind(statuses)
        .bind(maybe_micros(filter.from))
        .bind(maybe_micros(filter.to))
        .bind(filter.object_type.as_ref().map(TypeName::as_str))
        .bind(filter.object_id.as_ref().map(ObjectId::as_str))
        .bind(filter.event_id.as_ref().map(EventId::as_str))
        .bind(search)
        .bind(from)
        .bind(before)
}

/// The least id that is made then: ids begin with their millisecond.
pub(super) fn first_id(time: Timestamp) -> Uuid {
    id_at(time.timestamp_millis())
}

/// The least id of a millisecond.
fn id_at(millis: i64) -> Uuid {
    let millis = u64::try_from(millis).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(u128::from(millis) << 80)
}

fn read(row: &Row, open: bool) -> Result<Execution, Fault> {
    let columns = Columns::of("execution", row);
    if open {
        let body: OwnedDeliveryBody = columns.body("body")?;
        return Ok(body.execution);
    }
    columns.body("body")
}
