//! Carrying records from the stream to where they stay.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_trait::async_trait;
use futures::StreamExt as _;
use tidegate_model::{Error, Execution};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aside::Aside;
use super::undeliverable::Open;
use super::{DEADLINE, Link, leftovers, undeliverable};
use crate::standing::{Standing, with_causes};

/// Where drained records stay.
#[async_trait]
pub trait RecordSink: Send + Sync {
    /// Stores records; returns once they are durable. One whose id is there already changes nothing: each comes at least once.
    async fn store(&self, records: &[Execution]) -> Result<(), Error>;
}

/// Shared by every process that drains.
const CONSUMER: &str = "records";

/// The most that one batch stores together: enough for a database to be near its best.
const BATCH: usize = 256;

/// How long the broker waits for an acknowledgement before it gives a record to another process.
const ACK_WAIT: Duration = Duration::from_secs(30);

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
        while !stop.is_cancelled() {
            if let Err(cause) = self.follow(&stop).await {
                self.link.changes.doubt();
                if let Some(cause) = self.broker.fails(&cause) {
                    tracing::warn!(cause, "records cannot be drained now");
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    /// Takes batches of what is waiting, until something breaks or `stop`.
    async fn follow(&self, stop: &CancellationToken) -> Result<(), async_nats::Error> {
        let consumer = self.consumer().await?;
        // The first look is now: the broker may have been killed, or a record may have ended what was here before.
        self.look(&consumer, true).await;
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
                    self.look(&consumer, false).await;
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
            self.carry(taken, stop).await?;
            if broken.is_none() && self.broker.works() {
                tracing::info!("records are drained again");
            }
            if let Some(cause) = broken {
                return Err(cause.into());
            }
        }
    }

    /// Takes out what no delivery does. A fault in it is no reason not to carry what can be carried.
    async fn look(&self, consumer: &PullConsumer, is_first: bool) {
        match self.clear(consumer, is_first).await {
            Ok(()) => {
                if self.looks.works() {
                    tracing::info!("what lies about among the records is cleared away again");
                }
            }
            Err(cause) => {
                if let Some(cause) = self.looks.fails(with_causes(&*cause)) {
                    tracing::warn!(cause, "what lies about among the records cannot be cleared away now");
                }
            }
        }
    }

    async fn clear(&self, consumer: &PullConsumer, is_first: bool) -> Result<(), async_nats::Error> {
        let info = consumer.get_info().await?;
        let acknowledged = info.ack_floor.stream_sequence;
        // Later one that cannot be taken shows itself by coming again.
        if is_first && info.num_ack_pending > 0 || info.num_redelivered > 0 {
            let open = Open { acknowledged, delivered: info.delivered.stream_sequence, all: is_first };
            undeliverable::remove(&self.link, &*self.sink, &self.aside, open).await?;
        }
        leftovers::remove(&self.link, &*self.sink, acknowledged).await
    }

    async fn consumer(&self) -> Result<PullConsumer, async_nats::Error> {
        let config = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            description: Some("Takes execution records to the database".to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: format!("{}.>", self.link.names.records),
            max_ack_pending: 10_000,
            ..pull::Config::default()
        };
        Ok(self.link.jetstream.create_consumer_on_stream(config, &self.link.names.record_stream).await?)
    }

    /// Stores a batch and acknowledges it. What cannot be stored however often it is tried is set aside.
    async fn carry(&self, taken: Vec<jetstream::Message>, stop: &CancellationToken) -> Result<(), async_nats::Error> {
        let mut records = Vec::with_capacity(taken.len());
        let mut messages = Vec::with_capacity(taken.len());
        for message in taken {
            match serde_json::from_slice::<Execution>(&message.payload) {
                Ok(record) => {
                    records.push(record);
                    messages.push(message);
                }
                Err(cause) => self.set_aside(&message, &cause).await?,
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        if self.store(&records, &messages, stop).await? {
            for message in &messages {
                message.ack().await?;
            }
            return Ok(());
        }
        // One of them is in the way of the others; which one shows itself alone.
        for (record, message) in records.iter().zip(&messages) {
            if self.store(std::slice::from_ref(record), std::slice::from_ref(message), stop).await? {
                message.ack().await?;
            } else {
                self.set_aside(message, &"the database refuses it").await?;
            }
        }
        Ok(())
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

    /// Keeps a record out of the way of the others, in the same stream under another subject, until a person looks at it.
    async fn set_aside(
        &self,
        message: &jetstream::Message,
        cause: &(dyn std::fmt::Display + Sync),
    ) -> Result<(), async_nats::Error> {
        let sequence = message.info()?.stream_sequence;
        self.aside.keep(&message.subject, sequence, message.payload.clone(), cause).await?;
        message.ack().await
    }
}
