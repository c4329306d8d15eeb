use serde_json::json;
use tidegate_model::{
    Attempt, Call, Change, Delivery, Event, Execution, ExecutionId, ExecutionUser, HttpMethod, Json, LogLevel, LogLine,
    ManualClock, ReceivedRequest, Status, SystemRandomness, Timestamp, Trigger, UserId,
};
use tidegate_storage::contract::{Intake, Whose};
use uuid::Uuid;

use crate::desk::{Desk, tenant, text};

const LIST: &str = "query($f: ExecutionFilter, $n: Int, $a: PageCursor) { executions(filter: $f, first: $n, after: $a) { data { id } totalCount pageInfo { endCursor } } }";

/// A record of an incoming run of acme's, begun at `time`.
pub(crate) async fn record(desk: &Desk, integration: &str, time: Timestamp) -> ExecutionId {
    let execution = blank(desk, integration, time);
    desk.store.append_executions(std::slice::from_ref(&execution)).await.unwrap();
    execution.id
}

/// An event of acme's.
pub(crate) fn created(id: &str, object: &str, time: Timestamp) -> Event {
    Event {
        id: id.parse().unwrap(),
        tenant: tenant("acme"),
        object_type: "Order".parse().unwrap(),
        object_id: object.parse().unwrap(),
        change: Change::Create { new: Json::parse(r#"{"a":1}"#).unwrap() },
        time,
    }
}

/// What an Integration of acme's owes for it.
pub(crate) async fn delivery(desk: &Desk, integration: &str, event: &Event) -> Delivery {
    let id = integration.parse().unwrap();
    let integration = desk.store.integration(&tenant("acme"), id).await.unwrap().unwrap();
    let id = ExecutionId::generate(&ManualClock::new(event.time), &SystemRandomness);
    Delivery::open(event.clone(), &integration, id, event.time)
}

fn blank(desk: &Desk, integration: &str, time: Timestamp) -> Execution {
    let clock = ManualClock::new(time);
    Execution {
        id: ExecutionId::generate(&clock, &SystemRandomness),
        tenant: tenant("acme"),
        integration: integration.parse().unwrap(),
        trigger: Trigger::Webhook,
        status: Status::Success,
        skip_reason: None,
        started_at: time,
        finished_at: Some(time + chrono::TimeDelta::microseconds(1500)),
        request: Some(ReceivedRequest {
            method: HttpMethod::Post,
            url: "https://gate.example/webhook".to_owned(),
            headers: Json::parse(r#"{"x":"y"}"#).unwrap(),
            parameters: Json::parse(r#"{"n":9007199254740993}"#).unwrap(),
            caller_address: Some([203, 0, 113, 7].into()),
        }),
        event: None,
        attempts: Vec::new(),
        next_attempt_at: None,
        calls: vec![Call {
            started_at: time,
            duration_us: Some(2500),
            method: "PUT".to_owned(),
            url: "https://stock.example/items".to_owned(),
            credential: Some("stock".to_owned()),
            request_headers: Json::parse(r#"{"authorization":"***"}"#).unwrap(),
            request_body: Some("{}".to_owned()),
            status: Some(204),
            response_headers: Some(Json::parse("{}").unwrap()),
            response_body: Some(String::new()),
            response_truncated: false,
            error: None,
        }],
        enable_result: Some(Json::parse("true").unwrap()),
        core_result: Some(Json::parse(r#"{"ok":[]}"#).unwrap()),
        log: vec![LogLine { time, level: LogLevel::Warn, text: "careful now".to_owned() }],
        error: None,
        core_logic_version: Some(1),
        enable_logic_version: None,
        execution_user: ExecutionUser {
            id: UserId::generate(&*desk.clock, &SystemRandomness),
            username: "integration/hook".to_owned(),
        },
        replay_of: None,
    }
}

#[tokio::test]
async fn a_record_shows_what_happened() {
    let desk = Desk::with_tenants().await;
    let (integration, _) = desk.create_incoming("acme", "hook").await;
    let id = record(&desk, &integration, "2026-03-01T11:00:00.25Z".parse().unwrap()).await;
    let read = "query($id: ID!) { execution(id: $id) { integration { name } trigger status skipReason startedAt finishedAt durationMs method url headers
        parameters objectType eventType attempts { number }
        calls { startedAt durationMs method url credential requestHeaders requestBody status responseHeaders responseBody responseTruncated error } enableResult coreResult log error coreLogicVersion executionUser { username } replayOf } }";
    let seen = desk.ok(Some("acme"), read, json!({ "id": id })).await["execution"].clone();
    assert_eq!(
        seen,
        json!({
            "integration": { "name": "hook" }, "trigger": "WEBHOOK", "status": "SUCCESS", "skipReason": null,
            "startedAt": "2026-03-01T11:00:00.250Z", "finishedAt": "2026-03-01T11:00:00.251500Z", "durationMs": 1.5,
            "method": "POST", "url": "https://gate.example/webhook", "headers": { "x": "y" }, "parameters": { "n": 9_007_199_254_740_993_i64 },
            "objectType": null, "eventType": null, "attempts": [], "calls": [{
                "startedAt": "2026-03-01T11:00:00.250Z", "durationMs": 2.5, "method": "PUT", "url": "https://stock.example/items",
                "credential": "stock", "requestHeaders": { "authorization": "***" }, "requestBody": "{}", "status": 204, "responseHeaders": {}, "responseBody": "",
                "responseTruncated": false, "error": null,
            }], "enableResult": true, "coreResult": { "ok": [] },
            "log": "2026-03-01T11:00:00.250Z warn careful now", "error": null, "coreLogicVersion": 1,
            "executionUser": { "username": "integration/hook" }, "replayOf": null,
        })
    );
    assert!(desk.ok(Some("other"), read, json!({ "id": id })).await["execution"].is_null());
    assert!(desk.ok(Some("acme"), read, json!({ "id": "x" })).await["execution"].is_null());
    desk.ok(Some("acme"), "mutation($i: ID!) { deleteIntegration(id: $i) { id } }", json!({ "i": integration })).await;
    assert!(
        desk.ok(Some("acme"), read, json!({ "id": id })).await["execution"]["integration"].is_null(),
        "the record stays"
    );
}

#[tokio::test]
async fn records_are_listed_newest_first_and_narrowed_by_every_field() {
    let desk = Desk::with_tenants().await;
    let (a, _) = desk.create_incoming("acme", "a").await;
    let (b, _) = desk.create_incoming("acme", "b").await;
    let at = |minute: u32| format!("2026-03-01T11:{minute:02}:00Z").parse::<Timestamp>().unwrap();
    let first = json!(record(&desk, &a, at(1)).await);
    let second = json!(record(&desk, &b, at(2)).await);
    let third = json!(record(&desk, &a, at(3)).await);
    let list = async |filter: serde_json::Value| {
        let page = desk.ok(Some("acme"), LIST, json!({ "f": filter })).await["executions"].clone();
        page["data"].as_array().unwrap().iter().map(|e| e["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list(json!(null)).await, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(list(json!({ "integrationID": a })).await, [third.clone(), first.clone()]);
    assert_eq!(
        list(json!({ "from": "2026-03-01T11:02:00Z", "to": "2026-03-01T11:03:00Z" })).await,
        std::slice::from_ref(&second)
    );
    assert!(list(json!({ "statuses": ["FAILED", "DEAD"] })).await.is_empty());
    assert_eq!(list(json!({ "statuses": ["SUCCESS"] })).await.len(), 3);
    assert_eq!(list(json!({ "text": "CAREFUL" })).await.len(), 3);
    assert_eq!(list(json!({ "text": "stock.example" })).await.len(), 3);
    for nothing in [
        json!({ "integrationID": "x" }),
        json!({ "objectType": "no such" }),
        json!({ "objectId": "" }),
        json!({ "eventId": "e" }),
        json!({ "text": "%" }),
    ] {
        assert_eq!(list(nothing.clone()).await.len(), 0, "{nothing}");
    }
    let page = desk.ok(Some("acme"), LIST, json!({ "n": 2 })).await["executions"].clone();
    assert_eq!(page["totalCount"], 3);
    let within = "{ executions(first: 1) { ... on ExecutionPage { ...Total } } } fragment Total on Pageable { count: totalCount }";
    assert_eq!(
        desk.ok(Some("acme"), within, json!({})).await["executions"]["count"],
        3,
        "it is found however it is asked for"
    );
    let rest = desk.ok(Some("acme"), LIST, json!({ "n": 2, "a": page["pageInfo"]["endCursor"] })).await;
    assert_eq!(rest["executions"]["data"], json!([{ "id": first }]));
    assert_eq!(desk.ok(Some("other"), LIST, json!({})).await["executions"]["totalCount"], 0);
    assert!(
        desk.refused(Some("acme"), LIST, json!({ "f": { "text": "x".repeat(257) } })).await.1.contains("filter.text")
    );
}

#[tokio::test]
async fn an_ended_outgoing_run_is_replayed_on_its_event() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    let (incoming, _) = desk.create_incoming("acme", "in").await;
    let now = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
    let event = created("e-1", "7", now);
    let delivery = delivery(&desk, &outgoing, &event).await;
    let open = delivery.execution.clone();
    let holder = Uuid::from_u128(9);
    let intake = Intake { events: vec![(event, vec![delivery])], ..Intake::default() };
    desk.store.take_in(0, 1, &intake, holder, now + chrono::TimeDelta::minutes(1), now).await.unwrap().unwrap();

    let replay = "mutation($id: ID!) { replayExecution(id: $id) { id status trigger replayOf eventId objectId attempts { number status } } }";
    assert_eq!(desk.refused(Some("acme"), replay, json!({ "id": open.id })).await.0, 27, "it has not ended");
    let attempt = Attempt {
        number: 1,
        started_at: now,
        duration_us: Some(10),
        url: "http://sink.example/in".to_owned(),
        method: HttpMethod::Post,
        request_headers: Json::empty_object(),
        request_body: Some("{}".to_owned()),
        status: Some(410),
        response_headers: Some(Json::empty_object()),
        response_body: Some("gone".to_owned()),
        response_truncated: false,
        error: None,
    };
    let ended = Execution { status: Status::Failed, finished_at: Some(now), attempts: vec![attempt], ..open.clone() };
    desk.store.finish(&[ended], holder).await.unwrap();
    let attempts = "query($id: ID!) { execution(id: $id) { attempts { number durationMs method status responseBody responseTruncated } } }";
    assert_eq!(
        desk.ok(Some("acme"), attempts, json!({ "id": open.id })).await["execution"]["attempts"],
        json!([{ "number": 1, "durationMs": 0.01, "method": "POST", "status": 410, "responseBody": "gone", "responseTruncated": false }])
    );

    let new = desk.ok(Some("acme"), replay, json!({ "id": open.id })).await["replayExecution"].clone();
    assert_ne!(text(&new["id"]), open.id.to_string());
    assert_eq!(new["replayOf"], json!(open.id));
    assert_eq!(
        (&new["status"], &new["trigger"], &new["eventId"]),
        (&json!("PENDING"), &json!("REPLAY"), &json!("e-1"))
    );
    let until = now + chrono::TimeDelta::minutes(1);
    let due = desk.store.claim(holder, now, until, 10, Whose::Anybodys).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(json!(due[0].execution.id), new["id"]);

    let webhook = record(&desk, &incoming, now).await;
    let (code, message) = desk.refused(Some("acme"), replay, json!({ "id": webhook })).await;
    assert_eq!((code, message.contains("OUTGOING")), (27, true), "{message}");
    assert_eq!(desk.refused(Some("other"), replay, json!({ "id": open.id })).await.0, 20);
}
