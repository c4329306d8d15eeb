//! The streams are made where they are missing, by one process at a time.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::future::{FutureExt as _, join_all};
use tidegate_model::contract::Received;
use tidegate_model::{Change, Event, Json};
use tidegate_wire::nats::{Nats, NatsFault, NatsOptions, Turns};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::harness::{Broker, acme, eventually, now, record};

const STREAMS: [&str; 3] = ["TIDEGATE_EVENTS", "TIDEGATE_RECORDS", "TIDEGATE_REPEATS"];

/// Turns of several connections in one process.
#[derive(Clone, Default)]
struct OneByOne {
    turn: Arc<Mutex<()>>,
    mine: Arc<Mutex<Option<OwnedMutexGuard<()>>>>,
}

impl OneByOne {
    fn next(&self) -> Self {
        Self { turn: self.turn.clone(), mine: Arc::default() }
    }
}

#[async_trait]
impl Turns for OneByOne {
    async fn begin(&self) -> bool {
        let Ok(turn) = self.turn.clone().try_lock_owned() else { return false };
        *self.mine.lock().await = Some(turn);
        true
    }

    async fn end(&self) {
        *self.mine.lock().await = None;
    }
}

/// A turn that never comes.
struct Never;

#[async_trait]
impl Turns for Never {
    async fn begin(&self) -> bool {
        false
    }

    async fn end(&self) {}
}

fn event(id: &str) -> Event {
    Event {
        id: id.parse().unwrap(),
        tenant: acme(),
        object_type: "Order".parse().unwrap(),
        object_id: "1".parse().unwrap(),
        change: Change::Create { new: Json::trusted("{}") },
        time: now(),
    }
}

/// Connects as a process does that waits for what may pass.
async fn connected(options: &NatsOptions) -> Nats {
    let connect = || async {
        match Nats::connect(options.clone()).await {
            Ok(nats) => Some(nats),
            Err(fault) if fault.may_pass() => None,
            Err(fault) => panic!("{fault}"),
        }
    };
    eventually("the streams", connect).await
}

async fn delete_all(broker: &Broker) {
    let streams = jetstream::new(async_nats::connect(broker.url()).await.unwrap());
    for name in STREAMS {
        streams.delete_stream(name).await.unwrap();
    }
}

/// All published ids that are in the log, in an order of their own.
async fn published(nats: &Nats) -> Vec<String> {
    let log = nats.event_log();
    let entries = eventually("the log", async || log.read(0, 500).await.ok()).await;
    let ids = entries.into_iter().map(|entry| match entry.received {
        Received::Event(event) => event.id.to_string(),
        Received::Incomprehensible(other) => panic!("{other:?}"),
    });
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_come_at_one_moment_make_each_stream_once_and_nothing_accepted_is_lost() {
    let turns = OneByOne::default();
    for _ in 0..3 {
        let broker = Broker::start();
        let foreign = eventually("the broker", async || async_nats::connect(broker.url()).await.ok()).await;
        let mut asked = foreign.subscribe("$JS.API.STREAM.CREATE.*").await.unwrap();
        foreign.flush().await.unwrap();
        let processes = (0..12).map(|number| {
            // Every second one has no part in it, as gateways have none.
            let part = (number % 2 == 0).then(|| Arc::new(turns.next()) as Arc<dyn Turns>);
            let options = NatsOptions { turns: part, ..NatsOptions::at(broker.url()) };
            async move {
                let nats = connected(&options).await;
                for event_number in 0..5 {
                    nats.event_log().publish(&event(&format!("{number}-{event_number}"))).await.unwrap();
                }
                nats
            }
        });
        let processes = join_all(processes).await;
        let mut expected: Vec<_> = (0..12).flat_map(|n| (0..5).map(move |e| format!("{n}-{e}"))).collect();
        expected.sort();
        assert_eq!(published(&processes[0]).await, expected);
        foreign.flush().await.unwrap();
        let mut requests = Vec::new();
        while let Some(Some(request)) = asked.next().now_or_never() {
            requests.push(request.subject.rsplit('.').next().unwrap().to_owned());
        }
        assert_eq!(requests, STREAMS, "each is asked for once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_vanish_are_made_again_by_who_may_and_all_go_on() {
    let mut broker = Broker::start();
    let turns = OneByOne::default();
    let makers = [turns.next(), turns.next()]
        .map(|turns| NatsOptions { turns: Some(Arc::new(turns)), ..NatsOptions::at(broker.url()) });
    let other = NatsOptions { turns: None, ..NatsOptions::at(broker.url()) };
    let (one, two) = (connected(&makers[0]).await, connected(&makers[1]).await);
    let gateway = connected(&other).await;
    for round in 0..3 {
        if round == 1 {
            broker.kill();
            broker.restart_empty();
        } else {
            delete_all(&broker).await;
        }
        // Only the makers can help who has no part in it.
        eventually("the records", async || gateway.recorder().append(record()).await.ok()).await;
        let ids = ["a", "b", "c"];
        for (nats, id) in [&one, &two, &gateway].into_iter().zip(ids) {
            eventually("the log", async || nats.event_log().publish(&event(id)).await.ok()).await;
        }
        assert_eq!(published(&one).await, ids, "round {round}");
    }
}

#[tokio::test]
async fn who_has_no_turn_waits_and_says_for_which_stream() {
    let broker = Broker::start();
    eventually("the broker", async || async_nats::connect(broker.url()).await.ok()).await;
    for turns in [None, Some(Arc::new(Never) as Arc<dyn Turns>)] {
        let fault = Nats::connect(NatsOptions { turns, ..NatsOptions::at(broker.url()) }).await.err().unwrap();
        assert!(matches!(&fault, NatsFault::Missing(stream) if stream == "TIDEGATE_EVENTS"), "{fault}");
        assert!(fault.may_pass());
    }
    let streams = jetstream::new(async_nats::connect(broker.url()).await.unwrap());
    assert!(streams.get_stream("TIDEGATE_EVENTS").await.is_err());
}

#[tokio::test]
async fn a_broker_without_jetstream_is_told_and_waited_for() {
    let mut broker = Broker::without_jetstream();
    let options = NatsOptions { patience: Duration::from_secs(20), ..NatsOptions::at(broker.url()) };
    let fault = Nats::connect(options.clone()).await.err().unwrap();
    assert!(matches!(fault, NatsFault::NoJetStream) && fault.may_pass(), "{fault}");
    broker.kill();
    broker.restart();
    let nats = connected(&options).await;
    nats.event_log().publish(&event("a")).await.unwrap();
}

#[tokio::test]
async fn a_broker_that_takes_no_event_of_full_size_is_refused() {
    let broker = Broker::configured("max_payload: 65536");
    eventually("the broker", async || async_nats::connect(broker.url()).await.ok()).await;
    let fault = Nats::connect(NatsOptions::at(broker.url())).await.err().unwrap();
    assert!(matches!(fault, NatsFault::Room { room: 65536, .. }) && !fault.may_pass(), "{fault}");

    let broker = Broker::start();
    drop(connected(&NatsOptions::at(broker.url())).await);
    let streams = jetstream::new(async_nats::connect(broker.url()).await.unwrap());
    let made = streams.get_stream("TIDEGATE_EVENTS").await.unwrap().cached_info().config.clone();
    streams.update_stream(&jetstream::stream::Config { max_message_size: 1000, ..made }).await.unwrap();
    let fault = Nats::connect(NatsOptions::at(broker.url())).await.err().unwrap();
    assert!(matches!(fault, NatsFault::Room { room: 1000, .. }), "{fault}");
}

#[tokio::test]
async fn a_stream_that_is_not_as_it_must_be_keeps_no_other_one_from_being_made_again() {
    let broker = Broker::start();
    let nats = connected(&NatsOptions::at(broker.url())).await;
    let streams = jetstream::new(async_nats::connect(broker.url()).await.unwrap());
    let made = streams.get_stream("TIDEGATE_EVENTS").await.unwrap().cached_info().config.clone();
    let other = jetstream::stream::Config { duplicate_window: Duration::from_mins(2), ..made };
    streams.update_stream(&other).await.unwrap();
    streams.delete_stream("TIDEGATE_RECORDS").await.unwrap();
    eventually("the records", async || nats.recorder().append(record()).await.ok()).await;
}

#[tokio::test]
async fn streams_of_another_installation_are_refused_and_those_that_do_not_say_are_taken() {
    let broker = Broker::start();
    let of = |installation| NatsOptions { installation, ..NatsOptions::at(broker.url()) };
    let [one, other] = [1, 2].map(|number| Some(uuid::Uuid::from_u128(number)));
    // As a version before had made them, and as gateways see them.
    drop(connected(&of(None)).await);
    for known in [one, one, None] {
        drop(connected(&of(known)).await);
    }
    let fault = Nats::connect(of(other)).await.err().unwrap();
    assert!(matches!(&fault, NatsFault::Foreign(stream) if stream == "TIDEGATE_EVENTS"), "{fault}");
    assert!(!fault.may_pass());
    delete_all(&broker).await;
    drop(connected(&of(other)).await);
    assert!(Nats::connect(of(one)).await.is_err());
}
