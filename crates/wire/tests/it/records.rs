//! `Recorder` into JetStream, and the drain behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_nats::jetstream;
use async_trait::async_trait;
use tidegate_model::{Call, Error, Execution, ExecutionId, Json, LogLevel, LogLine};
use tidegate_wire::nats::{Nats, NatsOptions, RecordSink};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{Broker, eventually, nats, nats_url, now, options, record};

/// Keeps records by id, and may be told to refuse.
#[derive(Default)]
pub(crate) struct Sink {
    kept: Mutex<HashMap<ExecutionId, Execution>>,
    pub(crate) failing: Mutex<Option<Error>>,
    pub(crate) poison: Mutex<Option<ExecutionId>>,
}

#[async_trait]
impl RecordSink for Sink {
    async fn store(&self, records: &[Execution]) -> Result<(), Error> {
        if let Some(error) = self.failing.lock().unwrap().clone() {
            return Err(error);
        }
        if records.iter().any(|r| Some(r.id) == *self.poison.lock().unwrap()) {
            return Err(Error::Internal { id: "1".into() });
        }
        let mut kept = self.kept.lock().unwrap();
        for record in records {
            kept.entry(record.id).or_insert_with(|| record.clone());
        }
        Ok(())
    }
}

impl Sink {
    pub(crate) fn has(&self, records: &[Execution]) -> Option<()> {
        let kept = self.kept.lock().unwrap();
        records.iter().all(|r| kept.get(&r.id) == Some(r)).then_some(())
    }
}

/// Drains until it is stopped.
pub(crate) struct Draining {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Draining {
    pub(crate) fn start(nats: &Arc<Nats>, sink: &Arc<Sink>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (nats, sink, until) = (nats.clone(), sink.clone(), stop.clone());
        tasks.spawn(async move { nats.drain_records(sink, until).await });
        Self { stop, tasks }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

pub(crate) async fn waiting(options: &NatsOptions, subject: &str) -> u64 {
    let foreign = async_nats::connect(&options.url).await.unwrap();
    let name = format!("{}_RECORDS", options.prefix.to_uppercase());
    let stream = jetstream::new(foreign).get_stream(name).await.unwrap();
    let mut all = stream.info_with_subjects(format!("{}.records.{subject}.>", options.prefix)).await.unwrap();
    let mut count = 0;
    while let Some(Ok((_, messages))) = futures::StreamExt::next(&mut all).await {
        count += messages as u64;
    }
    count
}

#[tokio::test]
async fn records_are_drained_and_the_same_one_again_changes_nothing() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    let nats = Arc::new(Nats::connect(options.clone()).await.unwrap());
    let recorder = nats.recorder();
    let records: Vec<_> = (0..300).map(|_| record()).collect();
    // Some before anybody drains, some twice.
    for record in &records[..200] {
        recorder.append(record.clone()).await.unwrap();
    }
    recorder.append(records[0].clone()).await.unwrap();
    assert_eq!(waiting(&options, "new").await, 200);
    let sink = Arc::new(Sink::default());
    let draining = [Draining::start(&nats, &sink), Draining::start(&nats, &sink)];
    for record in &records[200..] {
        recorder.append(record.clone()).await.unwrap();
    }
    eventually("the records", || async { sink.has(&records) }).await;
    eventually("the acknowledgements", || async { (waiting(&options, "new").await == 0).then_some(()) }).await;
    assert_eq!(sink.kept.lock().unwrap().len(), 300);
    for drain in draining {
        drain.stop().await;
    }
}

#[tokio::test]
async fn records_wait_while_the_database_is_away() {
    let Some(nats) = nats().await else { return };
    let nats = Arc::new(nats);
    let sink = Arc::new(Sink { failing: Mutex::new(Some(Error::Unavailable("the database"))), ..Sink::default() });
    let draining = Draining::start(&nats, &sink);
    let records = [record(), record()];
    for record in &records {
        nats.recorder().append(record.clone()).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert!(sink.kept.lock().unwrap().is_empty());
    *sink.failing.lock().unwrap() = None;
    eventually("the records", || async { sink.has(&records) }).await;
    draining.stop().await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_set_aside_and_holds_up_nothing() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    let nats = Arc::new(Nats::connect(options.clone()).await.unwrap());
    let records: Vec<_> = (0..5).map(|_| record()).collect();
    let sink = Arc::new(Sink { poison: Mutex::new(Some(records[2].id)), ..Sink::default() });
    for record in &records {
        nats.recorder().append(record.clone()).await.unwrap();
    }
    let foreign = jetstream::new(async_nats::connect(&options.url).await.unwrap());
    let subject = format!("{}.records.new.acme", options.prefix);
    foreign.publish(subject, "from a later version".into()).await.unwrap().await.unwrap();
    let draining = Draining::start(&nats, &sink);
    let good: Vec<_> = records.iter().filter(|r| r.id != records[2].id).cloned().collect();
    eventually("the good records", || async { sink.has(&good) }).await;
    eventually("the others", || async { (waiting(&options, "unreadable").await == 2).then_some(()) }).await;
    eventually("the end", || async { (waiting(&options, "new").await == 0).then_some(()) }).await;
    draining.stop().await;
}

#[tokio::test]
async fn a_record_larger_than_a_message_is_cut_and_says_so() {
    let Some(nats) = nats().await else { return };
    let nats = Arc::new(nats);
    let sink = Arc::new(Sink::default());
    let draining = Draining::start(&nats, &sink);
    let mut large = record();
    let text = format!(r#"{{"text":"{}"}}"#, "\u{e9}".repeat(1_000_000));
    large.request.as_mut().unwrap().parameters = Json::trusted(text.clone());
    large.log = (0..50_000)
        .map(|i| LogLine { time: now(), level: LogLevel::Info, text: format!("line {i} of many") })
        .collect();
    large.calls.push(Call {
        started_at: now(),
        duration_us: None,
        method: "GET".to_owned(),
        url: "https://stock.example/".to_owned(),
        credential: None,
        request_headers: Json::parse("{}").unwrap(),
        request_body: None,
        status: Some(200),
        response_headers: None,
        response_body: Some("x".repeat(2_000_000)),
        response_truncated: false,
        error: None,
    });
    nats.recorder().append(large.clone()).await.unwrap();
    eventually("the record", || async { sink.kept.lock().unwrap().contains_key(&large.id).then_some(()) }).await;
    let kept = sink.kept.lock().unwrap()[&large.id].clone();
    let parameters = kept.request.as_ref().unwrap().parameters.to_value();
    assert_eq!((&parameters["truncated"], &parameters["bytes"]), (&true.into(), &text.len().into()));
    let body = kept.calls[0].response_body.as_ref().unwrap();
    assert!(kept.calls[0].response_truncated && (1..=256 * 1024).contains(&body.len()), "{}", body.len());
    assert!(kept.log.len() > 100 && kept.log.last().unwrap().text.contains("more log lines cut"));
    assert_eq!((kept.status, kept.core_result, kept.started_at), (large.status, large.core_result, large.started_at));
    draining.stop().await;
}

#[tokio::test]
async fn records_survive_a_killed_broker() {
    let mut broker = Broker::start();
    let nats = Arc::new(Nats::connect(NatsOptions::at(broker.url())).await.unwrap());
    let (recorder, sink) = (nats.recorder(), Arc::new(Sink::default()));
    let draining = Draining::start(&nats, &sink);
    let mut accepted = vec![];
    for round in 0..3 {
        for i in 0..50 {
            if i == 25 {
                broker.kill();
                if round == 0 {
                    assert_eq!(recorder.append(record()).await, Err(Error::Unavailable("the record stream")));
                }
                broker.restart();
            }
            let record = record();
            // Waits for the broker by itself.
            eventually("the broker", || async { recorder.append(record.clone()).await.ok() }).await;
            accepted.push(record);
        }
    }
    eventually("the records", || async { sink.has(&accepted) }).await;
    draining.stop().await;
}

/// nats-server 2.9 forgets when it is killed what it removed last.
#[tokio::test]
async fn what_a_killed_broker_shows_again_is_taken_out_of_it_again() {
    let mut broker = Broker::start();
    let options = NatsOptions::at(broker.url());
    let nats = Arc::new(Nats::connect(options.clone()).await.unwrap());
    let (recorder, sink) = (nats.recorder(), Arc::new(Sink::default()));
    let mut accepted = vec![];
    for _ in 0..4 {
        for _ in 0..100 {
            let record = record();
            eventually("the broker", || async { recorder.append(record.clone()).await.ok() }).await;
            accepted.push(record);
        }
        let draining = Draining::start(&nats, &sink);
        eventually("the records", || async { sink.has(&accepted) }).await;
        eventually("the end", || async { (waiting(&options, "new").await == 0).then_some(()) }).await;
        draining.stop().await;
        broker.kill();
        broker.restart();
        eventually("the broker", || async { async_nats::connect(&options.url).await.ok() }).await;
    }
    let draining = Draining::start(&nats, &sink);
    eventually("the end", || async { (waiting(&options, "new").await == 0).then_some(()) }).await;
    draining.stop().await;
}

#[tokio::test]
async fn a_record_stream_that_is_gone_is_made_again_and_drained_again() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    let nats = Arc::new(Nats::connect(options.clone()).await.unwrap());
    let (recorder, sink) = (nats.recorder(), Arc::new(Sink::default()));
    let draining = Draining::start(&nats, &sink);
    let mut accepted = vec![record()];
    recorder.append(accepted[0].clone()).await.unwrap();
    eventually("the record", || async { sink.has(&accepted) }).await;
    let foreign = jetstream::new(async_nats::connect(&options.url).await.unwrap());
    for _ in 0..2 {
        foreign.delete_stream(format!("{}_RECORDS", options.prefix.to_uppercase())).await.unwrap();
        let record = record();
        eventually("the stream", || async { recorder.append(record.clone()).await.ok() }).await;
        accepted.push(record);
        eventually("the record", || async { sink.has(&accepted) }).await;
    }
    draining.stop().await;
}

#[tokio::test]
async fn whether_records_can_be_kept_is_told_of_their_stream_alone() {
    let mut broker = Broker::start();
    let options = NatsOptions::at(broker.url());
    let nats = Nats::connect(options.clone()).await.unwrap();
    assert!(nats.can_record().await);
    let foreign = jetstream::new(async_nats::connect(&options.url).await.unwrap());
    foreign.delete_stream("TIDEGATE_EVENTS").await.unwrap();
    assert!(nats.can_record().await);
    broker.kill();
    assert!(!nats.can_record().await);
    broker.restart_empty();
    eventually("the streams", || async { nats.can_record().await.then_some(()) }).await;
}
