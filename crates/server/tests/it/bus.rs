//! The broker as an operator has set it up, and publishers in another language.

use std::path::Path;
use std::process::Command;

use async_nats::jetstream::stream;
use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::command::{ended, tidegate};
use crate::harness::servers::Servers;
use crate::harness::{Mode, Sink, Tidegate, eventually, ports};

#[tokio::test]
async fn a_stream_that_is_there_for_something_else_is_refused_in_one_line_and_left_as_it_is() {
    let Some(servers) = Servers::start("a stream for something else").await else { return };
    let connection = eventually("the broker", || async { async_nats::connect(servers.nats_url()).await.ok() }).await;
    let streams = async_nats::jetstream::new(connection);
    let config = stream::Config {
        name: "TIDEGATE_EVENTS".to_owned(),
        subjects: vec!["tidegate.events.>".to_owned()],
        retention: stream::RetentionPolicy::WorkQueue,
        ..stream::Config::default()
    };
    let made = streams.create_stream(&config).await.unwrap().cached_info().config.clone();
    let mut command = tidegate();
    command.args(["serve", "webhook-gateway", "--http-listen", &format!("127.0.0.1:{}", ports::free())]);
    command.env("TIDEGATE_BUS__URL", servers.nats_url()).env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles");
    command.env("TIDEGATE_PEERS__DIRECTOR", "http://127.0.0.1:1").env("TIDEGATE_LOG__LEVEL", "error");
    let refused = tokio::task::spawn_blocking(move || ended(&mut command)).await.unwrap();
    assert_eq!((refused.code, refused.err.lines().count()), (Some(1), 1), "{}", refused.err);
    for part in ["TIDEGATE_EVENTS", "retention", "WorkQueue", "Limits"] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    let found = streams.get_stream("TIDEGATE_EVENTS").await.unwrap().cached_info().config.clone();
    assert_eq!(found, made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cloud_events_of_another_language_come_in_over_nats_in_both_modes() {
    let Ok(python) = std::env::var("TIDEGATE_TEST_PYTHON") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        return eprintln!("skipped: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
    };
    let Some(tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let echo = "return { body = { id = object.id, event = eventType, new = newObject or json.null, old = oldObject or json.null } }";
    let all = [("Order", "CREATE"), ("Order", "UPDATE"), ("Order", "DELETE")];
    let out = acme.make_outgoing("erp", echo, &sink.url("/erp"), &all, json!({})).await;
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/cloud_events.py");
    let mut command = Command::new(python);
    command.arg(client).arg(tidegate.servers.as_ref().unwrap().nats_url()).env("PYTHONDONTWRITEBYTECODE", "1");
    let told = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&[told.stdout, told.stderr].concat()));

    // Four are published, two of them twice.
    let records = acme.ended(&out, 4).await;
    assert_eq!(records.len(), 4);
    let mut bodies: Vec<Value> = sink.calls("/erp").iter().map(crate::harness::sink::Call::json).collect();
    bodies.sort_by_key(|body| body["id"].to_string() + &body["event"].to_string());
    let expected = json!([
        { "id": "binary", "event": "CREATE", "new": { "id": "binary", "text": "\u{e9} \u{1f30a}", "n": 9_007_199_254_740_993_i64 }, "old": null },
        { "id": "binary", "event": "DELETE", "new": null, "old": { "n": 2 } },
        { "id": "structured", "event": "CREATE", "new": { "id": "structured", "text": "\u{e9} \u{1f30a}" }, "old": null },
        { "id": "structured", "event": "UPDATE", "new": { "id": "structured", "n": 2 }, "old": { "n": 1 } },
    ]);
    assert_eq!(Value::from(bodies), expected);
}

async fn streams(tidegate: &Tidegate) -> async_nats::jetstream::Context {
    let url = tidegate.servers.as_ref().unwrap().nats_url();
    async_nats::jetstream::new(async_nats::connect(url).await.unwrap())
}

const DIRECTOR: usize = 1;
const DISPATCHER: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_record_stream_vanishes_is_not_ready_and_says_so() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let streams = streams(&tidegate).await;
    let ready = || async { http().get(tidegate.gateway("/readyz")).send().await.unwrap().status() };
    assert_eq!(ready().await, 200);
    // Nobody is there who could make it again.
    tidegate.kill(DIRECTOR);
    tidegate.kill(DISPATCHER);
    let ready = || async { http().get(tidegate.gateway("/readyz")).send().await.unwrap().status() };
    streams.delete_stream("TIDEGATE_RECORDS").await.unwrap();
    assert_eq!(ready().await, 503);
    eventually("it says so", || async {
        let said = tidegate.said();
        said.iter().any(|line| line.contains("ALARM") && line.contains("TIDEGATE_RECORDS is not there")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_vanish_are_made_again_and_everything_goes_on() {
    let Some(tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    let incoming = acme.make_incoming("in", "return {}", json!({})).await;
    let key = incoming["webhookUrl"].as_str().unwrap().rsplit('/').next().unwrap();
    let mut calls = 0..;
    let streams = streams(&tidegate).await;
    for round in 1..=3 {
        for name in ["TIDEGATE_EVENTS", "TIDEGATE_RECORDS", "TIDEGATE_REPEATS"] {
            streams.delete_stream(name).await.unwrap();
        }
        acme.create_object("Order", &round.to_string(), json!({})).await;
        eventually("the webhook is answered", || {
            let call = http().post(tidegate.gateway(&format!("/webhook/{key}")));
            let call = call.header("idempotency-key", format!("call-{}", calls.next().unwrap()));
            async move { (call.send().await.unwrap().status() == 200).then_some(()) }
        })
        .await;
        assert_eq!(acme.ended(&out, round).await.len(), round);
        acme.ended(&incoming, round).await;
    }
    let said = tidegate.said();
    let alarms = said.iter().filter(|line| line.contains("ALARM: a stream was gone")).count();
    assert_eq!(alarms, 9, "{said:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_replaced_is_read_from_its_start_although_it_is_longer() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    for id in ["a", "b", "c"] {
        acme.create_object("Order", id, json!({})).await;
    }
    acme.ended(&out, 3).await;
    tidegate.kill(3);
    let streams = streams(&tidegate).await;
    let config = streams.get_stream("TIDEGATE_EVENTS").await.unwrap().cached_info().config.clone();
    streams.delete_stream("TIDEGATE_EVENTS").await.unwrap();
    streams.create_stream(config).await.unwrap();
    for number in 0..8 {
        acme.create_object("Order", &format!("new-{number}"), json!({})).await;
    }
    eventually("the events are there", || async {
        let mut stream = streams.get_stream("TIDEGATE_EVENTS").await.ok()?;
        (stream.info().await.ok()?.state.messages == 8).then_some(())
    })
    .await;
    tidegate.resume().await;
    assert_eq!(acme.ended(&out, 11).await.len(), 11);
    let said = tidegate.said();
    let alarms = said.iter().filter(|line| line.contains("ALARM: the log was replaced")).count();
    assert_eq!(alarms, 1, "{said:#?}");
}
