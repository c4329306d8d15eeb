//! The bus where there is no other: a table. One writer, so the order of positions is the order of commits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use tidegate_model::contract::{EventLog, Incomprehensible, LogBounds, LogEntry, Position, Received};
use tidegate_model::{Clock, Error, Event};
use tokio::sync::Notify;

use super::portable::row::Columns;
use super::portable::{Database, Statement, micros, sql};
use crate::body;
use crate::fault::Fault;
use crate::group::Group;

// Not `ON CONFLICT DO NOTHING`: that would use up a position, and a place that was never filled looks like a gap once the log is pruned.
const PUBLISH: &str = "INSERT INTO local_log (tenant, event_id, published_at, body) SELECT $1, $2, $3, $4 \
    WHERE NOT EXISTS (SELECT 1 FROM local_log WHERE tenant = $1 AND event_id = $2)";
// Of an entry that is published anew only its place stays, which has the name of no event.
const FORGET: &str =
    "UPDATE local_log SET body = NULL, event_id = event_id || char(0) || position WHERE tenant = $1 AND event_id = $2";
const READ: &str = "SELECT CAST(position AS TEXT) AS id, position, tenant, event_id, published_at, body FROM local_log WHERE position > $1 AND body IS NOT NULL \
    ORDER BY position LIMIT $2";
const BOUNDS: &str = "SELECT (SELECT MIN(position) FROM local_log) AS first, \
    COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'local_log'), 0) AS last";
const ANY: &str = "SELECT position FROM local_log WHERE position > $1 AND body IS NOT NULL LIMIT 1";

/// How long a reader sleeps at most.
const NAP: Duration = Duration::from_secs(1);

/// The log on the store's own file.
pub(crate) struct LocalLog {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    changed: Notify,
    /// Those who publish at once share a commit.
    writer: Group<Vec<Entry>, ()>,
}

/// An event on its way into the log.
struct Entry {
    tenant: String,
    event_id: String,
    published_at: i64,
    body: Vec<u8>,
}

#[async_trait]
impl EventLog for LocalLog {
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        self.publish_all(std::slice::from_ref(event)).await
    }

    async fn publish_all(&self, events: &[Event]) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let pack = || async { events.iter().map(|event| self.entry(event)).collect::<Result<Vec<_>, Fault>>() };
        self.writer.write(self.database.run("publish", pack).await?).await?;
        self.changed.notify_waiters();
        Ok(())
    }

    async fn republish(&self, event: &Event) -> Result<(), Error> {
        self.database.run("republish", || self.insert_again(event)).await?;
        self.changed.notify_waiters();
        Ok(())
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        self.database.run("read_log", || self.entries(after, max)).await
    }

    async fn bounds(&self) -> Result<LogBounds, Error> {
        self.database.run("log_bounds", || self.ends()).await
    }

    async fn wake(&self, after: Position) {
        let mut changed = std::pin::pin!(self.changed.notified());
        // Registered before the look, so that nothing published between the two is slept through.
        changed.as_mut().enable();
        if !matches!(self.database.run("wake_log", || self.any(after)).await, Ok(true)) {
            let _woken = tokio::time::timeout(NAP, changed).await;
        }
    }
}

impl LocalLog {
    /// `clock` tells when entries are published; they are pruned by that.
    pub(crate) fn new(database: Arc<Database>, clock: Arc<dyn Clock>) -> Self {
        let file = database.clone();
        let writer = Group::start("the local log", move |entries| write(file.clone(), entries));
        Self { database, clock, changed: Notify::new(), writer }
    }

    fn entry(&self, event: &Event) -> Result<Entry, Fault> {
        Ok(Entry {
            tenant: event.tenant.as_str().to_owned(),
            event_id: event.id.as_str().to_owned(),
            published_at: micros(self.clock.now()),
            body: body::pack(event)?,
        })
    }

    async fn insert_again(&self, event: &Event) -> Result<(), Fault> {
        let mut change = self.database.change().await?;
        sql(FORGET).bind(event.tenant.as_str()).bind(event.id.as_str()).execute(&mut *change).await?;
        publish_of(&self.entry(event)?).execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    async fn entries(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Fault> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = sql(READ).bind(place(after)).bind(max).fetch_all(&mut *self.database.reads().await?).await?;
        let entries = rows.iter().map(|row| {
            let columns = Columns::of("local_log", row);
            let received = match columns.body("body") {
                Ok(event) => Received::Event(event),
                Err(fault) => Received::Incomprehensible(unreadable(&columns, &fault)?),
            };
            Ok(LogEntry { position: position(columns.get("position")?), received })
        });
        entries.collect()
    }

    async fn ends(&self) -> Result<LogBounds, Fault> {
        let row = sql(BOUNDS).fetch_one(&mut *self.database.reads().await?).await?;
        let last = position(row.try_get("last")?);
        let first = row.try_get::<Option<i64>, _>("first")?.map_or(last + 1, position);
        // It is in the same file as the position.
        Ok(LogBounds { first, last, made: None })
    }

    async fn any(&self, after: Position) -> Result<bool, Fault> {
        Ok(sql(ANY).bind(place(after)).fetch_optional(&mut *self.database.reads().await?).await?.is_some())
    }
}

/// An entry of which this version does not know what it is: damaged, or of a later version. Those behind it do not wait for it.
fn unreadable(columns: &Columns<'_>, fault: &Fault) -> Result<Incomprehensible, Fault> {
    let (tenant, event): (String, String) = (columns.get("tenant")?, columns.get("event_id")?);
    let why = match fault {
        Fault::BadRow { source, .. } => source.to_string(),
        _ => "it cannot be read".to_owned(),
    };
    Ok(Incomprehensible {
        subject: format!("tidegate.events.{tenant}"),
        tenant: tenant.parse().ok(),
        payload: columns.get("body")?,
        reason: format!("event {event}: the entry of the log cannot be read: {why}"),
        time: columns.time("published_at")?,
    })
}

/// Commits what waits as one.
async fn write(database: Arc<Database>, entries: Vec<Vec<Entry>>) -> Vec<Result<(), Error>> {
    let written = database.run("publish", || insert(&database, &entries)).await;
    vec![written; entries.len()]
}

async fn insert(database: &Database, entries: &[Vec<Entry>]) -> Result<(), Fault> {
    let mut change = database.change().await?;
    for entry in entries.iter().flatten() {
        publish_of(entry).execute(&mut *change).await?;
    }
    change.commit().await?;
    Ok(())
}

fn publish_of(entry: &Entry) -> Statement {
    sql(PUBLISH)
        .bind(entry.tenant.clone())
        .bind(entry.event_id.clone())
        .bind(entry.published_at)
        .bind(entry.body.clone())
}

fn place(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn position(place: i64) -> Position {
    Position::try_from(place).unwrap_or(0)
}
