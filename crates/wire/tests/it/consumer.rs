//! The consumer of records when somebody changes it.

use async_nats::jetstream::{self, consumer};
use serde_json::{Value, json};
use tidegate_model::Execution;

use crate::by_hand::PLAIN;
use crate::harness::{eventually, record};
use crate::odd_records::Records;
use crate::records::Draining;

impl Records {
    /// One drain that ends when there is a consumer.
    async fn drain_once(&self) {
        let draining = Draining::start(&self.nats, &self.sink);
        let stream = self.stream().await;
        eventually("the consumer", async || stream.consumer_info("records").await.ok()).await;
        draining.stop().await;
    }

    async fn config(&self) -> consumer::Config {
        self.stream().await.consumer_info("records").await.unwrap().config
    }

    /// As it is made with a client of another kind; an answer that is no error.
    async fn change(&self, config: &consumer::Config) {
        let foreign = jetstream::new(async_nats::connect(&self.options.url).await.unwrap());
        let subject = "CONSUMER.DURABLE.CREATE.TIDEGATE_RECORDS.records";
        let change = json!({ "stream_name": "TIDEGATE_RECORDS", "config": config });
        let answer: Value = foreign.request(subject, &change).await.unwrap();
        assert!(answer.get("error").is_none(), "{answer}");
    }

    async fn come(&self, records: &[Execution]) {
        eventually("the records", async || self.sink.has(records)).await;
        self.are_gone().await;
    }
}

/// What somebody makes of the consumer, from what it is.
fn changes(right: &consumer::Config) -> Vec<consumer::Config> {
    let right = right.clone();
    vec![
        consumer::Config { headers_only: true, ..right.clone() },
        consumer::Config { filter_subject: "tidegate.records.new.other".to_owned(), ..right.clone() },
        consumer::Config { max_deliver: 1, ..right.clone() },
        // Made anew: these cannot be changed later.
        consumer::Config { deliver_subject: Some("elsewhere".to_owned()), max_waiting: 0, ..right.clone() },
        consumer::Config { replay_policy: consumer::ReplayPolicy::Original, ..right },
    ]
}

#[tokio::test]
async fn a_consumer_that_was_changed_is_put_right_at_the_start() {
    let records = Records::start().await;
    records.drain_once().await;
    let right = records.config().await;
    for (i, change) in changes(&right).iter().enumerate() {
        if i >= 3 {
            records.stream().await.delete_consumer("records").await.unwrap();
        }
        records.change(change).await;
        assert_ne!(records.config().await, right);
        let accepted = [record(), record()];
        for record in &accepted {
            records.append(record).await;
        }
        let draining = Draining::start(&records.nats, &records.sink);
        records.come(&accepted).await;
        draining.stop().await;
        assert_eq!(records.config().await, right, "after change {i}");
    }
    records.are_aside(0).await;
}

#[tokio::test]
async fn a_consumer_that_withholds_what_is_in_the_records_loses_none() {
    let mut records = Records::start().await;
    let draining = Draining::start(&records.nats, &records.sink);
    let first = [record()];
    records.append(&first[0]).await;
    records.come(&first).await;
    let right = records.config().await;
    records.change(&consumer::Config { headers_only: true, ..right.clone() }).await;
    records.put(PLAIN, b"").await;
    let accepted: Vec<_> = (0..20).map(|_| record()).collect();
    for record in &accepted {
        records.append(record).await;
    }
    records.come(&accepted).await;
    // What has nothing in it is no record.
    records.are_aside(1).await;
    eventually("the consumer", async || (records.config().await == right).then_some(())).await;
    draining.stop().await;
}

#[tokio::test]
async fn a_consumer_that_is_changed_while_records_are_drained_is_put_right() {
    let records = Records::start().await;
    let draining = Draining::start(&records.nats, &records.sink);
    let first = [record()];
    records.append(&first[0]).await;
    records.come(&first).await;
    let right = records.config().await;
    let elsewhere = "tidegate.records.new.other".to_owned();
    records.change(&consumer::Config { filter_subject: elsewhere, ..right.clone() }).await;
    let next = [record()];
    records.append(&next[0]).await;
    // It is looked at once a minute.
    for _ in 0..3 {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(29), records.come(&next)).await;
    }
    records.come(&next).await;
    assert_eq!(records.config().await, right);
    draining.stop().await;
}

#[tokio::test]
async fn a_consumer_that_is_paused_goes_on() {
    let records = Records::start().await;
    records.drain_once().await;
    let foreign = jetstream::new(async_nats::connect(&records.options.url).await.unwrap());
    let until = json!({ "pause_until": "2999-01-01T00:00:00Z" });
    let paused: Result<Value, _> = foreign.request("CONSUMER.PAUSE.TIDEGATE_RECORDS.records", &until).await;
    let Ok(answer) = paused else {
        eprintln!("SKIPPED: this broker pauses no consumers");
        return;
    };
    assert_eq!(answer["paused"], true, "{answer}");
    let accepted = [record()];
    records.append(&accepted[0]).await;
    let draining = Draining::start(&records.nats, &records.sink);
    records.come(&accepted).await;
    draining.stop().await;
}
