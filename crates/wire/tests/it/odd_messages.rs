//! Messages that async-nats cannot take: their headers are none, or say what only the broker may say. Whoever may publish can publish one.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::contract::{EventLog, LogEntry, Received};
use tidegate_wire::nats::{Nats, NatsOptions};

use crate::by_hand::{BROKEN, Publisher, STATUSES};
use crate::harness::{Broker, eventually};

/// Much sooner than what is to be seen here would take by itself.
const SOON: Duration = Duration::from_mins(1);

/// A broker of its own, with a log and a reader who knows where it is.
struct Reader {
    nats: Nats,
    log: Arc<dyn EventLog>,
    publisher: Publisher,
    entries: Vec<LogEntry>,
    _broker: Broker,
}

impl Reader {
    async fn start() -> Self {
        let broker = Broker::start();
        let nats = Nats::connect(NatsOptions::at(broker.url())).await.unwrap();
        let publisher = Publisher::connect(&broker.url()).await;
        Self { log: nats.event_log(), nats, publisher, entries: vec![], _broker: broker }
    }

    async fn put(&mut self, subject: &[u8], headers: &[u8], payload: &[u8]) {
        self.publisher.publish(&[b"tidegate.events.", subject].concat(), headers, payload).await;
    }

    async fn put_event(&mut self, id: &str) {
        self.put(b"acme.Order.create", b"NATS/1.0\r\n\r\n", event(id).as_bytes()).await;
    }

    /// Reads until there are so many, and gives what they are.
    async fn read(&mut self, count: usize) -> Vec<String> {
        let until = tokio::time::Instant::now() + SOON;
        while self.entries.len() < count {
            assert!(tokio::time::Instant::now() < until, "only {} of {count} came", self.entries.len());
            let position = self.entries.last().map_or(0, |entry| entry.position);
            match self.log.read(position, 200).await {
                Ok(entries) if entries.is_empty() => self.log.wake(position).await,
                Ok(entries) => self.entries.extend(entries),
                Err(_) => self.log.wake(position).await,
            }
        }
        let positions: Vec<_> = self.entries.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, (1..=count as u64).collect::<Vec<_>>(), "each once, in order");
        self.entries.iter().map(|entry| told(&entry.received)).collect()
    }
}

fn event(id: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"{id}","source":"/erp","type":"x","data":{{"objectId":7,"new":{{"a":1}}}}}}"#)
}

fn told(received: &Received) -> String {
    match received {
        Received::Event(event) => event.id.to_string(),
        Received::Incomprehensible(other) => {
            format!("? {}", other.reason.split_once(':').map_or("", |(about, _)| about))
        }
    }
}

/// What is unusual and yet can be read.
const UNUSUAL: [&[u8]; 5] = [
    b"NATS/1.0\r\nX: a\x00b\r\n\r\n",
    b"NATS/1.0\r\nX: a\nY: b\r\n\r\n",
    b"NATS/1.0\r\nX: a\r\n folded\r\n\r\n",
    b"NATS/1.0\r\nX: a\r\n",
    b"NATS/1.0",
];

#[tokio::test]
async fn a_message_that_clients_cannot_take_is_kept_aside_and_holds_up_nothing() {
    let mut reader = Reader::start().await;
    reader.put_event("first").await;
    let mut expected = vec!["first".to_owned()];
    for (i, headers) in BROKEN.into_iter().chain(STATUSES).chain(UNUSUAL).enumerate() {
        let (id, next) = (format!("odd {i}"), format!("next {i}"));
        reader.put(b"acme.Order.create", headers, event(&id).as_bytes()).await;
        reader.put_event(&next).await;
        let is_broken = i < BROKEN.len();
        expected.extend([if is_broken { "? headers".to_owned() } else { id }, next]);
    }
    let read = reader.read(expected.len()).await;
    // Whether a status was delivered is the broker's business.
    let statuses = BROKEN.len() * 2 + 1..(BROKEN.len() + STATUSES.len()) * 2;
    for (i, (read, expected)) in read.iter().zip(&expected).enumerate() {
        let is_status = statuses.contains(&i) && i % 2 == 1;
        assert!(read == expected || is_status && read == "? headers", "{i}: {read} instead of {expected}");
    }
    let Received::Incomprehensible(broken) = &reader.entries[1].received else { panic!() };
    assert_eq!(broken.tenant.as_ref().unwrap().as_str(), "acme");
    assert_eq!(broken.payload, event("odd 0").as_bytes());
    assert_eq!(broken.subject, "tidegate.events.acme.Order.create");
    reader.nats.close().await;
}

#[tokio::test]
async fn a_message_alone_in_the_log_is_passed_whatever_it_is() {
    for headers in BROKEN.into_iter().chain(STATUSES) {
        let mut reader = Reader::start().await;
        reader.put(b"acme.Order.create", headers, b"").await;
        let read = reader.read(1).await;
        assert!(read[0].starts_with('?'), "{}: {read:?}", headers.escape_ascii());
        reader.put_event("next").await;
        assert_eq!(reader.read(2).await[1], "next", "{}", headers.escape_ascii());
    }
}

#[tokio::test]
async fn a_subject_that_clients_cannot_take_is_kept_aside_too() {
    let mut reader = Reader::start().await;
    let subjects: [&[u8]; 3] = [b"acme.\xff.create", "acme.Or\u{a0}der.create".as_bytes(), b"acme.Order.\xc3"];
    for subject in subjects {
        reader.put_event("before").await;
        reader.put(subject, b"NATS/1.0\r\n\r\n", event("odd").as_bytes()).await;
    }
    reader.put_event("last").await;
    let read = reader.read(7).await;
    assert_eq!(read, ["before", "? subject", "before", "? subject", "before", "? subject", "last"]);
}

#[tokio::test]
async fn a_sleeper_passes_what_it_cannot_take_and_hears_of_what_comes_then() {
    let mut reader = Reader::start().await;
    reader.put_event("first").await;
    assert_eq!(reader.read(1).await, ["first"]);
    let log = reader.log.clone();
    for i in 1..=2 {
        let sleeper = async {
            let started = tokio::time::Instant::now();
            log.wake(2 * i - 1).await;
            started.elapsed()
        };
        let publish = async {
            // It sleeps, or is about to.
            eventually("a sleeper", async || reader.log.bounds().await.ok()).await;
            reader.publisher.publish(b"tidegate.events.acme.Order.create", BROKEN[0], b"{}").await;
        };
        let (slept, ()) = futures::future::join(sleeper, publish).await;
        assert!(slept < Duration::from_secs(15), "it slept on");
        reader.put_event("next").await;
        let count = 2 * i + 1;
        let read = reader.read(usize::try_from(count).unwrap()).await;
        assert_eq!(read[read.len() - 2..], ["? headers", "next"]);
    }
}

#[tokio::test]
async fn many_of_them_cost_the_connection_now_and_then_and_not_each() {
    let mut reader = Reader::start().await;
    let notices = reader.nats.notices();
    reader.put_event("first").await;
    for i in 0..300 {
        let kinds = BROKEN.len() + STATUSES.len();
        let headers = BROKEN.into_iter().chain(STATUSES).nth(i % kinds).unwrap();
        reader.put(b"acme.Order.create", headers, b"{}").await;
        if i % 50 == 0 {
            reader.put_event("between").await;
        }
    }
    reader.put_event("last").await;
    let before = notices.revision();
    let read = reader.read(308).await;
    assert_eq!(read.iter().filter(|told| told.starts_with('?')).count(), 300);
    assert_eq!(read.iter().filter(|told| *told == "between").count(), 6);
    assert_eq!((read[0].as_str(), read[307].as_str()), ("first", "last"));
    let lost = notices.revision() - before;
    assert!(lost <= 2, "the connection was lost {lost} times");
}

#[tokio::test]
async fn a_reader_who_may_not_ask_for_single_messages_reads_on_after_a_lost_connection() {
    let permissions = r#"permissions: { publish: { deny: ["$JS.API.STREAM.MSG.GET.>"] } }"#;
    let user = format!("authorization {{ users: [ {{ user: me, password: mine, {permissions} }} ] }}");
    let mut broker = Broker::configured(&user);
    let nats = Nats::connect(NatsOptions::at(broker.url().replace("//", "//me:mine@"))).await.unwrap();
    let log = nats.event_log();
    let restart = async {
        eventually("a sleeper", async || log.bounds().await.ok()).await;
        broker.kill();
        broker.restart();
    };
    futures::future::join(log.wake(0), restart).await;
    let event = crate::event_log::event("next");
    eventually("the broker", async || log.publish(&event).await.ok()).await;
    let read = eventually("the event", async || log.read(0, 10).await.ok()).await;
    assert_eq!(read.iter().map(|entry| told(&entry.received)).collect::<Vec<_>>(), ["next"]);
}
