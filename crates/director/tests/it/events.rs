//! Events from outside: `publishEvent` and `POST /v1/events`.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tidegate_model::{Change, EventType};

use crate::desk::{ADMIN, Answer, Desk, text};

const PUBLISH: &str = "mutation($in: EventInput!) { publishEvent(in: $in) }";

async fn post(desk: &Desk, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request =
        Request::post("/v1/events").header("authorization", format!("Bearer {ADMIN}")).header("tenant", "acme");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    desk.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn cloud_event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": "com.example.Order.update", "time": "2026-02-01T00:00:00Z",
        "data": { "objectId": 42, "old": { "qty": 1 }, "new": { "qty": 2, "sku": "x" } },
    })
}

#[tokio::test]
async fn publish_event_answers_the_id_once_the_event_is_durable_and_an_id_counts_once() {
    let desk = Desk::with_tenants().await;
    let input =
        json!({ "in": { "objectType": "Order", "eventType": "CREATE", "objectId": "7", "new": { "a": [1, null] } } });
    let id = text(&desk.ok(Some("acme"), PUBLISH, input).await["publishEvent"]);
    let events = desk.published().await;
    assert_eq!((events.len(), events[0].id.as_str(), events[0].tenant.as_str()), (1, id.as_str(), "acme"));
    assert_eq!(events[0].time.to_rfc3339(), "2026-03-01T12:00:00+00:00");
    let Change::Create { new } = &events[0].change else { panic!("{:?}", events[0].change) };
    assert_eq!(new.to_value(), json!({ "a": [1, null] }));

    let named = json!({ "in": { "id": "e-1", "objectType": "Order", "eventType": "DELETE", "objectId": "7", "old": { "a": 1 } } });
    for _ in 0..2 {
        assert_eq!(desk.ok(Some("acme"), PUBLISH, named.clone()).await["publishEvent"], "e-1");
    }
    desk.ok(Some("other"), PUBLISH, named).await;
    let events = desk.published().await;
    assert_eq!(events.len(), 3, "ids are per tenant");
    assert_eq!(events[1].change.event_type(), EventType::Delete);
}

#[tokio::test]
async fn an_event_that_says_too_little_or_too_much_is_refused_by_field() {
    let desk = Desk::with_tenants().await;
    let deep = (1..60).fold(json!([]), |inner, _| json!([inner]));
    for (field, input) in [
        ("in", json!({ "objectType": "A", "eventType": "CREATE", "objectId": "1", "new": { "a": deep } })),
        ("in.objectType", json!({ "objectType": "a b", "eventType": "DELETE", "objectId": "1" })),
        ("in.objectId", json!({ "objectType": "A", "eventType": "DELETE", "objectId": "" })),
        ("in.id", json!({ "id": "", "objectType": "A", "eventType": "DELETE", "objectId": "1" })),
        ("in.new", json!({ "objectType": "A", "eventType": "CREATE", "objectId": "1" })),
        ("in.old", json!({ "objectType": "A", "eventType": "CREATE", "objectId": "1", "new": {}, "old": {} })),
        ("in.new", json!({ "objectType": "A", "eventType": "UPDATE", "objectId": "1", "old": {} })),
        ("in.new", json!({ "objectType": "A", "eventType": "UPDATE", "objectId": "1", "new": [] })),
        ("in.new", json!({ "objectType": "A", "eventType": "DELETE", "objectId": "1", "new": {} })),
        (
            "in",
            json!({ "objectType": "A", "eventType": "DELETE", "objectId": "1", "old": { "a": "x".repeat(950_000) } }),
        ),
    ] {
        let (code, message) = desk.refused(Some("acme"), PUBLISH, json!({ "in": input })).await;
        assert_eq!((code, message.contains(field)), (22, true), "{field}: {message}");
    }
    assert!(desk.published().await.is_empty());
    desk.bus.away.store(true, Ordering::SeqCst);
    let input = json!({ "in": { "objectType": "A", "eventType": "DELETE", "objectId": "1" } });
    assert_eq!(desk.refused(Some("acme"), PUBLISH, input).await.0, 10, "not durable, not answered");
}

#[tokio::test]
async fn cloud_events_come_in_structured_binary_and_batch_mode() {
    let desk = Desk::with_tenants().await;
    let structured =
        post(&desk, &[("content-type", "application/cloudevents+json; charset=utf-8")], &cloud_event("s").to_string())
            .await;
    assert_eq!((structured.status, &structured.body), (StatusCode::ACCEPTED, &json!({ "ids": ["s"] })));
    let binary = post(
        &desk,
        &[
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "b"),
            ("ce-source", "/shop"),
            ("ce-type", "com.example.Order.create"),
        ],
        r#"{"objectId":"o","new":{"price":1.50}}"#,
    )
    .await;
    assert_eq!((binary.status, &binary.body), (StatusCode::ACCEPTED, &json!({ "ids": ["b"] })));
    let both = json!([cloud_event("b1"), cloud_event("b2")]).to_string();
    let batch = post(&desk, &[("content-type", "application/cloudevents-batch+json")], &both).await;
    assert_eq!((batch.status, &batch.body), (StatusCode::ACCEPTED, &json!({ "ids": ["b1", "b2"] })));

    let events = desk.published().await;
    let ids: Vec<_> = events.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, ["s", "b", "b1", "b2"]);
    assert_eq!((events[0].object_id.as_str(), events[0].object_type.as_str()), ("42", "Order"));
    assert_eq!(events[0].time.to_rfc3339(), "2026-02-01T00:00:00+00:00");
    let Change::Create { new } = &events[1].change else { panic!() };
    assert_eq!(new.as_str(), r#"{"price":1.50}"#, "the exact text");
}

#[tokio::test]
async fn of_a_batch_with_one_wrong_event_nothing_is_published() {
    let desk = Desk::with_tenants().await;
    for (fault, wrong) in [
        ("[1].type", {
            let mut e = cloud_event("2");
            e["type"] = json!("Order");
            e
        }),
        ("[1].data.objectId", {
            let mut e = cloud_event("2");
            e["data"] = json!({ "new": {} });
            e
        }),
        ("[1].specversion", {
            let mut e = cloud_event("2");
            e["specversion"] = json!("0.3");
            e
        }),
    ] {
        let body = json!([cloud_event("1"), wrong]).to_string();
        let answer = post(&desk, &[("content-type", "application/cloudevents-batch+json")], &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(text(&answer.body["detail"]).contains(fault), "{}", answer.body);
    }
    assert!(desk.published().await.is_empty());
}

#[tokio::test]
async fn what_is_no_cloud_event_is_refused_with_a_problem_document() {
    let desk = Desk::with_tenants().await;
    let json_type = ("content-type", "application/cloudevents+json");
    for (headers, body, fault) in [
        (vec![json_type], "{", "payload"),
        (vec![json_type], "[]", "payload"),
        (vec![json_type], "{}", "specversion"),
        (vec![("content-type", "application/json")], "{}", "content-type"),
        (vec![("content-type", "text/plain"), ("ce-specversion", "1.0")], "text", "data"),
        (vec![("ce-specversion", "1.0")], "{}", "source"),
    ] {
        let answer = post(&desk, &headers, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.body["status"], 400);
        assert!(text(&answer.body["detail"]).contains(fault), "{}", answer.body);
    }
    let large = post(&desk, &[json_type], &"x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn publishing_needs_a_token_the_scope_and_a_tenant() {
    let desk = Desk::with_tenants().await;
    desk.grant_scopes("reader", &["event:read"]);
    // What is said of the token is said in the words of RFC 6750.
    for (token, tenant, status, code, challenge) in [
        (None, Some("acme"), StatusCode::UNAUTHORIZED, 26, Some("")),
        (Some("nobody"), Some("acme"), StatusCode::UNAUTHORIZED, 26, Some(", error=\"invalid_token\"")),
        (
            Some("reader"),
            Some("acme"),
            StatusCode::FORBIDDEN,
            23,
            Some(", error=\"insufficient_scope\", scope=\"event:write\""),
        ),
        (Some(ADMIN), None, StatusCode::BAD_REQUEST, 24, None),
        (Some(ADMIN), Some("nope"), StatusCode::NOT_FOUND, 25, None),
    ] {
        let mut request = Request::post("/v1/events").header("content-type", "application/cloudevents+json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(tenant) = tenant {
            request = request.header("tenant", tenant);
        }
        let answer = desk.send(request.body(cloud_event("1").to_string().into()).unwrap()).await;
        assert_eq!((answer.status, &answer.body["error_code"]), (status, &json!(code)), "{}", answer.body);
        let told = answer.headers.get("www-authenticate").map(|told| told.to_str().unwrap().to_owned());
        assert_eq!(told, challenge.map(|fault| format!("Bearer realm=\"tidegate\"{fault}")));
    }
    assert!(desk.published().await.is_empty());
}

#[tokio::test]
async fn headers_of_binary_mode_are_decoded_and_those_that_nobody_knows_are_ignored() {
    let desk = Desk::with_tenants().await;
    for (i, (id, read)) in
        [("plain", "plain"), ("b%20%C3%A9%25", "b \u{e9}%"), ("\"q \\\"x\\\" \\\\\"", "q \"x\" \\"), ("100%", "100%")]
            .into_iter()
            .enumerate()
    {
        let headers = [
            ("content-type", "application/vnd.shop+json; charset=utf-8"),
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", "/shop"),
            ("ce-type", "com.example.Order.delete"),
            ("ce-time", "2026-02-01T00:00:00%2B01:00"),
            ("ce-subject", "orders"),
            ("ce-dataschema", "https://shop.example/schema"),
            ("ce-traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("ce-myextension", "17"),
        ];
        let answer = post(&desk, &headers, r#"{"objectId":"o"}"#).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &json!({ "ids": [read] })));
        let event = &desk.published().await[i];
        assert_eq!((event.id.as_str(), event.time.to_rfc3339().as_str()), (read, "2026-01-31T23:00:00+00:00"));
    }
}

#[tokio::test]
async fn structured_mode_takes_base64_and_json_types_and_ignores_extensions() {
    let desk = Desk::with_tenants().await;
    let content = [("content-type", "Application/CloudEvents+JSON ; charset=UTF-8")];
    let with = |more: Value| {
        let mut event = cloud_event("e");
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let mut encoded = with(json!({ "data_base64": "eyJvYmplY3RJZCI6ICJ4IiwgIm5ldyI6IHt9fQ==" }));
    encoded.as_object_mut().unwrap().remove("data");
    for event in [
        encoded,
        with(json!({ "datacontenttype": "application/json; charset=utf-8" })),
        with(json!({ "datacontenttype": "application/vnd.shop+json" })),
        with(
            json!({ "subject": "s", "dataschema": "https://shop.example/schema", "myextension": 17, "other": { "deep": [true] }, "none": null }),
        ),
        with(json!({ "time": null, "data_base64": null })),
    ] {
        let answer = post(&desk, &content, &event.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{event} {}", answer.body);
    }
    for (fault, event) in [
        ("datacontenttype", with(json!({ "datacontenttype": "text/xml" }))),
        ("data", with(json!({ "data_base64": "e30=" }))),
        ("data", with(json!({ "data": null }))),
        ("specversion", with(json!({ "specversion": "1.1" }))),
        ("specversion", with(json!({ "specversion": null }))),
        ("payload", with(json!({ "specversion": 1.0 }))),
        ("time", with(json!({ "time": "yesterday" }))),
        ("id", with(json!({ "id": "" }))),
        ("source", with(json!({ "source": "" }))),
        ("type", with(json!({ "type": "" }))),
    ] {
        let answer = post(&desk, &content, &event.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{event}");
        let detail = text(&answer.body["detail"]);
        assert!(detail.starts_with(&format!("{fault}: expected")), "{event} {detail}");
    }
}

#[tokio::test]
async fn what_was_sent_before_is_answered_alike_and_adds_nothing() {
    let desk = Desk::with_tenants().await;
    let batch = [("content-type", "application/cloudevents-batch+json; charset=utf-8")];
    let all = json!([cloud_event("1"), cloud_event("2"), cloud_event("1")]).to_string();
    for _ in 0..2 {
        let answer = post(&desk, &batch, &all).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &json!({ "ids": ["1", "2", "1"] })));
    }
    let empty = post(&desk, &batch, "[]").await;
    assert_eq!((empty.status, &empty.body), (StatusCode::ACCEPTED, &json!({ "ids": [] })));
    assert_eq!(desk.published().await.len(), 2);
    desk.bus.away.store(true, Ordering::SeqCst);
    assert_eq!(post(&desk, &batch, &all).await.status, StatusCode::SERVICE_UNAVAILABLE, "not durable, not accepted");
}

#[tokio::test]
async fn a_fault_in_a_batch_is_told_with_its_place() {
    let desk = Desk::with_tenants().await;
    let mut large = cloud_event("large");
    large["data"]["new"]["text"] = json!("x".repeat(930_000));
    for (body, fault) in [
        (json!([cloud_event("1"), 7]), "[1].payload: expected"),
        (json!([null]), "[0].payload: expected"),
        (json!([cloud_event("1"), cloud_event("2"), { "specversion": "1.0" }]), "[2].source: expected"),
        (json!([cloud_event("1"), large]), "[1].data: expected at most 900 KiB"),
        (cloud_event("1"), "payload: expected an array"),
    ] {
        let answer = post(&desk, &[("content-type", "application/cloudevents-batch+json")], &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let detail = text(&answer.body["detail"]);
        assert!(detail.starts_with(fault), "{fault}: {detail}");
    }
    assert!(desk.published().await.is_empty(), "all or nothing");
}
