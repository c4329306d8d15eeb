//! [`EventLog`] on a JetStream stream: positions are stream sequences.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use async_trait::async_trait;
use futures::StreamExt as _;
use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::contract::{EventLog, LogBounds, LogEntry, Position};
use tidegate_model::{Error, Event, Timestamp, micros};
use tokio::time::timeout;

use super::received::received;
use super::{DEADLINE, Link};

/// What is missing while the broker is away.
const BUS: &str = "the event bus";

/// So many messages are held in memory by one read, however many are asked for.
const MAX_READ: usize = 500;

/// How long [`EventLog::wake`] waits for a message.
const WAKE: Duration = Duration::from_secs(20);

/// How long it pauses when the broker is away.
const PAUSE: Duration = Duration::from_millis(500);

/// Each read is an ordered pull from a position, by a short-lived consumer that acknowledges nothing: nothing about a reader is kept
/// on the broker, so nothing there can disagree with the position that the reader keeps.
pub(super) struct NatsEventLog(Link);

impl NatsEventLog {
    pub(super) fn new(link: Link) -> Self {
        Self(link)
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
        let created = self.0.jetstream.create_consumer_on_stream(config, &self.0.names.event_stream);
        within(created).await
    }

    async fn forget(&self, consumer: &PullConsumer) {
        let (name, stream) = (&consumer.cached_info().name, &self.0.names.event_stream);
        // The broker forgets it by itself too.
        let _ = timeout(DEADLINE, self.0.jetstream.delete_consumer_from_stream(name, stream)).await;
    }

    /// Up to `count` entries, in order and without a hole: a message that was lost on its way ends the batch.
    async fn pull(&self, consumer: &PullConsumer, count: usize) -> Result<Vec<LogEntry>, Error> {
        let mut batch = within(consumer.batch().max_messages(count).expires(DEADLINE / 2).messages()).await?;
        let mut entries = Vec::with_capacity(count);
        // The stream ends by itself, some time after it expired.
        while let Some(message) = batch.next().await {
            let Ok(message) = message else { break };
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
        let nanos = i64::try_from(info.published.unix_timestamp_nanos()).ok()?;
        let time = micros(Timestamp::from_timestamp_nanos(nanos));
        let received =
            received(&self.0.names.events, message.subject.as_str(), message.headers.as_ref(), &message.payload, time);
        Some((info.consumer_sequence, LogEntry { position: info.stream_sequence, received }))
    }

    async fn send(&self, event: &Event, id: Option<String>) -> Result<(), Error> {
        let change = event.change.event_type().as_str().to_ascii_lowercase();
        let subject = format!("{}.{}.{}.{change}", self.0.names.events, event.tenant, event.object_type);
        let message = PublishMessage::build()
            .payload(CloudEvent::structured(event).as_str().to_owned().into())
            .header("Content-Type", "application/cloudevents+json")
            .expected_stream(&self.0.names.event_stream);
        let message = match id {
            Some(id) => message.message_id(id),
            None => message,
        };
        let published = async { self.0.jetstream.send_publish(subject, message).await?.await };
        match timeout(DEADLINE, published).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(fault)) if fault.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let room = self.0.client.max_payload();
                Err(Error::invalid("data", format!("an event of at most {room} bytes, the broker's limit")))
            }
            Ok(Err(fault)) => {
                tracing::warn!(cause = %fault, "the broker did not take an event");
                Err(Error::Unavailable(BUS))
            }
            Err(_) => Err(Error::Unavailable(BUS)),
        }
    }

    async fn has_more(&self, after: Position) -> Result<(), Error> {
        let consumer = self.consumer(after, true).await?;
        if consumer.cached_info().num_pending == 0 {
            let mut batch = within(consumer.batch().max_messages(1).expires(WAKE).messages()).await?;
            batch.next().await;
        }
        self.forget(&consumer).await;
        Ok(())
    }

    async fn state(&self) -> Result<stream::State, Error> {
        let stream = within(self.0.jetstream.get_stream(&self.0.names.event_stream)).await?;
        Ok(stream.cached_info().state.clone())
    }
}

/// Bounds a request to the broker; whatever goes wrong with one, asking again later may help.
async fn within<T, E: std::fmt::Display>(request: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
    match timeout(DEADLINE, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "the broker did not carry out a request");
            Err(Error::Unavailable(BUS))
        }
        Err(_) => Err(Error::Unavailable(BUS)),
    }
}

#[async_trait]
impl EventLog for NatsEventLog {
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        self.send(event, Some(format!("{}/{}", event.tenant, event.id))).await
    }

    /// Without the id by which the broker knows what it had within its window.
    async fn republish(&self, event: &Event) -> Result<(), Error> {
        self.send(event, None).await
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        if max == 0 || self.state().await?.last_sequence <= after {
            return Ok(Vec::new());
        }
        let consumer = self.consumer(after, false).await?;
        let pending = usize::try_from(consumer.cached_info().num_pending).unwrap_or(usize::MAX);
        let count = pending.min(max).min(MAX_READ);
        let entries = if count == 0 { Ok(Vec::new()) } else { self.pull(&consumer, count).await };
        self.forget(&consumer).await;
        entries
    }

    async fn bounds(&self) -> Result<LogBounds, Error> {
        let state = self.state().await?;
        let last = state.last_sequence;
        let first = if state.messages == 0 { last + 1 } else { state.first_sequence };
        Ok(LogBounds { first, last })
    }

    async fn wake(&self, after: Position) {
        tokio::select! {
            // What waits on a connection that was lost waits in vain.
            () = self.0.changes.reconnection() => {}
            more = self.has_more(after) => {
                if more.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
