//! `EventLog` on JetStream.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, stream};
use tidegate_model::contract::{EventLog, LogEntry, Received};
use tidegate_model::{Change, Event, Json, TenantId};
use tidegate_wire::nats::{Nats, NatsFault, NatsOptions};

use crate::harness::{Broker, acme, eventually, nats_url, now, options};

/// Sooner than a sleeper wakes by itself.
const SOON: Duration = Duration::from_secs(15);

/// A log of its own, and a foreign publisher's way to it.
struct Bus {
    nats: Nats,
    log: Arc<dyn EventLog>,
    options: NatsOptions,
    foreign: async_nats::Client,
}

async fn bus() -> Option<Bus> {
    let options = options(nats_url()?);
    let nats = Nats::connect(options.clone()).await.unwrap();
    let foreign = async_nats::connect(&options.url).await.unwrap();
    Some(Bus { log: nats.event_log(), nats, options, foreign })
}

impl Bus {
    async fn put(&self, subject: &str, headers: &[(&str, &str)], payload: &str) {
        let headers: HeaderMap = headers.iter().fold(HeaderMap::new(), |mut all, (name, value)| {
            all.insert(*name, *value);
            all
        });
        let subject = format!("{}.events.{subject}", self.options.prefix);
        let jetstream = jetstream::new(self.foreign.clone());
        jetstream.publish_with_headers(subject, headers, payload.to_owned().into()).await.unwrap().await.unwrap();
    }

    /// Returns when somebody waits at the broker.
    async fn sleeper(&self) {
        let stream = self.stream().await;
        let consumers = async || stream.get_info().await.unwrap().state.consumer_count;
        eventually("a waiting reader", async || (consumers().await > 0).then_some(())).await;
    }

    async fn stream(&self) -> stream::Stream {
        let name = format!("{}_EVENTS", self.options.prefix.to_uppercase());
        jetstream::new(self.foreign.clone()).get_stream(name).await.unwrap()
    }
}

pub(crate) fn event(id: &str) -> Event {
    event_of(acme(), id)
}

fn event_of(tenant: TenantId, id: &str) -> Event {
    let (old, new) = (Json::trusted(r#"{"qty":1}"#), Json::trusted(r#"{"qty":9007199254740993}"#));
    Event {
        id: id.parse().unwrap(),
        tenant,
        object_type: "Order".parse().unwrap(),
        object_id: "o 1.\u{e9}".parse().unwrap(),
        change: Change::Update { old, new },
        time: now(),
    }
}

fn ids(entries: &[LogEntry]) -> Vec<String> {
    let id = |entry: &LogEntry| match &entry.received {
        Received::Event(event) => event.id.to_string(),
        Received::Incomprehensible(other) => format!("? {}", other.reason),
    };
    entries.iter().map(id).collect()
}

#[tokio::test]
async fn what_is_published_is_read_in_order_from_any_position() {
    let Some(Bus { log, nats: _nats, .. }) = bus().await else { return };
    assert_eq!(log.read(0, 10).await, Ok(vec![]));
    let changes = [
        Change::Create { new: Json::trusted("{}") },
        event("x").change,
        Change::Delete { old: Json::trusted(r#"{ "a" : [1.0, null] }"#) },
    ];
    let events: Vec<_> =
        (0..25).map(|i| Event { change: changes[i % 3].clone(), ..event(&format!("e {i} \u{1f30a} %41")) }).collect();
    for event in &events {
        log.publish(event).await.unwrap();
    }
    let all = log.read(0, 1000).await.unwrap();
    assert_eq!(all.iter().map(|e| e.position).collect::<Vec<_>>(), (1..=25).collect::<Vec<_>>());
    let read: Vec<_> = all.iter().map(|e| e.received.clone()).collect();
    assert_eq!(read, events.into_iter().map(Received::Event).collect::<Vec<_>>());
    for after in [0, 1, 7, 24] {
        for max in [0, 1, 2, 24] {
            let from = usize::try_from(after).unwrap();
            let expected = &all[from..(from + max).min(25)];
            assert_eq!(log.read(after, max).await.unwrap(), expected, "{max} after {after}");
        }
    }
    assert_eq!(log.read(25, 10).await, Ok(vec![]));
    assert_eq!(log.read(99, 10).await, Ok(vec![]));
}

#[tokio::test]
async fn the_same_event_again_changes_nothing_and_ids_are_per_tenant() {
    let Some(Bus { log, nats: _nats, .. }) = bus().await else { return };
    for id in ["a", "b", "a", "b", "a"] {
        log.publish(&event(id)).await.unwrap();
    }
    log.publish(&event_of("other".parse().unwrap(), "a")).await.unwrap();
    assert_eq!(ids(&log.read(0, 10).await.unwrap()), ["a", "b", "a"]);
}

#[tokio::test]
async fn other_publishers_are_understood_or_kept_aside_and_never_in_the_way() {
    let Some(bus) = bus().await else { return };
    let structured = r#"{"specversion":"1.0","id":"s","source":"/erp","type":"x","data":{"objectId":7,"new":{"a":1}}}"#;
    let binary = [("ce-specversion", "1.0"), ("ce-id", "b%20%C3%A9"), ("ce-source", "/erp"), ("ce-type", "x")];
    let data = r#"{"objectId":"7","old":{"a":1},"new":{"a":2}}"#;
    bus.put("acme.Order.create", &[], structured).await;
    bus.put("acme.Order.update", &binary, data).await;
    bus.put(
        "acme.Order.update",
        &binary.map(|(name, value)| (if name == "ce-id" { "CE-Id" } else { name }, value)),
        data,
    )
    .await;
    bus.put("acme.Order.delete", &[("content-type", "application/json")], "not JSON").await;
    bus.put("acme.Order.renamed", &[], structured).await;
    bus.put("Not_a_tenant.Order.create", &[], structured).await;
    bus.put("acme.Order", &[], structured).await;
    bus.put("acme.Order.delete", &[("ce-specversion", "1.0"), ("ce-source", "/erp"), ("ce-type", "x")], data).await;
    bus.put("acme.Order.delete", &[], structured).await;
    bus.log.publish(&event("last")).await.unwrap();

    let entries = bus.log.read(0, 100).await.unwrap();
    let told = ids(&entries);
    assert_eq!((told[0].as_str(), told[1].as_str(), told[2].as_str()), ("s", "b \u{e9}", "b \u{e9}"));
    for (i, word) in
        [(3, "payload: expected JSON"), (4, "renamed"), (5, "tenant"), (6, "subject"), (7, "id"), (8, "data.new")]
    {
        assert!(told[i].starts_with("? ") && told[i].contains(word), "{}", told[i]);
    }
    assert_eq!((told.len(), told[9].as_str()), (10, "last"));
    let Received::Event(first) = &entries[0].received else { panic!() };
    assert_eq!((first.tenant.as_str(), first.object_id.as_str()), ("acme", "7"));
    assert_eq!(first.change, Change::Create { new: Json::trusted(r#"{"a":1}"#) });
    assert!((now() - first.time).num_seconds().abs() < 60, "it has the broker's time");
    let Received::Incomprehensible(other) = &entries[3].received else { panic!() };
    assert!(other.subject.ends_with(".events.acme.Order.delete"));
    assert_eq!((other.payload.as_slice(), other.tenant.as_ref().unwrap().as_str()), (&b"not JSON"[..], "acme"));
    let Received::Incomprehensible(strange) = &entries[5].received else { panic!() };
    assert_eq!(strange.tenant, None);
    let Received::Incomprehensible(binary) = &entries[7].received else { panic!() };
    let shown = Json::parse_bytes(&binary.payload).unwrap().to_value();
    let data = Json::trusted(data).to_value();
    assert_eq!(
        (&shown["data"], &shown["source"], &shown["specversion"]),
        (&data, &"/erp".into(), &"1.0".into()),
        "binary mode is kept as structured mode, with what its headers said"
    );
}

#[tokio::test]
async fn an_event_that_the_broker_had_is_there_again_when_it_is_published_anew() {
    let Some(Bus { log, nats: _nats, .. }) = bus().await else { return };
    log.publish(&event("a")).await.unwrap();
    log.republish(&event("a")).await.unwrap();
    log.publish(&event("a")).await.unwrap();
    log.republish(&event("b")).await.unwrap();
    assert_eq!(ids(&log.read(0, 10).await.unwrap()), ["a", "a", "b"]);
}

/// The first entry of the log, and the last one.
async fn ends(bus: &Bus) -> (u64, u64) {
    let bounds = bus.log.bounds().await.unwrap();
    (bounds.first, bounds.last)
}

#[tokio::test]
async fn bounds_tell_what_is_there_and_what_is_gone() {
    let Some(bus) = bus().await else { return };
    assert_eq!(ends(&bus).await, (1, 0));
    for id in ["a", "b", "c", "d"] {
        bus.log.publish(&event(id)).await.unwrap();
    }
    assert_eq!(ends(&bus).await, (1, 4));
    let stream = bus.stream().await;
    stream.delete_message(3).await.unwrap();
    assert_eq!(ids(&bus.log.read(1, 10).await.unwrap()), ["b", "d"], "a hole is stepped over");
    stream.purge().sequence(3).await.unwrap();
    assert_eq!(ends(&bus).await, (4, 4));
    stream.purge().await.unwrap();
    assert_eq!(ends(&bus).await, (5, 4));
    assert_eq!(bus.log.read(0, 10).await, Ok(vec![]));
}

#[tokio::test]
async fn a_sleeper_wakes_when_something_is_published() {
    let Some(bus) = bus().await else { return };
    bus.log.publish(&event("a")).await.unwrap();
    bus.log.wake(0).await;
    let publish = async {
        bus.sleeper().await;
        bus.log.publish(&event("b")).await.unwrap();
    };
    let ended = tokio::time::timeout(SOON, futures::future::join(bus.log.wake(1), publish)).await;
    assert!(ended.is_ok(), "it slept on");
    assert_eq!(ids(&bus.log.read(1, 10).await.unwrap()), ["b"]);
}

#[tokio::test]
async fn a_sleeper_wakes_when_the_broker_was_restarted() {
    let mut broker = Broker::start();
    let options = NatsOptions::at(broker.url());
    let nats = Nats::connect(options.clone()).await.unwrap();
    let foreign = async_nats::connect(&options.url).await.unwrap();
    let bus = Bus { log: nats.event_log(), nats, options, foreign };
    let restart = async {
        bus.sleeper().await;
        broker.kill();
        broker.restart();
    };
    // What it waited for died with the broker.
    let ended = futures::future::join(bus.log.wake(0), restart);
    assert!(tokio::time::timeout(SOON, ended).await.is_ok(), "it slept on");
}

#[tokio::test]
async fn no_other_publisher_can_have_an_event_taken_for_known() {
    let Some(bus) = bus().await else { return };
    let structured = r#"{"specversion":"1.0","id":"x","source":"/erp","type":"x","data":{"objectId":7,"new":{"a":1}}}"#;
    // With an id of its own making, in its own subjects: those of another tenant, and then the same tenant's.
    bus.put("other.Order.create", &[("Nats-Msg-Id", "acme/a")], structured).await;
    bus.put("acme.Order.update", &[("Nats-Msg-Id", "acme/b")], structured).await;
    bus.log.publish(&event("a")).await.unwrap();
    bus.log.publish(&event("b")).await.unwrap();
    assert_eq!(ids(&bus.log.read(0, 10).await.unwrap())[2..], ["a", "b"]);
    bus.stream().await.purge().await.unwrap();
    bus.log.publish(&event("a")).await.unwrap();
    assert_eq!(ids(&bus.log.read(4, 10).await.unwrap()), ["a"], "what the broker remembers is not there any longer");
}

#[tokio::test]
async fn a_log_that_is_gone_is_made_again_and_is_another_one() {
    let Some(bus) = bus().await else { return };
    bus.log.publish(&event("a")).await.unwrap();
    let made = bus.log.bounds().await.unwrap().made;
    assert!(made.is_some());
    assert_eq!(bus.log.bounds().await.unwrap().made, made);
    let name = format!("{}_EVENTS", bus.options.prefix.to_uppercase());
    jetstream::new(bus.foreign.clone()).delete_stream(name).await.unwrap();
    eventually("the log", async || bus.log.publish(&event("b")).await.ok()).await;
    let bounds = bus.log.bounds().await.unwrap();
    assert_eq!((bounds.first, bounds.last), (1, 1));
    assert!(bounds.made > made);
}

#[tokio::test]
async fn a_full_log_that_is_to_refuse_does_and_loses_nothing() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    drop(Nats::connect(options.clone()).await.unwrap());
    let foreign = async_nats::connect(&options.url).await.unwrap();
    let streams = jetstream::new(foreign.clone());
    let name = format!("{}_EVENTS", options.prefix.to_uppercase());
    let made = streams.get_stream(&name).await.unwrap().cached_info().config.clone();
    let limited = stream::Config { discard: stream::DiscardPolicy::New, max_messages: 2, ..made };
    streams.update_stream(&limited).await.unwrap();

    let nats = Nats::connect(options.clone()).await.unwrap();
    let bus = Bus { log: nats.event_log(), nats, options, foreign };
    for id in ["a", "b"] {
        bus.log.publish(&event(id)).await.unwrap();
    }
    assert!(matches!(bus.log.publish(&event("c")).await, Err(tidegate_model::Error::Unavailable(_))));
    assert_eq!(ids(&bus.log.read(0, 10).await.unwrap()), ["a", "b"]);
}

#[tokio::test]
async fn an_event_that_no_message_can_hold_is_the_publishers_fault() {
    let Some(bus) = bus().await else { return };
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(2_000_000));
    let large = Event { change: Change::Create { new: Json::trusted(text) }, ..event("large") };
    let refused = bus.log.publish(&large).await;
    assert!(matches!(refused, Err(tidegate_model::Error::InvalidData(_))), "{refused:?}");
    bus.log.publish(&event("small")).await.unwrap();
}

#[tokio::test]
async fn a_stream_made_for_something_else_is_refused() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    let config = stream::Config {
        name: format!("{}_EVENTS", options.prefix.to_uppercase()),
        subjects: vec![format!("{}.events.>", options.prefix)],
        storage: stream::StorageType::Memory,
        ..stream::Config::default()
    };
    let foreign = async_nats::connect(&options.url).await.unwrap();
    jetstream::new(foreign).create_stream(config).await.unwrap();
    let fault = Nats::connect(options).await.err().unwrap();
    assert!(matches!(fault, NatsFault::Setting { setting: "storage", .. }), "{fault}");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_broker_is_killed() {
    let mut broker = Broker::start();
    let nats = Nats::connect(NatsOptions::at(broker.url())).await.unwrap();
    let (log, notices) = (nats.event_log(), nats.notices());
    let (mut accepted, mut read, mut position) = (vec![], vec![], 0);
    for round in 0..3 {
        let revision = notices.revision();
        for i in 0..20 {
            let id = format!("{round}-{i}");
            if i == 10 {
                broker.kill();
                if round == 0 {
                    assert!(log.publish(&event(&id)).await.is_err(), "nobody took it");
                    assert!(log.read(position, 10).await.is_err());
                    log.wake(position).await;
                }
                broker.restart();
            }
            // With the same id, as the outbox does.
            eventually("the broker", || async { log.publish(&event(&id)).await.ok() }).await;
            accepted.push(id);
        }
        eventually("a notice of the reconnection", || async { (notices.revision() > revision).then_some(()) }).await;
        while read.len() < accepted.len() {
            let entries = log.read(position, 7).await.unwrap();
            position = entries.last().unwrap().position;
            read.extend(ids(&entries));
        }
    }
    assert_eq!(read, accepted);
    assert_eq!(log.read(position, 10).await, Ok(vec![]));
    nats.close().await;
}
