//! The streams: their names, the settings without which something could be lost, and that they are there.

use std::fmt::Debug;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, ErrorCode};
use tidegate_model::contract::REPEAT_WINDOW;

use super::{Link, NatsFault, NatsOptions};
use crate::standing::{Standing, with_causes};

/// How long a repeated publish is recognised by its id.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);

/// How much longer the broker keeps what is known of repeated calls than an entry may last: clocks differ.
const CLOCKS_DIFFER: Duration = Duration::from_hours(1);

/// Between two looks at the streams, however many doubt.
const REST: Duration = Duration::from_secs(2);

/// What things are called on the broker.
#[derive(Debug)]
pub(super) struct Names {
    /// Before `.<tenant>.<ObjectType>.<change>`.
    pub(super) events: String,
    /// Of events.
    pub(super) event_stream: String,
    /// Before `.<tenant>`.
    pub(super) records: String,
    /// Before `.<tenant>`: records that no version here could read.
    pub(super) unreadable: String,
    /// Of records.
    pub(super) record_stream: String,
    /// Before `.<tenant>.<key>`.
    pub(super) repeats: String,
    /// Of what is known of repeated calls.
    pub(super) repeat_stream: String,
    /// Of notices.
    pub(super) notices: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Result<Self, NatsFault> {
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(NatsFault::Prefix(prefix.to_owned()));
        }
        let capitals = prefix.to_ascii_uppercase();
        Ok(Self {
            events: format!("{prefix}.events"),
            event_stream: format!("{capitals}_EVENTS"),
            records: format!("{prefix}.records.new"),
            unreadable: format!("{prefix}.records.unreadable"),
            record_stream: format!("{capitals}_RECORDS"),
            repeats: format!("{prefix}.repeats"),
            repeat_stream: format!("{capitals}_REPEATS"),
            notices: format!("{prefix}.notices"),
        })
    }
}

/// The streams as they are made.
pub(super) fn needed(names: &Names, options: &NatsOptions) -> [Config; 3] {
    let events = Config {
        name: names.event_stream.clone(),
        description: Some("Domain events, published by Tidegate and by others".to_owned()),
        subjects: vec![format!("{}.>", names.events)],
        retention: RetentionPolicy::Limits,
        max_age: options.events_max_age,
        ..durable(options)
    };
    // What is full refuses, and the caller is told; what was accepted stays until it is stored elsewhere.
    let records = Config {
        name: names.record_stream.clone(),
        description: Some("Execution records on their way to the database".to_owned()),
        subjects: vec![format!("{}.>", names.records), format!("{}.>", names.unreadable)],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        ..durable(options)
    };
    let repeats = Config {
        name: names.repeat_stream.clone(),
        description: Some("Which calls of webhooks came, and what they were answered".to_owned()),
        subjects: vec![format!("{}.>", names.repeats)],
        retention: RetentionPolicy::Limits,
        max_age: REPEAT_WINDOW + CLOCKS_DIFFER,
        max_messages_per_subject: 1,
        ..durable(options)
    };
    [events, records, repeats]
}

/// Makes the streams, or checks those that are there.
pub(super) async fn prepare(jetstream: &Context, needed: &[Config; 3]) -> Result<(), NatsFault> {
    for needed in needed {
        let fault = |source: async_nats::Error| NatsFault::Stream { stream: needed.name.clone(), source };
        let stream = jetstream.get_or_create_stream(needed).await.map_err(|e| fault(Box::new(e)))?;
        check(needed, &stream.cached_info().config)?;
    }
    Ok(())
}

/// Whether the brokers have not agreed yet on who leads them.
pub(super) fn is_not_ready(fault: &CreateStreamError) -> bool {
    match fault.kind() {
        CreateStreamErrorKind::TimedOut => true,
        CreateStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::CLUSTER_NOT_AVAILABLE,
        _ => false,
    }
}

/// Checks that the streams are there, and as they must be.
async fn look(jetstream: &Context, needed: &[Config; 3]) -> Result<(), NatsFault> {
    for needed in needed {
        match jetstream.get_stream(&needed.name).await {
            Ok(stream) => check(needed, &stream.cached_info().config)?,
            Err(cause) if is_missing(&cause.kind()) => return Err(NatsFault::Gone(needed.name.clone())),
            Err(cause) => return Err(NatsFault::Stream { stream: needed.name.clone(), source: Box::new(cause) }),
        }
    }
    Ok(())
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Says when a stream is gone, or changed: looks after each reconnection, and when the broker did not do what it was asked for. It is not made
/// again here, by all processes at one moment: nats-server 2.9 then has two streams of one name, and what goes into one of them is lost.
pub(super) async fn watch(link: Link, needed: [Config; 3]) {
    let (standing, mut connections) = (Standing::default(), link.changes.connections());
    let mut is_open = false;
    loop {
        if !is_open {
            tokio::select! {
                _ = connections.changed() => {}
                () = link.changes.doubted() => {}
            }
        }
        is_open = true;
        if link.client.connection_state() == State::Connected {
            match look(&link.jetstream, &needed).await {
                Ok(()) => {
                    is_open = false;
                    if standing.works() {
                        tracing::info!("the streams are as they must be");
                    }
                }
                Err(fault) => {
                    if let Some(cause) = standing.fails(with_causes(&fault)) {
                        tracing::error!(cause, "ALARM: a stream is not as it must be");
                    }
                }
            }
        }
        tokio::time::sleep(REST).await;
    }
}

fn durable(options: &NatsOptions) -> Config {
    Config {
        storage: StorageType::File,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: options.replicas,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        ..Config::default()
    }
}

/// Ages, sizes and replicas are the operator's choice; the rest is what the contracts stand on.
fn check(needed: &Config, found: &Config) -> Result<(), NatsFault> {
    fn equal<T: PartialEq + Debug>(
        stream: &str,
        setting: &'static str,
        needed: &T,
        found: &T,
    ) -> Result<(), NatsFault> {
        if needed == found {
            return Ok(());
        }
        let (found, needed) = (format!("{found:?}"), format!("{needed:?}"));
        Err(NatsFault::Setting { stream: stream.to_owned(), setting, found, needed })
    }
    let stream = &needed.name;
    equal(stream, "subjects", &needed.subjects, &found.subjects)?;
    equal(stream, "storage", &needed.storage, &found.storage)?;
    equal(stream, "retention", &needed.retention, &found.retention)?;
    // Of events, which leave by age, an operator who limits their size says whether the oldest go or the newest are refused.
    if needed.discard == DiscardPolicy::New {
        equal(stream, "discard policy", &needed.discard, &found.discard)?;
    }
    equal(stream, "duplicate window", &needed.duplicate_window, &found.duplicate_window)?;
    if needed.max_messages_per_subject > 0 {
        let (needed, found) = (needed.max_messages_per_subject, found.max_messages_per_subject);
        equal(stream, "max messages per subject", &needed, &found)?;
    }
    equal(stream, "no_ack", &needed.no_ack, &found.no_ack)?;
    equal(stream, "sealed", &needed.sealed, &found.sealed)
}
