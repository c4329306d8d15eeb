//! Records that async-nats cannot take, and what else is in the way of those that it can.

use std::sync::Arc;

use async_nats::jetstream::{self, stream};
use tidegate_model::Execution;
use tidegate_wire::nats::{Nats, NatsOptions};

use crate::by_hand::{BROKEN, Publisher, STATUSES};
use crate::harness::{Broker, eventually, record};
use crate::records::{Draining, Sink, waiting};

/// A broker of its own, with somebody at it who writes by hand.
pub(crate) struct Records {
    pub(crate) nats: Arc<Nats>,
    pub(crate) options: NatsOptions,
    pub(crate) publisher: Publisher,
    pub(crate) sink: Arc<Sink>,
    _broker: Broker,
}

impl Records {
    pub(crate) async fn start() -> Self {
        let broker = Broker::start();
        let options = NatsOptions::at(broker.url());
        let nats = Arc::new(Nats::connect(options.clone()).await.unwrap());
        let publisher = Publisher::connect(&broker.url()).await;
        Self { nats, options, publisher, sink: Arc::default(), _broker: broker }
    }

    pub(crate) async fn put(&mut self, headers: &[u8], payload: &[u8]) {
        self.publisher.publish(b"tidegate.records.new.acme", headers, payload).await;
    }

    pub(crate) async fn append(&self, record: &Execution) {
        eventually("the broker", async || self.nats.recorder().append(record.clone()).await.ok()).await;
    }

    /// As somebody with rights at the broker finds it.
    pub(crate) async fn stream(&self) -> stream::Stream {
        let foreign = jetstream::new(async_nats::connect(&self.options.url).await.unwrap());
        foreign.get_stream("TIDEGATE_RECORDS").await.unwrap()
    }

    pub(crate) async fn are_gone(&self) {
        eventually("the end", async || (waiting(&self.options, "new").await == 0).then_some(())).await;
    }

    pub(crate) async fn are_aside(&self, count: u64) {
        let aside = async || waiting(&self.options, "unreadable").await;
        eventually("what is set aside", async || (aside().await == count).then_some(())).await;
    }
}

#[tokio::test]
async fn records_that_clients_cannot_take_are_stored_or_set_aside_and_hold_up_nothing() {
    let mut records = Records::start().await;
    let (mut good, mut odd) = (vec![], vec![]);
    for headers in BROKEN.into_iter().chain(STATUSES) {
        good.push(record());
        records.append(good.last().unwrap()).await;
        records.put(headers, b"no record").await;
        odd.push(record());
        let payload = serde_json::to_vec(odd.last().unwrap()).unwrap();
        records.put(headers, &payload).await;
    }
    good.push(record());
    records.append(good.last().unwrap()).await;
    let draining = Draining::start(&records.nats, &records.sink);
    eventually("the records", async || records.sink.has(&odd)).await;
    records.are_aside(odd.len() as u64).await;
    eventually("the others", async || records.sink.has(&good)).await;
    records.are_gone().await;
    draining.stop().await;
}

#[tokio::test]
async fn records_are_drained_while_such_ones_come() {
    let mut records = Records::start().await;
    let draining = Draining::start(&records.nats, &records.sink);
    for headers in [BROKEN[0], STATUSES[0], STATUSES[2], STATUSES[4]] {
        records.put(headers, b"no record").await;
        let next = record();
        records.append(&next).await;
        eventually("the next record", async || records.sink.has(std::slice::from_ref(&next))).await;
    }
    records.are_aside(4).await;
    draining.stop().await;
}

#[tokio::test]
async fn many_records_that_clients_cannot_take_are_passed() {
    let mut records = Records::start().await;
    for i in 0..600 {
        records.put(BROKEN[i % BROKEN.len()], b"no record").await;
    }
    let last = record();
    records.append(&last).await;
    let draining = Draining::start(&records.nats, &records.sink);
    eventually("the last record", async || records.sink.has(std::slice::from_ref(&last))).await;
    records.are_aside(600).await;
    // The broker does not go on waiting for those that are gone.
    let stream = records.stream().await;
    let open = async || stream.consumer_info("records").await.unwrap().num_ack_pending;
    eventually("the end", async || (open().await == 0).then_some(())).await;
    draining.stop().await;
}
