//! The bus: an ordered log of events with positions, not a queue.

use async_trait::async_trait;

use crate::{Error, Event, TenantId, Timestamp};

/// A place in the log: 0 is before everything, entry 1 is the first.
pub type Position = u64;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place.
    pub position: Position,
    /// What was published there.
    pub received: Received,
}

/// What a publisher put on the bus: foreign publishers can put anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An event.
    Event(Event),
    /// Something else; kept aside, never in the way.
    Incomprehensible(Incomprehensible),
}

/// An entry that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomprehensible {
    /// The tenant that the subject names, whether or not there is one.
    pub tenant: Option<TenantId>,
    /// Where it was published: the bus's subject.
    pub subject: String,
    /// The bytes, as they came; of what came in binary mode, attributes and all as structured mode has them.
    pub payload: Vec<u8>,
    /// What was expected, and where.
    pub reason: String,
    /// When it came.
    pub time: Timestamp,
}

/// What the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// The oldest entry still there; past `last` when there is none. A reader whose position is before `first - 1` has missed entries.
    pub first: Position,
    /// The newest entry; 0 when there never was one.
    pub last: Position,
    /// When the log was made, where it can be another one than before: positions are places in one log. `None` where it is never another one.
    pub made: Option<Timestamp>,
}

/// An ordered, durable log of events.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Returns once the event is durable. The same tenant and id again within the log's window changes nothing.
    async fn publish(&self, event: &Event) -> Result<(), Error>;

    /// As [`EventLog::publish`], for many in this order. After an error some of them may be there.
    async fn publish_all(&self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            self.publish(event).await?;
        }
        Ok(())
    }

    /// As [`EventLog::publish`], for an event that may be in the log already and could not be taken in: it is there again on return.
    async fn republish(&self, event: &Event) -> Result<(), Error>;

    /// Reads up to `max` entries after a position, in order, without waiting; empty at the end.
    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error>;

    /// What the log holds now.
    async fn bounds(&self) -> Result<LogBounds, Error>;

    /// Returns when there may be entries after the position, or after a while; then [`EventLog::read`] tells.
    async fn wake(&self, after: Position);
}
