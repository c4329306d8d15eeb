//! The HTTP calls of a run, as its record keeps them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tidegate_engine::{Limits, Options, Run, Time};
use tidegate_model::{Call, Change, Outcome};
use tokio::net::TcpListener;

use crate::harness::{
    Definition, Memory, engine, engine_with, event, failed, incoming, json as text, noon, outgoing, run,
};
use crate::http::{Answer, serve};

fn only(run: &Run) -> &Call {
    let [call] = run.calls.as_slice() else { panic!("{:?}", run.calls) };
    call
}

#[tokio::test]
async fn a_call_is_kept_with_its_answer_and_without_its_secrets() {
    let server = serve(|_| Answer {
        status: 201,
        headers: vec![("set-cookie", "hunter2".to_owned()), ("x-a", "1".to_owned()), ("x-a", "2".to_owned())],
        body: "made".to_owned(),
    })
    .await;
    let core = format!(
        "http.post('{}', {{ json = {{ n = 1 }}, headers = {{ Authorization = 'Bearer hunter2', ['X-Api-Key'] = 'hunter2', ['X-B'] = 'b' }} }})
        return {{}}",
        server.url("/in?q=1")
    );
    for done in [
        run(&engine(), incoming(&core), "{}").await,
        engine().run_outgoing(&Arc::new(outgoing(&core)), &event(Change::Create { new: text("{}") }), noon()).await,
    ] {
        assert!(matches!(done.outcome, Outcome::Succeeded(_)), "{:?}", done.outcome);
        let call = only(&done);
        assert_eq!((call.method.as_str(), &*call.url), ("POST", &*server.url("/in?q=1")));
        let sent = json!({"authorization": "***", "x-api-key": "***", "x-b": "b", "content-type": "application/json"});
        assert_eq!(call.request_headers.to_value(), sent);
        assert_eq!((call.request_body.as_deref(), call.status), (Some(r#"{"n":1}"#), Some(201)));
        let answered = call.response_headers.as_ref().unwrap().to_value();
        assert_eq!((&answered["set-cookie"], &answered["x-a"]), (&json!("***"), &json!("1, 2")));
        assert_eq!((call.response_body.as_deref(), call.response_truncated), (Some("made"), false));
        assert_eq!((call.started_at, call.error.as_deref()), (noon(), None));
        assert!(call.duration_us.is_some());
        assert!(!format!("{done:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn calls_of_both_scripts_are_kept_in_their_order_with_those_that_failed() {
    let server = serve(|_| Answer::ok("x")).await;
    let enable = format!("http.get('{}') return {{ result = true }}", server.url("/first"));
    let core = "
        pcall(http.get, 'http://ann:hunter2@10.0.0.1/second')
        pcall(http.get, 'http://10.0.0.1/third')
        pcall(http.request, { url = 'http://10.0.0.1/', typo = 1 })
        error('at last')";
    let done = run(&engine(), incoming(core).enabled_by(&enable), "{}").await;
    failed(&done);
    let seen: Vec<_> = done.calls.iter().map(|call| (call.url.as_str(), call.status, call.error.as_deref())).collect();
    let first = server.url("/first");
    assert_eq!(
        seen,
        [
            (first.as_str(), Some(200), None),
            ("http://***@10.0.0.1/second", None, Some("call refused: user or password in the URL")),
            ("http://10.0.0.1/third", None, Some("call refused: not a public address: 10.0.0.1")),
        ]
    );
    assert!(!format!("{done:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_call_that_the_run_did_not_wait_for_is_kept_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let time = Time { cpu: Duration::from_mins(1), wall: Duration::from_millis(200) };
    let limits = Limits { incoming: time, ..Limits::default() };
    let engine = engine_with(Options { threads: 1, limits, ..Options::default() }, Arc::new(Memory::default()));
    let core = format!("http.get('http://{}/') return {{}}", listener.local_addr().unwrap());
    let done = run(&engine, incoming(&core), "{}").await;
    assert!(failed(&done).message.contains("wall time limit"), "{}", failed(&done).message);
    let call = only(&done);
    assert_eq!((call.error.as_deref(), call.duration_us), (Some("the run ended first"), None));
}

#[tokio::test]
async fn what_is_long_is_cut_and_says_so_and_what_is_no_text_is_base64() {
    let server = serve(|request| Answer::ok(&request.body)).await;
    let core = format!(
        "local url = '{0}'
        http.post(url, {{ body = string.rep('x', 100000) }})
        http.post(url .. string.rep('u', 10000), {{ body = 'a\\0b' }})
        pcall(http.post, 'http://10.0.0.1/', {{ body = '\\xff\\xfe' }})
        return {{}}",
        server.url("/")
    );
    let done = run(&engine(), incoming(&core), "{}").await;
    let [long, nul, bytes] = done.calls.as_slice() else { panic!("{:?}", done.calls) };
    let sent = long.request_body.as_deref().unwrap();
    assert!(sent.len() < 17_000 && sent.ends_with("x… (100000 bytes in all)"), "{}", sent.len());
    assert_eq!((long.response_body.as_ref().unwrap().len(), long.response_truncated), (16 << 10, true));
    assert!(nul.url.len() < 5000 && nul.url.contains("bytes in all"), "{}", nul.url.len());
    assert_eq!((nul.request_body.as_deref(), nul.response_body.as_deref()), (Some("YQBi"), Some("YQBi")));
    assert_eq!(bytes.request_body.as_deref(), Some("//4="));
}

#[tokio::test]
async fn calls_are_counted_over_both_scripts_and_no_more_than_the_limit_are_made_or_kept() {
    let server = serve(|_| Answer::ok("x")).await;
    let limits = Limits { http_calls: 5, ..Limits::default() };
    let engine = engine_with(Options { threads: 1, limits, ..Options::default() }, Arc::new(Memory::default()));
    let loops = |n: u32, end: &str| format!("for i = 1, {n} do pcall(http.get, '{}') end {end}", server.url("/"));
    let scripts = incoming(&loops(10, "return {}")).enabled_by(&loops(2, "return { result = true }"));
    let done = run(&engine, scripts, "{}").await;
    assert!(failed(&done).message.contains("HTTP call limit reached (5 calls)"), "{}", failed(&done).message);
    assert_eq!((done.calls.len(), server.received().len()), (5, 5));
}
