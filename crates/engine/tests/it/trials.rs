//! Trials: runs that reach nobody.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tidegate_engine::{Engine, Options};
use tidegate_model::contract::{NOT_SENT, Trial, TrialInput, Trials, Tried};
use tidegate_model::{Change, FailureKind, Outcome, Runnable, SkipReason};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::harness::{Definition, Memory, call, engine, engine_with, event, incoming, json as text, outgoing, run};

fn trial(runnable: Runnable) -> Trial {
    let input = TrialInput::Incoming(call(r#"{"n":1}"#));
    Trial { runnable: Arc::new(runnable), input, enable_only: false, send_http: false }
}

async fn tried(engine: &Engine, trial: Trial) -> Tried {
    Trials::run(engine, trial, Arc::new(Memory::default())).await.unwrap()
}

fn result(tried: &Tried) -> serde_json::Value {
    match &tried.outcome {
        Outcome::Succeeded(json) => json.to_value(),
        other => panic!("{other:?}"),
    }
}

/// A server that answers 201 to everything; its URL.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    tokio_util::task::TaskTracker::new().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_trial_works_on_the_objects_it_is_given_and_on_no_others() {
    let (real, given) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
    let engine = engine_with(Options { threads: 1, ..Options::default() }, real.clone());
    let core = "objects.create('Order', { n = parameters.n }, 'o-1') return objects.get('Order', 'o-1')";
    let done = Trials::run(&engine, trial(incoming(core)), given.clone()).await.unwrap();
    assert_eq!(result(&done), json!({"id": "o-1", "n": 1}));
    assert_eq!(given.all()[0].created_by, "user:integration/shop-orders");
    assert!(real.all().is_empty());
    assert!(done.cpu > Duration::ZERO && done.wall > Duration::ZERO && done.memory > 1000, "{done:?}");
}

#[tokio::test]
async fn an_http_call_is_written_down_and_not_sent() {
    let url = server().await;
    let core = format!(
        "local ok, e = pcall(http.post, '{url}', {{ json = {{ n = parameters.n }}, headers = {{ ['X-A'] = 'b' }} }})
        log(tostring(e))
        return {{ ok = ok, answer = http.get('{url}?q=1').status }}"
    );
    let engine = engine();
    let done = tried(&engine, trial(incoming(&core))).await;
    let Outcome::Failed(failure) = &done.outcome else { panic!("{done:?}") };
    assert!(failure.message.contains("shop-orders/core:3: not sent: this is a trial"), "{}", failure.message);
    assert_eq!(failure.kind, FailureKind::Script);
    assert!(done.log[0].text.contains("not sent: this is a trial"), "{:?}", done.log);
    let [post, get] = done.calls.as_slice() else { panic!("{:?}", done.calls) };
    let body = post.request_body.as_deref();
    assert_eq!((post.method.as_str(), post.url.as_str(), body), ("POST", &*url, Some(r#"{"n":1}"#)));
    assert_eq!(post.request_headers.to_value(), json!({"x-a": "b", "content-type": "application/json"}));
    assert_eq!((get.method.as_str(), get.request_body.as_deref()), ("GET", None));
    assert!(done.calls.iter().all(|c| c.status.is_none() && c.error.as_deref() == Some(NOT_SENT)));

    let done = tried(&engine, Trial { send_http: true, ..trial(incoming(&core)) }).await;
    assert_eq!(result(&done), json!({"ok": true, "answer": 201}));
    assert!(done.calls.iter().all(|c| c.status == Some(201) && c.error.is_none()), "{:?}", done.calls);
}

#[tokio::test]
async fn a_trial_has_the_limits_of_any_run() {
    let engine = engine();
    for (core, limit) in [
        ("while true do end", "CPU time limit"),
        ("local t = {} while true do t[#t + 1] = string.rep('x', 1000000) .. #t end", "memory limit"),
        ("for i = 1, 100 do pcall(http.get, 'http://127.0.0.1:9/') end return {}", "HTTP call limit"),
        ("for i = 1, 300 do objects.get('Order', 'o-1') end return {}", "object call limit"),
        ("while true do log(string.rep('x', 1000)) end", "log size limit"),
    ] {
        let done = tried(&engine, trial(incoming(core))).await;
        let Outcome::Failed(failure) = &done.outcome else { panic!("{core}: {:?}", done.outcome) };
        assert!(failure.message.contains(limit), "{core}: {}", failure.message);
    }
}

#[tokio::test]
async fn a_trial_and_a_run_of_the_same_version_do_not_share_what_was_compiled() {
    let engine = engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()));
    let real = incoming("return { is = 'live' }");
    let mut other = real.clone();
    other.core.source = "return { is = 'tried' }".into();
    for _ in 0..2 {
        assert_eq!(crate::harness::succeeded(&run(&engine, real.clone(), "{}").await), json!({"is": "live"}));
        assert_eq!(result(&tried(&engine, trial(other.clone())).await), json!({"is": "tried"}));
    }
}

#[tokio::test]
async fn enable_logic_is_tried_alone_or_before_core_logic_and_no_enabling_rule_is_asked() {
    let engine = engine();
    let mut scripts =
        incoming("return { core = true }").enabled_by("return { result = parameters.n == 1, why = 'one' }");
    scripts.integration.active = false;
    let alone = Trial { enable_only: true, ..trial(scripts.clone()) };
    assert_eq!(result(&tried(&engine, alone.clone()).await), json!({"result": true, "why": "one"}));
    let both = tried(&engine, trial(scripts)).await;
    assert_eq!(result(&both), json!({"core": true}));
    assert_eq!(both.enable_result.unwrap().to_value()["why"], "one");
    for enable_only in [true, false] {
        let input = TrialInput::Incoming(call(r#"{"n":2}"#));
        let done = tried(&engine, Trial { input, enable_only, ..alone.clone() }).await;
        assert_eq!(done.outcome, Outcome::Skipped(SkipReason::NotEnabled));
        assert_eq!(done.enable_result.unwrap().to_value()["result"], false);
    }
}

#[tokio::test]
async fn an_event_is_tried_like_a_call() {
    let change = Change::Update { old: text(r#"{"a":1,"b":2}"#), new: text(r#"{"a":1,"b":3}"#) };
    let input = TrialInput::Outgoing(event(change));
    let core = "return { body = { was = oldObject.b, is = object.b, type = eventType } }";
    let done = tried(&engine(), Trial { input, ..trial(outgoing(core)) }).await;
    assert_eq!(result(&done), json!({"body": {"was": 2, "is": 3, "type": "UPDATE"}}));
}

#[tokio::test]
async fn the_memory_of_a_trial_is_its_peak() {
    let core = "
        local t = {}
        for i = 1, 100 do t[i] = string.rep('x', 100000) .. i end
        t = nil
        for i = 1, 200 do local gone = string.rep('y', 100000) .. i end
        return {}";
    let done = tried(&engine(), trial(incoming(core))).await;
    assert_eq!(result(&done), json!({}));
    assert!((10_000_000..32 << 20).contains(&done.memory), "{}", done.memory);
    let little = tried(&engine(), trial(incoming("return {}"))).await;
    assert!(little.memory < 2_000_000, "{}", little.memory);
}

#[tokio::test]
async fn the_call_that_a_result_asks_for_is_told_and_not_made() {
    let input = TrialInput::Outgoing(event(Change::Create { new: text("{}") }));
    let plan = async |core: &str| tried(&engine(), Trial { input: input.clone(), ..trial(outgoing(core)) }).await.plan;
    let call = plan("return { headers = { ['X-A'] = 1 }, body = { a = 1 } }").await.unwrap().unwrap();
    assert_eq!((call.url.as_str(), call.headers.as_str()), ("https://third.example/hook", r#"{"x-a":"1"}"#));
    assert_eq!(call.body.unwrap().as_str(), r#"{"a":1}"#);
    assert!(plan("return { body = 1 }").await.unwrap().unwrap_err().contains("body must be a table"));
    assert_eq!(plan("return { requestNeeded = false }").await, None);
    assert_eq!(plan("error('x')").await, None);
    assert_eq!(tried(&engine(), trial(incoming("return {}"))).await.plan, None);
}

#[tokio::test]
async fn a_stopped_engine_tries_nothing() {
    let engine = engine();
    engine.stop().await;
    let done = Trials::run(&engine, trial(incoming("return {}")), Arc::new(Memory::default())).await;
    assert!(matches!(done, Err(tidegate_model::Error::Unavailable(_))), "{done:?}");
}
