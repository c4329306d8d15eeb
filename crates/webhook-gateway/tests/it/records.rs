//! What stays of a call.

use chrono::TimeDelta;
use serde_json::json;
use tidegate_model::{Execution, LogLevel, SkipReason, Status, Trigger};

use crate::harness::{KEY, World, inactive, integration, post, start, with_enable};

async fn record_of(world: &World, body: &'static str) -> Execution {
    let request = post().header("content-type", "application/json").header("authorization", "Bearer hunter2");
    world.call(request.header("x-original-uri", format!("/webhook/{KEY}")), body).await;
    let mut records = world.records();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[tokio::test]
async fn a_success_is_recorded_whole() {
    let core = "log('one') log.error('two') return { total = parameters.qty }";
    let world = World::with(with_enable(integration(core), "return { result = true, why = 'open' }"));
    let record = record_of(&world, r#"{"qty":9007199254740993}"#).await;
    assert_eq!((record.status, record.trigger, record.skip_reason), (Status::Success, Trigger::Webhook, None));
    assert_eq!((record.started_at, record.finished_at), (start(), Some(start())));
    assert_eq!((record.tenant.as_str(), record.execution_user.username.as_str()), ("acme", "integration/shop-orders"));
    assert_eq!((record.enable_logic_version, record.core_logic_version), (Some(3), Some(7)));
    assert_eq!(record.enable_result.unwrap().to_value(), json!({"result": true, "why": "open"}));
    assert_eq!(record.core_result.unwrap().as_str(), r#"{"total":9007199254740993}"#);
    let log: Vec<_> = record.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(log, [(LogLevel::Info, "one"), (LogLevel::Error, "two")]);
    let request = record.request.unwrap();
    assert_eq!(request.url, "http://gate.example/webhook/***");
    assert_eq!(request.parameters.as_str(), r#"{"qty":9007199254740993}"#);
    let headers = request.headers.to_value();
    assert_eq!((&headers["authorization"], &headers["x-original-uri"]), (&json!("***"), &json!("/webhook/***")));
}

#[tokio::test]
async fn what_a_script_called_is_recorded_though_the_run_failed() {
    let core = "local options = { headers = { Authorization = 'Bearer hunter2' } }
        pcall(http.get, 'http://10.0.0.1/orders', options) error('no orders')";
    let record = record_of(&World::with(integration(core)), "{}").await;
    assert_eq!(record.status, Status::Failed);
    let [call] = record.calls.as_slice() else { panic!("{:?}", record.calls) };
    assert_eq!((call.method.as_str(), call.url.as_str()), ("GET", "http://10.0.0.1/orders"));
    assert_eq!(call.request_headers.to_value(), json!({"authorization": "***"}));
    assert!(call.error.as_ref().is_some_and(|error| error.contains("call refused")), "{call:?}");
}

#[tokio::test]
async fn a_warning_shows_in_the_status() {
    let world = World::with(integration("log.warn('careful') return {}"));
    assert_eq!(record_of(&world, "{}").await.status, Status::SuccessWithWarning);
}

#[tokio::test]
async fn neither_the_key_nor_a_credential_is_recorded() {
    let calls = "pcall(http.post, 'http://10.0.0.1/?from=' .. requestUrl, { body = requestUrl, headers = { ['x-from'] = requestUrl } }) return {}";
    let quiet = [integration("return {}"), inactive(integration("return {}")), integration("error('x')")];
    for runnable in quiet.into_iter().chain([integration(calls)]) {
        let record = serde_json::to_string(&record_of(&World::with(runnable), "{}").await).unwrap();
        assert!(!record.contains(KEY) && !record.contains("hunter2"), "{record}");
    }
}

#[tokio::test]
async fn a_skipped_call_is_recorded_with_its_reason_and_what_was_sent() {
    let world = World::with(inactive(integration("return {}")));
    let record = record_of(&world, r#"{"qty":1}"#).await;
    assert_eq!((record.status, record.skip_reason), (Status::Skipped, Some(SkipReason::Inactive)));
    assert_eq!((record.enable_logic_version, record.core_logic_version), (None, None));
    assert_eq!(record.request.unwrap().parameters.as_str(), r#"{"qty":1}"#);

    let world = World::with(with_enable(integration("return {}"), "log('no') return { result = false }"));
    let record = record_of(&world, "{}").await;
    assert_eq!((record.status, record.skip_reason), (Status::Skipped, Some(SkipReason::NotEnabled)));
    assert_eq!((record.enable_logic_version, record.core_logic_version), (Some(3), None));
    assert_eq!((record.enable_result.unwrap().to_value(), record.log.len()), (json!({"result": false}), 1));
}

#[tokio::test]
async fn a_failure_is_told_to_the_record_and_not_to_the_caller() {
    let world = World::with(with_enable(integration("log('before')\nerror('hunter2')"), "return { result = true }"));
    let answer = world.post("{}").await;
    let record = world.records().remove(0);
    assert_eq!(record.status, Status::Failed);
    let error = record.error.unwrap();
    assert!(error.contains("shop-orders/core:2") && error.contains("hunter2"), "{error}");
    assert_eq!((record.enable_logic_version, record.core_logic_version, record.log.len()), (Some(3), Some(7), 1));
    assert!(!answer.text.contains("hunter2") && !answer.text.contains("shop-orders"), "{}", answer.text);
    assert_eq!(answer.json()["executionId"], record.id.to_string());

    let world = World::with(with_enable(integration("return {}"), "error('in enable')"));
    let record = record_of(&world, "{}").await;
    assert_eq!((record.enable_logic_version, record.core_logic_version), (Some(3), None));
}

#[tokio::test]
async fn a_malformed_body_is_recorded_as_a_failure_in_which_nothing_ran() {
    let world = World::with(integration("return {}"));
    let record = record_of(&world, r#"{"password":"swordfish""#).await;
    assert_eq!((record.status, record.core_logic_version), (Status::Failed, None));
    let error = record.error.unwrap();
    assert!(error.contains("JSON") && error.contains("line 1") && !error.contains("swordfish"), "{error}");
    assert_eq!(record.request.unwrap().parameters.as_str(), "{}");
}

#[tokio::test]
async fn records_sort_by_their_start() {
    let world = World::with(integration("return {}"));
    for _ in 0..3 {
        world.post("{}").await;
        world.clock.advance(TimeDelta::milliseconds(1));
    }
    let ids: Vec<_> = world.records().iter().map(|record| record.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}
