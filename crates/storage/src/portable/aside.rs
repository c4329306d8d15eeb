//! Entries of the log that became no events.

use tidegate_model::contract::Incomprehensible;
use tidegate_model::{AsideId, Page, PageOf, TenantId, Timestamp};
use uuid::Uuid;

use super::super::dialect::{Connection, Row};
use super::row::Columns;
use super::{Database, Statement, audit, counted, micros, number, one_more, sql, tenants};
use crate::contract::AsideEntry;
use crate::fault::Fault;

/// A statement about those of one tenant, and one about nobody's: no index has `IS NOT DISTINCT FROM`.
macro_rules! of {
    (tenant, $before:literal, $after:literal) => {
        concat!($before, " tenant = $1", $after)
    };
    (nobody, $before:literal, $after:literal) => {
        concat!($before, " tenant IS NULL AND CAST($1 AS TEXT) IS NULL", $after)
    };
}

macro_rules! list {
    ($of:ident) => {
        of!(
            $of,
            "SELECT id, tenant, position, subject, payload, reason, time FROM aside WHERE",
            " AND id < $2 ORDER BY id DESC LIMIT $3"
        )
    };
}

macro_rules! delete {
    ($of:ident) => {
        of!(
            $of,
            "DELETE FROM aside WHERE",
            " AND id = $2 RETURNING id, tenant, position, subject, payload, reason, time"
        )
    };
}

statements! {
    INSERT = "INSERT INTO aside (id, tenant, position, subject, payload, reason, time) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST = list!(tenant);
    LIST_NOBODYS = list!(nobody);
    COUNT = of!(tenant, "SELECT COUNT(*) FROM aside WHERE", "");
    COUNT_NOBODYS = of!(nobody, "SELECT COUNT(*) FROM aside WHERE", "");
    FIND = of!(tenant, "SELECT id, tenant, position, subject, payload, reason, time FROM aside WHERE", " AND id = $2");
    FIND_NOBODYS =
        of!(nobody, "SELECT id, tenant, position, subject, payload, reason, time FROM aside WHERE", " AND id = $2");
    DELETE = delete!(tenant);
    DELETE_NOBODYS = delete!(nobody);
    PRUNE = "DELETE FROM aside WHERE id IN (SELECT id FROM aside WHERE time < $1 ORDER BY time LIMIT $2)";
}

/// Keeps one. It is its tenant's, where there is such a tenant.
pub(super) async fn insert(connection: &mut Connection, kept: &AsideEntry) -> Result<(), Fault> {
    let entry = &kept.entry;
    let tenant = match &entry.tenant {
        Some(tenant) if tenants::hold(connection, tenant).await? => Some(tenant.as_str()),
        _ => None,
    };
    let insert = sql(INSERT)
        .bind(kept.id.0)
        .bind(tenant)
        .bind(i64::try_from(kept.position).unwrap_or(i64::MAX))
        .bind(entry.subject.replace('\0', "\u{fffd}"))
        .bind(entry.payload.as_slice())
        .bind(entry.reason.replace('\0', "\u{fffd}"))
        .bind(micros(entry.time));
    insert.execute(connection).await?;
    Ok(())
}

pub(super) async fn list(
    db: &Database,
    whose: Option<&TenantId>,
    page: PageOf<AsideId>,
) -> Result<Page<AsideEntry>, Fault> {
    let before = page.after.map_or(Uuid::max(), |id| id.0);
    let mut look = db.look_as(whose).await?;
    let total = number(&mut look, about(whose, COUNT, COUNT_NOBODYS)).await?;
    let rows = about(whose, LIST, LIST_NOBODYS).bind(before).bind(one_more(page.first)).fetch_all(&mut *look).await?;
    let entries = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::cut(entries, page.first, counted(total)))
}

pub(super) async fn find(db: &Database, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Fault> {
    let find = about(whose, FIND, FIND_NOBODYS).bind(id.0);
    let row = match whose {
        Some(tenant) => find.fetch_optional(&mut *db.read_of(tenant).await?).await?,
        None => find.fetch_optional(&mut *db.reads().await?).await?,
    };
    row.as_ref().map(read).transpose()
}

pub(super) async fn delete(db: &Database, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Fault> {
    let mut change = db.change_as(whose).await?;
    let deleted = about(whose, DELETE, DELETE_NOBODYS).bind(id.0).fetch_optional(&mut *change).await?;
    let Some(deleted) = deleted else { return Ok(None) };
    audit::commit(db, change).await?;
    read(&deleted).map(Some)
}

pub(super) async fn prune(db: &Database, before: Timestamp, max: u32) -> Result<u64, Fault> {
    let prune = sql(PRUNE).bind(micros(before)).bind(i64::from(max));
    Ok(prune.execute(&mut *db.writes().await?).await?.rows_affected())
}

/// The statement for whose these are, with `$1`.
fn about(whose: Option<&TenantId>, tenants: &'static str, nobodys: &'static str) -> Statement {
    let text = if whose.is_some() { tenants } else { nobodys };
    sql(text).bind(whose.map(|tenant| tenant.as_str().to_owned()))
}

fn read(row: &Row) -> Result<AsideEntry, Fault> {
    let columns = Columns::of("aside", row);
    let tenant = match columns.get::<Option<String>>("tenant")? {
        None => None,
        Some(_) => Some(columns.text("tenant")?),
    };
    Ok(AsideEntry {
        id: AsideId(columns.get("id")?),
        position: counted(columns.get("position")?),
        entry: Incomprehensible {
            tenant,
            subject: columns.get("subject")?,
            payload: columns.get("payload")?,
            reason: columns.get("reason")?,
            time: columns.time("time")?,
        },
    })
}
