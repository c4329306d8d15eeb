//! The streams: their names, and the settings without which something could be lost.

use std::fmt::Debug;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use tidegate_model::contract::REPEAT_WINDOW;

use super::{NatsFault, NatsOptions};

/// How long a repeated publish is recognised by its id.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);

/// How much longer the broker keeps what is known of repeated calls than an entry may last: clocks differ.
const CLOCKS_DIFFER: Duration = Duration::from_hours(1);

/// The largest message that must pass, in bytes: an event of 900 KiB, with what stands around it. A broker's default is 1 MiB.
pub(super) const LARGEST: usize = 960 * 1024;

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
pub(super) fn check(needed: &Config, found: &Config) -> Result<(), NatsFault> {
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
    if let Ok(room) = usize::try_from(found.max_message_size)
        && (1..LARGEST).contains(&room)
    {
        return Err(NatsFault::Room { setting: "max message size of a stream", room, needed: LARGEST });
    }
    equal(stream, "no_ack", &needed.no_ack, &found.no_ack)?;
    equal(stream, "sealed", &needed.sealed, &found.sealed)
}
