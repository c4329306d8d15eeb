//! The bus where there is no other: a table. One writer, so the order of positions is the order of commits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use tidegate_model::contract::{EventLog, LogBounds, LogEntry, Position, Received};
use tidegate_model::{Clock, Error, Event};
use tokio::sync::Notify;

use super::portable::row::Columns;
use super::portable::{Database, Statement, micros, sql};
use crate::body;
use crate::fault::Fault;

// Not `ON CONFLICT DO NOTHING`: that would use up a position, and a place that was never filled looks like a gap once the log is pruned.
const PUBLISH: &str = "INSERT INTO local_log (tenant, event_id, published_at, body) SELECT $1, $2, $3, $4 \
    WHERE NOT EXISTS (SELECT 1 FROM local_log WHERE tenant = $1 AND event_id = $2)";
// Of an entry that is published anew only its place stays, which has the name of no event.
const FORGET: &str =
    "UPDATE local_log SET body = NULL, event_id = event_id || char(0) || position WHERE tenant = $1 AND event_id = $2";
const READ: &str = "SELECT position AS id, position, body FROM local_log WHERE position > $1 AND body IS NOT NULL \
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
}

#[async_trait]
impl EventLog for LocalLog {
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        self.database.run("publish", || self.insert(event)).await?;
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
        Self { database, clock, changed: Notify::new() }
    }

    async fn insert(&self, event: &Event) -> Result<(), Fault> {
        self.publish_of(event)?.execute(self.database.writes()).await?;
        Ok(())
    }

    fn publish_of(&self, event: &Event) -> Result<Statement, Fault> {
        Ok(sql(PUBLISH)
            .bind(event.tenant.as_str())
            .bind(event.id.as_str())
            .bind(micros(self.clock.now()))
            .bind(body::pack(event)?))
    }

    async fn insert_again(&self, event: &Event) -> Result<(), Fault> {
        let mut change = self.database.change().await?;
        sql(FORGET).bind(event.tenant.as_str()).bind(event.id.as_str()).execute(&mut *change).await?;
        self.publish_of(event)?.execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    async fn entries(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Fault> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = sql(READ).bind(place(after)).bind(max).fetch_all(self.database.reads()).await?;
        let entries = rows.iter().map(|row| {
            let columns = Columns::of("local_log", row);
            Ok(LogEntry {
                position: position(columns.get("position")?),
                received: Received::Event(columns.body("body")?),
            })
        });
        entries.collect()
    }

    async fn ends(&self) -> Result<LogBounds, Fault> {
        let row = sql(BOUNDS).fetch_one(self.database.reads()).await?;
        let last = position(row.try_get("last")?);
        let first = row.try_get::<Option<i64>, _>("first")?.map_or(last + 1, position);
        Ok(LogBounds { first, last })
    }

    async fn any(&self, after: Position) -> Result<bool, Fault> {
        Ok(sql(ANY).bind(place(after)).fetch_optional(self.database.reads()).await?.is_some())
    }
}

fn place(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn position(place: i64) -> Position {
    Position::try_from(place).unwrap_or(0)
}
