//! Records that cannot be stored, and what becomes of them.

use async_nats::jetstream::{self, stream};
use tidegate_model::Error;

use crate::by_hand::{BROKEN, PLAIN};
use crate::harness::{eventually, record};
use crate::odd_records::Records;
use crate::records::{Draining, waiting};

/// Lets the stream hold so many messages.
async fn limit(records: &Records, max_messages: i64) {
    let foreign = jetstream::new(async_nats::connect(&records.options.url).await.unwrap());
    let config = records.stream().await.cached_info().config.clone();
    foreign.update_stream(stream::Config { max_messages, ..config }).await.unwrap();
}

#[tokio::test]
async fn good_records_make_room_for_those_that_have_to_be_set_aside() {
    let mut records = Records::start().await;
    limit(&records, 10).await;
    for i in 0..9 {
        records.put(PLAIN, format!("no record {i}").as_bytes()).await;
    }
    let good = record();
    records.append(&good).await;
    assert!(records.nats.recorder().append(record()).await.is_err(), "it is full");
    let draining = Draining::start(&records.nats, &records.sink);
    eventually("the good record", async || records.sink.has(std::slice::from_ref(&good))).await;
    records.are_aside(9).await;
    records.are_gone().await;
    draining.stop().await;
}

#[tokio::test]
async fn what_there_is_no_room_to_set_aside_stays_and_holds_up_nothing() {
    let mut records = Records::start().await;
    limit(&records, 10).await;
    for i in 0..10 {
        let headers = if i % 5 == 4 { BROKEN[0] } else { PLAIN };
        records.put(headers, format!("no record {i}").as_bytes()).await;
    }
    let draining = Draining::start(&records.nats, &records.sink);
    let stream = records.stream().await;
    let delivered = async || stream.consumer_info("records").await.ok().map(|info| info.delivered.stream_sequence);
    eventually("the deliveries", async || (delivered().await == Some(10)).then_some(())).await;
    limit(&records, 11).await;
    let next = record();
    // Whether one that is set aside takes the place or this one, both can go on.
    records.append(&next).await;
    eventually("the next record", async || records.sink.has(std::slice::from_ref(&next))).await;
    let kept = waiting(&records.options, "new").await + waiting(&records.options, "unreadable").await;
    assert!(kept >= 10, "{kept} of 10 are there");
    draining.stop().await;
}

#[tokio::test]
async fn what_was_set_aside_is_tried_again_by_the_next_drain() {
    let mut records = Records::start().await;
    let good = [record(), record()];
    let poison = record();
    *records.sink.poison.lock().unwrap() = Some(poison.id);
    let aside = b"tidegate.records.unreadable.acme";
    for record in [&good[0], &poison, &good[1]] {
        let payload = serde_json::to_vec(record).unwrap();
        records.publisher.publish(aside, PLAIN, &payload).await;
    }
    records.publisher.publish(aside, BROKEN[0], b"no record").await;
    *records.sink.failing.lock().unwrap() = Some(Error::Unavailable("the database"));
    let draining = Draining::start(&records.nats, &records.sink);
    let new = record();
    records.append(&new).await;
    records.sink.failing.lock().unwrap().take();
    eventually("the new record", async || records.sink.has(std::slice::from_ref(&new))).await;
    eventually("what was set aside", async || records.sink.has(&good)).await;
    records.are_aside(2).await;
    draining.stop().await;
}
