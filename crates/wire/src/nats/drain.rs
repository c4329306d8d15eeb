//! Carrying records from the stream to where they stay.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::AckKind;
use async_trait::async_trait;
use futures::StreamExt as _;
use tidegate_model::{Error, Execution};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aside::Aside;
use super::undeliverable::Open;
use super::{DEADLINE, Link, consumer, leftovers, raw, undeliverable};
use crate::standing::{Standing, with_causes};

/// Where drained records stay.
#[async_trait]
pub trait RecordSink: Send + Sync {
    /// Stores records; returns once they are durable. One whose id is there already changes nothing: each comes at least once.
    async fn store(&self, records: &[Execution]) -> Result<(), Error>;
}

/// The most that one batch stores together: enough for a database to be near its best.
const BATCH: usize = 256;

/// How long the broker waits for an acknowledgement before it gives a record to another process.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long the broker is to wait before it gives a record again that could not be set aside.
const AGAIN: Duration = Duration::from_mins(1);

/// How long to wait between two looks at what was acknowledged and is there again.
const LOOK: Duration = Duration::from_mins(1);

/// How long to pause when the broker or the sink is away.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Drain {
    link: Link,
    sink: Arc<dyn RecordSink>,
    broker: Standing,
    database: Standing,
    looks: Standing,
    aside: Aside,
}

impl Drain {
    pub(super) fn new(link: Link, sink: Arc<dyn RecordSink>) -> Self {
        let (broker, database, looks) = (Standing::default(), Standing::default(), Standing::default());
        Self { aside: Aside::new(link.clone()), link, sink, broker, database, looks }
    }

    /// Goes on until `stop`, whatever the broker or the sink does meanwhile. A batch that was begun is ended.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let again = stop.run_until_cancelled(self.aside.try_again(&*self.sink));
        futures::future::join(self.carry_on(&stop), again).await;
    }

    async fn carry_on(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(cause) = self.follow(stop).await {
                self.link.changes.doubt();
                if let Some(cause) = self.broker.fails(&cause) {
                    tracing::warn!(cause, "records cannot be drained now");
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    /// Takes batches of what is waiting, until something breaks, the consumer is to be put right, or `stop`.
    async fn follow(&self, stop: &CancellationToken) -> Result<(), async_nats::Error> {
        let consumer = consumer::prepare(&self.link).await?;
        // The first look is now: the broker may have been killed, or a record may have ended what was here before.
        if !self.look(true).await {
            return Ok(());
        }
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .expires(Duration::from_secs(20))
            .heartbeat(DEADLINE)
            .messages()
            .await?;
        let mut batches = messages.ready_chunks(BATCH);
        let mut looks = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
        loop {
            let batch = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = looks.tick() => {
                    if !self.look(false).await {
                        return Ok(());
                    }
                    continue;
                }
                // A consumer on a connection that was lost is asked again rather than waited for.
                () = self.link.changes.reconnection() => return Ok(()),
                batch = batches.next() => batch,
            };
            let Some(batch) = batch else { return Ok(()) };
            let mut broken = None;
            let mut taken = Vec::with_capacity(batch.len());
            for message in batch {
                match message {
                    Ok(message) => taken.push(message),
                    Err(cause) => broken = Some(cause),
                }
            }
            let is_doubtful = taken.iter().any(|message| message.payload.is_empty());
            self.carry(taken, stop).await?;
            if broken.is_none() && self.broker.works() {
                tracing::info!("records are drained again");
            }
            if let Some(cause) = broken {
                return Err(cause.into());
            }
            if is_doubtful && !self.look(false).await {
                return Ok(());
            }
        }
    }

    /// Takes out what no delivery does. A fault in it is no reason not to carry what can be carried. Whether the consumer is as it must be.
    async fn look(&self, is_first: bool) -> bool {
        match self.clear(is_first).await {
            Ok(is_right) => {
                if self.looks.works() {
                    tracing::info!("what lies about among the records is cleared away again");
                }
                is_right
            }
            Err(cause) => {
                if let Some(cause) = self.looks.fails(with_causes(&*cause)) {
                    tracing::warn!(cause, "what lies about among the records cannot be cleared away now");
                }
                true
            }
        }
    }

    async fn clear(&self, is_first: bool) -> Result<bool, async_nats::Error> {
        let Some(info) = consumer::info(&self.link).await? else { return Ok(false) };
        if info.fault(&self.link).is_some() {
            return Ok(false);
        }
        let acknowledged = info.ack_floor.stream_sequence;
        // Later one that cannot be taken shows itself by coming again.
        if is_first && info.num_ack_pending > 0 || info.num_redelivered > 0 {
            let open = Open { acknowledged, delivered: info.delivered.stream_sequence, all: is_first };
            undeliverable::remove(&self.link, &*self.sink, &self.aside, open).await?;
        }
        leftovers::remove(&self.link, &*self.sink, acknowledged).await?;
        Ok(true)
    }

    /// Stores a batch and acknowledges it. Then what cannot be stored however often it is tried is set aside.
    async fn carry(&self, taken: Vec<jetstream::Message>, stop: &CancellationToken) -> Result<(), async_nats::Error> {
        let (mut records, mut messages) = (Vec::with_capacity(taken.len()), Vec::with_capacity(taken.len()));
        let mut others = Vec::new();
        for message in taken {
            let Some(message) = self.whole(message).await? else { continue };
            match serde_json::from_slice::<Execution>(&message.payload) {
                Ok(record) => {
                    records.push(record);
                    messages.push(message);
                }
                Err(cause) => others.push((message, cause.to_string())),
            }
        }
        if records.is_empty() || self.store(&records, &messages, stop).await? {
            for message in &messages {
                message.ack().await?;
            }
            // They make room for those that are to be set aside, once the broker has heard of it.
            if let Some(message) = messages.last().filter(|_| !others.is_empty()) {
                message.double_ack().await?;
            }
        } else {
            // One of them is in the way of the others; which one shows itself alone.
            for (record, message) in records.iter().zip(messages) {
                if self.store(std::slice::from_ref(record), std::slice::from_ref(&message), stop).await? {
                    message.double_ack().await?;
                } else {
                    others.push((message, "the database refuses it".to_owned()));
                }
            }
        }
        for (message, cause) in &others {
            self.set_aside(message, cause).await?;
        }
        Ok(())
    }

    /// A message without anything in it may be one that the consumer was told to give without what is in it. Nothing where it is gone.
    async fn whole(&self, mut message: jetstream::Message) -> Result<Option<jetstream::Message>, async_nats::Error> {
        if message.payload.is_empty() {
            let sequence = message.info()?.stream_sequence;
            let stored = raw::at(&self.link.jetstream, &self.link.names.record_stream, sequence).await?;
            let Some(stored) = stored else { return Ok(None) };
            message.message.payload = stored.payload;
        }
        Ok(Some(message))
    }

    /// Whether the sink took the records; waits while it is away, and then ends only with `stop` (as an error: they come again).
    async fn store(
        &self,
        records: &[Execution],
        messages: &[jetstream::Message],
        stop: &CancellationToken,
    ) -> Result<bool, async_nats::Error> {
        loop {
            match self.sink.store(records).await {
                Ok(()) => {
                    if self.database.works() {
                        tracing::info!("records are stored again");
                    }
                    return Ok(true);
                }
                Err(Error::Unavailable(what)) => {
                    if let Some(what) = self.database.fails(what) {
                        tracing::warn!(what, waiting = records.len(), "records wait");
                    }
                    if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                        return Err(Error::Unavailable(what).into());
                    }
                    for message in messages {
                        message.ack_with(AckKind::Progress).await?;
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, count = records.len(), "records could not be stored");
                    return Ok(false);
                }
            }
        }
    }

    /// Keeps a record out of the way of the others, in the same stream under another subject. Where there is no room, the broker gives it again later.
    async fn set_aside(&self, message: &jetstream::Message, cause: &str) -> Result<(), async_nats::Error> {
        let sequence = message.info()?.stream_sequence;
        if self.aside.keep(&message.subject, sequence, message.payload.clone(), cause).await? {
            // Its room is the next one's.
            message.double_ack().await
        } else {
            message.ack_with(AckKind::Nak(Some(AGAIN))).await
        }
    }
}
