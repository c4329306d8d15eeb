//! The audit log, and what a change leaves in it.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    AuditEntry, AuditFilter, AuditId, Error, Face, Json, Made, PageOf, Slice, TenantId, Timestamp, Trace,
};
use uuid::Uuid;

use super::super::dialect::{self, Connection, Row};
use super::executions::first_id;
use super::row::Columns;
use super::{Database, Statement, Transaction, counted, maybe_micros, micros, number, one_more, sql, tenants};
use crate::body;
use crate::fault::Fault;

/// A statement about the log of one tenant, and one about the platform's: no index has `IS NOT DISTINCT FROM`.
macro_rules! of {
    (tenant, $before:expr, $after:expr) => {
        concat!($before, " tenant = $1", $after)
    };
    (platform, $before:expr, $after:expr) => {
        concat!($before, " tenant IS NULL AND CAST($1 AS TEXT) IS NULL", $after)
    };
}

/// Everything that narrows; `$first` stands in an index.
macro_rules! narrowed {
    ($of:ident, $before:expr, $first:expr, $after:expr) => {
        of!(
            $of,
            $before,
            concat!(
                $first,
                " AND id >= $2 AND id < $3 AND (actor = $4 OR $4 IS NULL) AND (kind = $5 OR $5 IS NULL) \
                 AND (thing = $6 OR $6 IS NULL) AND (refused = $7 OR $7 IS NULL) AND (at >= $8 OR $8 IS NULL) \
                 AND (at < $9 OR $9 IS NULL)",
                $after
            )
        )
    };
}

macro_rules! list {
    ($of:ident, $first:expr) => {
        narrowed!(
            $of,
            "SELECT id, tenant, at, actor, kind, thing, body FROM audit WHERE",
            $first,
            " ORDER BY id DESC LIMIT $10"
        )
    };
}

macro_rules! count {
    ($of:ident, $first:expr) => {
        narrowed!($of, "SELECT COUNT(*) FROM audit WHERE", $first, "")
    };
}

statements! {
    INSERT = "INSERT INTO audit (id, tenant, at, actor, kind, thing, refused, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = list!(tenant, "");
    LIST_BY_ACTOR = list!(tenant, " AND actor = $4");
    LIST_BY_THING = list!(tenant, " AND kind = $5 AND thing = $6");
    LIST_PLATFORMS = list!(platform, "");
    LIST_PLATFORMS_BY_ACTOR = list!(platform, " AND actor = $4");
    LIST_PLATFORMS_BY_THING = list!(platform, " AND kind = $5 AND thing = $6");
    COUNT = count!(tenant, "");
    COUNT_BY_ACTOR = count!(tenant, " AND actor = $4");
    COUNT_BY_THING = count!(tenant, " AND kind = $5 AND thing = $6");
    COUNT_PLATFORMS = count!(platform, "");
    COUNT_PLATFORMS_BY_ACTOR = count!(platform, " AND actor = $4");
    COUNT_PLATFORMS_BY_THING = count!(platform, " AND kind = $5 AND thing = $6");
    FIND = of!(tenant, "SELECT id, tenant, at, actor, kind, thing, body FROM audit WHERE", " AND id = $2");
    FIND_PLATFORMS = of!(platform, "SELECT id, tenant, at, actor, kind, thing, body FROM audit WHERE", " AND id = $2");
    PRUNE = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// Ids are made when what they tell of happens, or this much before or after.
const AROUND: TimeDelta = TimeDelta::minutes(1);

/// What changes through a handle leave.
#[derive(Clone)]
pub(super) enum Trail {
    /// Nothing: nobody asked for them.
    None,
    /// Nothing, and therefore they are refused.
    Missing,
    /// These.
    Entries(Arc<[AuditEntry]>),
}

/// What of an entry is not searched.
#[derive(Serialize, Deserialize)]
struct Body {
    face: Face,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    count: u64,
}

/// Commits a change with what it leaves.
pub(super) async fn commit(db: &Database, mut change: Transaction) -> Result<(), Fault> {
    leave(db, &mut change, |_| true).await?;
    change.commit().await?;
    Ok(())
}

/// Adds what a change leaves, as far as `told` says.
pub(super) async fn leave(
    db: &Database,
    change: &mut Connection,
    told: impl Fn(&AuditEntry) -> bool + Send,
) -> Result<(), Fault> {
    match &db.trail {
        Trail::None => Ok(()),
        Trail::Missing => {
            tracing::error!("a change without its entry in the audit log is not made");
            Err(Error::Internal { id: "audit".to_owned() }.into())
        }
        Trail::Entries(entries) => {
            for entry in entries.iter().filter(|entry| told(entry)) {
                insert(change, entry, entry.tenant.as_ref()).await?;
            }
            Ok(())
        }
    }
}

pub(super) async fn append(db: &Database, entries: &[AuditEntry]) -> Result<(), Fault> {
    let mut change = db.change().await?;
    for entry in entries {
        let tenant = match &entry.tenant {
            Some(tenant) if tenants::hold(&mut change, tenant).await? => Some(tenant),
            _ => None,
        };
        insert(&mut change, entry, tenant).await?;
    }
    change.commit().await?;
    Ok(())
}

async fn insert(connection: &mut Connection, entry: &AuditEntry, tenant: Option<&TenantId>) -> Result<(), Fault> {
    let AuditEntry { trace, made, refused, .. } = entry;
    let body = Body {
        face: trace.face,
        address: trace.address,
        owner: trace.owner.clone(),
        operation: trace.operation.clone(),
        before: made.before.clone(),
        after: made.after.clone(),
        refused: refused.clone(),
        count: entry.count,
    };
    let insert = sql(INSERT)
        .bind(entry.id.0)
        .bind(tenant.map(|tenant| tenant.as_str().to_owned()))
        .bind(micros(entry.at))
        .bind(trace.actor.clone())
        .bind(made.kind.clone())
        .bind(made.id.clone())
        .bind(refused.is_some())
        .bind(body::pack(&body)?);
    insert.execute(connection).await?;
    Ok(())
}

pub(super) async fn list(
    db: &Database,
    whose: Option<&TenantId>,
    filter: &AuditFilter,
    page: PageOf<AuditId>,
) -> Result<Slice<AuditEntry>, Fault> {
    let text = match (whose.is_some(), place(filter)) {
        (true, Place::Thing) => LIST_BY_THING,
        (true, Place::Actor) => LIST_BY_ACTOR,
        (true, Place::Log) => LIST,
        (false, Place::Thing) => LIST_PLATFORMS_BY_THING,
        (false, Place::Actor) => LIST_PLATFORMS_BY_ACTOR,
        (false, Place::Log) => LIST_PLATFORMS,
    };
    let before = page.after.map_or(Uuid::max(), |id| id.0);
    let list = narrowed(text, whose, filter, before).bind(one_more(page.first));
    let rows = match whose {
        Some(tenant) => list.fetch_all(&mut *db.read_of(tenant).await?).await?,
        None => list.fetch_all(&mut *db.reads().await?).await?,
    };
    let has_next = rows.len() > usize::from(page.first);
    let data = rows.iter().take(page.first.into()).map(read).collect::<Result<_, _>>()?;
    Ok(Slice { data, has_next })
}

pub(super) async fn count(db: &Database, whose: Option<&TenantId>, filter: &AuditFilter) -> Result<u64, Fault> {
    let text = match (whose.is_some(), place(filter)) {
        (true, Place::Thing) => COUNT_BY_THING,
        (true, Place::Actor) => COUNT_BY_ACTOR,
        (true, Place::Log) => COUNT,
        (false, Place::Thing) => COUNT_PLATFORMS_BY_THING,
        (false, Place::Actor) => COUNT_PLATFORMS_BY_ACTOR,
        (false, Place::Log) => COUNT_PLATFORMS,
    };
    let mut look = db.look_as(whose).await?;
    Ok(counted(number(&mut look, narrowed(text, whose, filter, Uuid::max())).await?))
}

pub(super) async fn find(db: &Database, whose: Option<&TenantId>, id: AuditId) -> Result<Option<AuditEntry>, Fault> {
    let text = if whose.is_some() { FIND } else { FIND_PLATFORMS };
    let find = sql(text).bind(whose.map(|tenant| tenant.as_str().to_owned())).bind(id.0);
    let row = match whose {
        Some(tenant) => find.fetch_optional(&mut *db.read_of(tenant).await?).await?,
        None => find.fetch_optional(&mut *db.reads().await?).await?,
    };
    row.as_ref().map(read).transpose()
}

pub(super) async fn prune(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let prune = sql(PRUNE).bind(first_id(before)).bind(i64::from(max));
    Ok(prune.execute(&mut *db.writes().await?).await?.rows_affected())
}

/// Which index has what narrows most.
enum Place {
    Thing,
    Actor,
    Log,
}

fn place(filter: &AuditFilter) -> Place {
    match filter {
        AuditFilter { kind: Some(_), id: Some(_), .. } => Place::Thing,
        AuditFilter { actor: Some(_), .. } => Place::Actor,
        _ => Place::Log,
    }
}

/// A statement with `$1` to `$9`.
fn narrowed(text: &'static str, whose: Option<&TenantId>, filter: &AuditFilter, before: Uuid) -> Statement {
    let from = filter.from.and_then(|from| from.checked_sub_signed(AROUND)).map_or(Uuid::nil(), first_id);
    let to = filter.to.and_then(|to| to.checked_add_signed(AROUND)).map_or(Uuid::max(), first_id);
    sql(text)
        .persistent(dialect::KEEPS_PLANS_OF_LISTS)
        .bind(whose.map(|tenant| tenant.as_str().to_owned()))
        .bind(from)
        .bind(before.min(to))
        .bind(filter.actor.clone())
        .bind(filter.kind.clone())
        .bind(filter.id.clone())
        .bind(filter.refused)
        .bind(maybe_micros(filter.from))
        .bind(maybe_micros(filter.to))
}

fn read(row: &Row) -> Result<AuditEntry, Fault> {
    let columns = Columns::of("audit", row);
    let tenant = match columns.get::<Option<String>>("tenant")? {
        None => None,
        Some(_) => Some(columns.text("tenant")?),
    };
    let Body { face, address, owner, operation, before, after, refused, count } = columns.body("body")?;
    Ok(AuditEntry {
        id: AuditId(columns.get("id")?),
        tenant,
        at: columns.time("at")?,
        trace: Trace { actor: columns.get("actor")?, owner, face, address, operation },
        made: Made { kind: columns.get("kind")?, id: columns.get("thing")?, before, after },
        refused,
        count,
    })
}
