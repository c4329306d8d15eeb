//! [`EventLog`] on a JetStream stream: positions are stream sequences.

use std::time::Duration;

use async_nats::datetime::DateTime;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, stream};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;
use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::contract::{EventLog, LogBounds, LogEntry, Position, Received};
use tidegate_model::{Error, Event, Timestamp, micros};
use tokio::time::{Instant, sleep, timeout};

use super::detour::Detour;
use super::raw::RawFault;
use super::received::{received, received_raw};
use super::{DEADLINE, Link, raw};
use crate::standing::{Standing, with_causes};

/// What is missing while the broker is away.
const BUS: &str = "the event bus";

/// So many messages are held in memory by one read, however many are asked for.
const MAX_READ: usize = 500;

/// How long [`EventLog::wake`] waits for a message.
const WAKE: Duration = Duration::from_secs(20);

/// How long it pauses when the broker is away.
const PAUSE: Duration = Duration::from_millis(500);

/// The most that one read asks for one by one.
const MAX_ONE_BY_ONE: usize = 100;

/// So many of these are under way together.
const TOGETHER: usize = 16;

/// How long to wait between two looks for a message that may be one that cannot be delivered.
const LOOK: Duration = Duration::from_millis(250);

/// Each read is an ordered pull from a position, by a short-lived consumer that acknowledges nothing: nothing about a reader is kept
/// on the broker, so nothing there can disagree with the position that the reader keeps.
///
/// Where a pull breaks off, what comes next may be a message that async-nats cannot take: the next read asks for it as it is stored, and past it.
pub(super) struct NatsEventLog {
    link: Link,
    standing: Standing,
    detour: Detour,
}

/// An event as it is published.
struct Message {
    subject: String,
    payload: Bytes,
}

impl NatsEventLog {
    pub(super) fn new(link: Link) -> Self {
        Self { link, standing: Standing::default(), detour: Detour::default() }
    }

    fn message(&self, event: &Event) -> Message {
        let change = event.change.event_type().as_str().to_ascii_lowercase();
        Message {
            subject: format!("{}.{}.{}.{change}", self.link.names.events, event.tenant, event.object_type),
            payload: CloudEvent::structured(event).as_str().to_owned().into(),
        }
    }

    /// A consumer of what comes after a position; the broker forgets it when it is not used for a while.
    async fn consumer(&self, after: Position, headers_only: bool) -> Result<PullConsumer, Error> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            inactive_threshold: Duration::from_secs(30),
            memory_storage: true,
            num_replicas: 1,
            headers_only,
            ..pull::Config::default()
        };
        let created = self.link.jetstream.create_consumer_on_stream(config, &self.link.names.event_stream);
        self.within(created).await
    }

    async fn forget(&self, consumer: &PullConsumer) {
        let (name, stream) = (&consumer.cached_info().name, &self.link.names.event_stream);
        // The broker forgets it by itself too.
        let _ = timeout(DEADLINE, self.link.jetstream.delete_consumer_from_stream(name, stream)).await;
    }

    /// What there is after a position, by a consumer.
    async fn delivered(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        let consumer = self.consumer(after, false).await?;
        let pending = usize::try_from(consumer.cached_info().num_pending).unwrap_or(usize::MAX);
        let count = pending.min(max);
        let entries = if count == 0 { Ok(Vec::new()) } else { self.pull(&consumer, count).await };
        if entries.as_ref().is_ok_and(|entries| entries.len() < count) {
            self.detour.doubt();
        }
        self.forget(&consumer).await;
        entries
    }

    /// Up to `count` entries, in order and without a hole: a message that was lost on its way ends the batch, and so does the connection's loss.
    async fn pull(&self, consumer: &PullConsumer, count: usize) -> Result<Vec<LogEntry>, Error> {
        let mut connections = self.link.changes.connections();
        let mut batch = self.within(consumer.batch().max_messages(count).expires(DEADLINE / 2).messages()).await?;
        let mut entries = Vec::with_capacity(count);
        // The stream ends by itself, some time after it expired.
        loop {
            let message = tokio::select! {
                biased;
                message = batch.next() => message,
                _ = connections.changed() => break,
            };
            let Some(Ok(message)) = message else { break };
            let Some((number, entry)) = self.entry(&message) else { break };
            if number != entries.len() as u64 + 1 {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The entry, and its number among those delivered to the consumer.
    fn entry(&self, message: &jetstream::Message) -> Option<(u64, LogEntry)> {
        let info = message.info().ok()?;
        let time = instant(info.published)?;
        let received = received(
            &self.link.names.events,
            message.subject.as_str(),
            message.headers.as_ref(),
            &message.payload,
            time,
        );
        Some((info.consumer_sequence, LogEntry { position: info.stream_sequence, received }))
    }

    /// What there is after a position, asked for message by message.
    async fn one_by_one(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut odd = None;
        while entries.len() < max {
            let from = entries.last().map_or(after, |entry| entry.position) + 1;
            let some = match self.some(from, TOGETHER.min(max - entries.len())).await {
                Ok(some) => some,
                Err(fault) if entries.is_empty() => {
                    // Who may not ask like this reads on where nothing was in the way.
                    self.detour.found_nothing();
                    return Err(fault);
                }
                Err(_) => break,
            };
            if some.is_empty() {
                break;
            }
            odd = odd.or(some.iter().find(|message| message.is_odd()).map(|message| message.sequence));
            entries.extend(some.iter().map(|message| self.stored_entry(message)));
        }
        match odd {
            None => self.detour.found_nothing(),
            Some(position) if self.detour.met() => {
                tracing::warn!(
                    position,
                    "the log has a message that clients cannot read; it is read one by one for a while"
                );
            }
            Some(_) => {}
        }
        Ok(entries)
    }

    /// Some messages from a sequence on, in order and without a hole.
    async fn some(&self, from: Position, count: usize) -> Result<Vec<raw::Stored>, Error> {
        let (jetstream, stream) = (&self.link.jetstream, self.link.names.event_stream.as_str());
        let Some(first) = self.within(raw::next(jetstream, stream, ">", from)).await? else { return Ok(Vec::new()) };
        let others = (1..count as u64).map(|i| raw::at(jetstream, stream, first.sequence + i));
        let others = self.within(async { Ok::<_, RawFault>(join_all(others).await) }).await?;
        // One that is not there may have come while these were asked for, before one that is.
        let others = others.into_iter().map_while(|other| other.ok().flatten());
        Ok(std::iter::once(first).chain(others).collect())
    }

    fn stored_entry(&self, message: &raw::Stored) -> LogEntry {
        let time = instant(message.time).unwrap_or_default();
        LogEntry { position: message.sequence, received: received_raw(&self.link.names.events, message, time) }
    }

    async fn send(&self, message: &Message, id: Option<String>) -> Result<PublishAck, Error> {
        let publish = PublishMessage::build()
            .payload(message.payload.clone())
            .header("Content-Type", "application/cloudevents+json")
            .expected_stream(&self.link.names.event_stream);
        let publish = match id {
            Some(id) => publish.message_id(id),
            None => publish,
        };
        let published = async { self.link.jetstream.send_publish(message.subject.clone(), publish).await?.await };
        match timeout(DEADLINE, published).await {
            Ok(Ok(ack)) => {
                self.worked();
                Ok(ack)
            }
            Ok(Err(fault)) if fault.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let room = self.link.client.max_payload();
                Err(Error::invalid("data", format!("an event of at most {room} bytes, the broker's limit")))
            }
            Ok(Err(fault)) => Err(self.failed(&with_causes(&fault))),
            Err(_) => Err(Error::Unavailable(BUS)),
        }
    }

    /// Whether the broker has the event there, whoever published it.
    async fn has(&self, sequence: u64, event: &Event) -> bool {
        let there = async {
            let stream = self.link.jetstream.get_stream_no_info(&self.link.names.event_stream).await.ok()?;
            stream.get_raw_message(sequence).await.ok()
        };
        let Some(there) = timeout(DEADLINE, there).await.ok().flatten() else { return false };
        let (subject, headers) = (there.subject.as_str(), Some(&there.headers));
        let received = received(&self.link.names.events, subject, headers, &there.payload, event.time);
        matches!(received, Received::Event(there) if there.tenant == event.tenant && there.id == event.id)
    }

    async fn has_more(&self, after: Position) -> Result<(), Error> {
        if self.detour.is_taken() {
            return self.look_for_more(after).await;
        }
        let consumer = self.consumer(after, true).await?;
        if consumer.cached_info().num_pending == 0 {
            let mut batch = self.within(consumer.batch().max_messages(1).expires(WAKE).messages()).await?;
            let started = Instant::now();
            if !matches!(batch.next().await, Some(Ok(_))) && started.elapsed() < WAKE {
                self.detour.doubt();
            }
        }
        self.forget(&consumer).await;
        Ok(())
    }

    /// Without having anything delivered.
    async fn look_for_more(&self, after: Position) -> Result<(), Error> {
        let (jetstream, stream) = (&self.link.jetstream, self.link.names.event_stream.as_str());
        let until = Instant::now() + WAKE;
        while Instant::now() < until {
            if self.within(raw::next(jetstream, stream, ">", after + 1)).await?.is_some() {
                break;
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn info(&self) -> Result<stream::Info, Error> {
        let stream = self.within(self.link.jetstream.get_stream(&self.link.names.event_stream)).await?;
        Ok(stream.cached_info().clone())
    }

    /// Bounds a request to the broker; whatever goes wrong with one, asking again later may help.
    async fn within<T, E: std::error::Error>(&self, request: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        match timeout(DEADLINE, request).await {
            Ok(Ok(answer)) => {
                self.worked();
                Ok(answer)
            }
            Ok(Err(cause)) => Err(self.failed(&with_causes(&cause))),
            Err(_) => Err(Error::Unavailable(BUS)),
        }
    }

    fn failed(&self, cause: &str) -> Error {
        self.link.changes.doubt();
        if let Some(cause) = self.standing.fails(cause) {
            tracing::warn!(cause, "the broker does not do what it is asked for with events");
        }
        Error::Unavailable(BUS)
    }

    fn worked(&self) {
        if self.standing.works() {
            tracing::info!("the broker does again what it is asked for with events");
        }
    }
}

fn instant(time: DateTime) -> Option<Timestamp> {
    let nanos = i64::try_from(time.unix_timestamp_nanos()).ok()?;
    Some(micros(Timestamp::from_timestamp_nanos(nanos)))
}

#[async_trait]
impl EventLog for NatsEventLog {
    /// The broker's memory of ids is one for all who may publish, whatever their subjects: what it calls known may be somebody else's message.
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        let message = self.message(event);
        let ack = self.send(&message, Some(format!("{}/{}", event.tenant, event.id))).await?;
        if ack.duplicate && !self.has(ack.sequence, event).await {
            self.send(&message, None).await?;
        }
        Ok(())
    }

    /// Without the id by which the broker knows what it had within its window.
    async fn republish(&self, event: &Event) -> Result<(), Error> {
        self.send(&self.message(event), None).await.map(drop)
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        if max == 0 {
            return Ok(Vec::new());
        }
        if self.detour.is_taken() {
            self.one_by_one(after, max.min(MAX_ONE_BY_ONE)).await
        } else {
            self.delivered(after, max.min(MAX_READ)).await
        }
    }

    async fn bounds(&self) -> Result<LogBounds, Error> {
        let stream::Info { state, created, .. } = self.info().await?;
        let last = state.last_sequence;
        let first = if state.messages == 0 { last + 1 } else { state.first_sequence };
        Ok(LogBounds { first, last, made: instant(created) })
    }

    async fn wake(&self, after: Position) {
        tokio::select! {
            // What waits on a connection that was lost waits in vain.
            () = self.link.changes.reconnection() => self.detour.doubt(),
            more = self.has_more(after) => {
                if more.is_err() {
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
