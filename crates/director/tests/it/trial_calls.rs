//! The calls of trials, compared with those of records.

use serde_json::json;
use tidegate_model::{Attempt, Call, Execution, HttpMethod, Json, Status};
use tidegate_storage::contract::Intake;
use uuid::Uuid;

use crate::desk::{Desk, text};
use crate::executions::{created, delivery};
use crate::trials::{record_with, refused, tried};

/// Where outgoing Integrations of the desk call.
const DESTINATION: &str = "http://sink.example/in";

#[tokio::test]
async fn the_calls_of_a_trial_are_compared_with_those_of_the_record() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let called = |method: &str, url: &str, body: Option<&str>| Call {
        started_at: "2026-03-01T11:00:00Z".parse().unwrap(),
        duration_us: Some(1),
        method: method.to_owned(),
        url: url.to_owned(),
        credential: None,
        request_headers: Json::empty_object(),
        request_body: body.map(str::to_owned),
        status: Some(200),
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    };
    let calls = vec![
        called("GET", "https://stock.example/a", None),
        called("POST", "https://stock.example/b", Some(r#"{"b":2,"a":1.0}"#)),
    ];
    let id = record_with(&desk, &hook, Status::Success, Some("{}"), calls).await;
    let try_source = async |source: &str| tried(&desk, json!({ "source": source, "executionID": id })).await;
    let live = "pcall(http.get, 'https://stock.example/a')
        pcall(http.post, 'https://stock.example/b', { json = { a = 1, b = 2 } })
        return {}";
    let same = try_source(live).await;
    assert_eq!(same["difference"]["differs"], false, "{same}");
    let more = live.replace("/a'", "/z'").replace("return", "pcall(http.get, 'https://more.example/') return");
    let other = try_source(&more).await;
    let get = |url: &str| json!({ "method": "GET", "url": url, "body": null });
    assert_eq!((&other["difference"]["differs"], &other["difference"]["callsDiffer"]), (&json!(true), &json!(true)));
    assert_eq!(
        other["difference"]["calls"],
        json!([
            { "recorded": get("https://stock.example/a"), "tried": get("https://stock.example/z") },
            { "recorded": null, "tried": get("https://more.example/") },
        ])
    );
    let less = try_source("return {}").await;
    assert_eq!(less["difference"]["calls"].as_array().unwrap().len(), 2, "{less}");
    let body = try_source(&live.replace("b = 2", "b = 3")).await;
    assert_eq!(body["difference"]["calls"].as_array().unwrap().len(), 1, "{body}");
}

#[tokio::test]
async fn an_outgoing_record_is_tried_on_its_event_and_masked_headers_count_as_the_same() {
    let desk = Desk::with_tenants().await;
    let out = desk.create_outgoing("acme", "out", "Order").await;
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    let event = created("e-1", "7", now);
    let delivery = delivery(&desk, &out, &event).await;
    let open = delivery.execution.clone();
    let intake = Intake { events: vec![(event, vec![delivery])], ..Intake::default() };
    let holder = Uuid::from_u128(9);
    desk.store.take_in(0, 1, &intake, holder, now + chrono::TimeDelta::minutes(1), now).await.unwrap().unwrap();
    let source =
        "return { headers = { Authorization = 'Bearer x', ['X-A'] = '1' }, body = { is = object.a, id = object.id } }";
    let input = json!({ "source": source, "executionID": open.id });
    let (code, message) = refused(&desk, input.clone()).await;
    assert_eq!((code, message.contains("have not run yet")), (27, true), "{message}");
    let result = r#"{"headers":{"Authorization":"***","X-A":"1"},"body":{"is":1,"id":"7"}}"#;
    let made = Attempt {
        number: 1,
        started_at: now,
        duration_us: Some(1),
        url: DESTINATION.to_owned(),
        method: HttpMethod::Post,
        request_headers: Json::parse(r#"{"x-a":"1"}"#).unwrap(),
        request_body: Some(r#"{"is":1.0,"id":"7"}"#.to_owned()),
        status: Some(500),
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    };
    let never_made = Attempt { request_headers: Json::empty_object(), request_body: None, ..made.clone() };
    let dead = Execution {
        status: Status::Dead,
        attempts: vec![never_made, made],
        core_result: Some(Json::parse(result).unwrap()),
        core_logic_version: Some(1),
        finished_at: Some(now),
        ..open
    };
    desk.store.finish(&[dead], holder).await.unwrap();
    let done = tried(&desk, input.clone()).await;
    assert_eq!(done["difference"]["differs"], false, "the script did what it should: {done}");
    assert_eq!(done["difference"]["recordedStatus"], "SUCCESS");
    assert_eq!(
        done["plannedCall"],
        json!({ "method": "POST", "url": DESTINATION, "headers": { "authorization": "***", "x-a": "1" }, "body": { "is": 1, "id": "7" } })
    );
    let mut planned = input.clone();
    planned["source"] = json!(source.replace("is = object.a", "is = 2"));
    let calls = tried(&desk, planned.clone()).await["difference"]["calls"].clone();
    let told = json!({ "method": "POST", "url": DESTINATION, "body": r#"{"is":1.0,"id":"7"}"# });
    assert_eq!((calls.as_array().unwrap().len(), &calls[0]["recorded"]), (1, &told), "{calls}");
    assert_eq!(calls[0]["tried"]["url"], DESTINATION, "{calls}");
    planned["source"] = json!("return { requestNeeded = false }");
    let none = tried(&desk, planned.clone()).await;
    assert_eq!(
        (&none["plannedCall"], &none["difference"]["calls"][0]["tried"]),
        (&json!(null), &json!(null)),
        "{none}"
    );
    planned["source"] = json!("return { body = 'text' }");
    let unplanned = tried(&desk, planned).await;
    assert!(text(&unplanned["planError"]).contains("body must be a table"), "{unplanned}");
    let mut other = input;
    other["source"] = json!(source.replace("'1'", "'2'"));
    assert_eq!(tried(&desk, other).await["difference"]["attributes"], json!(["headers"]));
}
