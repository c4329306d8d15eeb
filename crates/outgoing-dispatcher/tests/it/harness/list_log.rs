//! A log of which entries can be lost, and on which anybody can put anything.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_model::contract::{EventLog, Incomprehensible, LogBounds, LogEntry, Position, Received};
use tidegate_model::{Error, Event};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct ListLog {
    entries: Mutex<Entries>,
    changed: Notify,
}

#[derive(Default)]
struct Entries {
    forgotten: usize,
    all: Vec<Received>,
}

impl ListLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Loses the oldest entries.
    pub(crate) fn forget(&self, count: usize) {
        self.entries.lock().unwrap().forgotten += count;
    }

    /// Puts something on the log that is no event.
    pub(crate) fn nonsense(&self) {
        self.entries.lock().unwrap().all.push(Received::Incomprehensible(Incomprehensible {
            tenant: Some(super::tenant()),
            subject: "tidegate.events.acme.Order.explode".to_owned(),
            payload: vec![0xff],
            reason: "expected create, update or delete".to_owned(),
            time: "2026-03-01T12:00:00Z".parse().unwrap(),
        }));
    }
}

#[async_trait]
impl EventLog for ListLog {
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        self.entries.lock().unwrap().all.push(Received::Event(event.clone()));
        self.changed.notify_waiters();
        Ok(())
    }

    async fn republish(&self, event: &Event) -> Result<(), Error> {
        self.publish(event).await
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        let entries = self.entries.lock().unwrap();
        let from = usize::try_from(after).unwrap().max(entries.forgotten);
        let all = entries.all.iter().enumerate().skip(from).take(max);
        Ok(all.map(|(at, received)| LogEntry { position: at as u64 + 1, received: received.clone() }).collect())
    }

    async fn bounds(&self) -> Result<LogBounds, Error> {
        let entries = self.entries.lock().unwrap();
        Ok(LogBounds { first: entries.forgotten as u64 + 1, last: entries.all.len() as u64, made: None })
    }

    async fn wake(&self, _: Position) {
        self.changed.notified().await;
    }
}
