//! Trials over gRPC: the same as over GraphQL.

use serde_json::{Value, json};
use tidegate_model::{Call, Json, Status};
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::logic_service_client::LogicServiceClient;

use crate::desk::Desk;
use crate::grpc::admin;
use crate::trials::{core_of, record, record_with};

fn json_of(text: Option<&str>) -> Value {
    serde_json::from_str(text.unwrap()).unwrap()
}

async fn tried(desk: &Desk, input: v1::TryLogicInput) -> v1::TriedLogic {
    let mut client = LogicServiceClient::new(desk.director.grpc().routes());
    let request = v1::TryLogicRequest { input: Some(input) };
    client.try_logic(admin(Some("acme"), request)).await.unwrap().into_inner().tried_logic.unwrap()
}

#[tokio::test]
async fn a_sample_is_tried_with_everything_that_it_would_do() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let source = "log.warn('n', parameters.n)
        pcall(http.post, 'https://stock.example/x', { json = { n = 1 }, credential = 'stock' })
        objects.create('Order', { n = parameters.n }, 'o-1')
        return { n = parameters.n }";
    let sample = v1::TrySampleInput { parameters: Some(r#"{"n":9007199254740993}"#.into()), ..Default::default() };
    let input = v1::TryLogicInput {
        source: Some(source.into()),
        r#type: Some(v1::IntegrationType::Incoming.into()),
        sample: Some(sample),
        ..Default::default()
    };
    let done = tried(&desk, input).await;
    assert_eq!(done.status(), v1::ExecutionStatus::SuccessWithWarning, "{done:?}");
    assert_eq!(done.result.as_deref(), Some(r#"{"n":9007199254740993}"#));
    assert!(done.log.contains("warn n 9007199254740993"), "{}", done.log);
    let [call] = done.calls.as_slice() else { panic!("{done:?}") };
    assert_eq!(
        (call.url.as_str(), call.credential.as_deref(), call.sent),
        ("https://stock.example/x", Some("stock"), false)
    );
    let [change] = done.changes.as_slice() else { panic!("{done:?}") };
    assert_eq!((change.event_type(), change.object_id.as_str()), (v1::EventType::Create, "o-1"));
    assert_eq!(change.new.as_deref(), Some(r#"{"n":9007199254740993}"#));
    assert!(done.cpu_ms > 0.0 && done.wall_ms > 0.0 && done.memory_bytes > 0, "{done:?}");
    let read = "{ objects(objectType: \"Order\") { totalCount } executions { totalCount } }";
    let kept = desk.ok(Some("acme"), read, json!({})).await;
    assert_eq!(kept, json!({ "objects": { "totalCount": 0 }, "executions": { "totalCount": 0 } }));
}

#[tokio::test]
async fn a_stored_execution_is_tried_again_and_the_differences_are_told() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let called = Call {
        started_at: "2026-03-01T11:00:00Z".parse().unwrap(),
        duration_us: Some(1),
        method: "GET".to_owned(),
        url: "https://stock.example/1".to_owned(),
        credential: None,
        request_headers: Json::empty_object(),
        request_body: None,
        status: Some(200),
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    };
    let result = r#"{"n":9007199254740993,"shop":"north"}"#;
    let id = record_with(&desk, &hook, Status::Success, Some(result), vec![called]).await;
    let again = |source: &str| v1::TryLogicInput {
        source: Some(source.to_owned()),
        execution_id: Some(id.to_string()),
        ..Default::default()
    };
    let same = "pcall(http.get, 'https://stock.example/1') return { n = parameters.n, shop = headers['x-shop'] }";
    let same = tried(&desk, again(same)).await.difference.unwrap();
    assert!(!same.differs && same.calls.is_empty() && same.attributes.is_empty(), "{same:?}");
    assert_eq!(json_of(same.recorded_result.as_deref()), json_of(Some(result)));

    let other = "pcall(http.get, 'https://stock.example/2') return { n = parameters.n + 1, shop = headers['x-shop'] }";
    let other = tried(&desk, again(other)).await;
    assert_eq!(json_of(other.result.as_deref()), json!({ "n": 9_007_199_254_740_994_i64, "shop": "north" }));
    let difference = other.difference.unwrap();
    assert!(difference.differs && difference.result_differs && difference.calls_differ && !difference.status_differs);
    assert_eq!(difference.attributes, ["n"]);
    let [call] = difference.calls.as_slice() else { panic!("{difference:?}") };
    let urls = (call.recorded.as_ref().unwrap().url.as_str(), call.tried.as_ref().unwrap().url.as_str());
    assert_eq!(urls, ("https://stock.example/1", "https://stock.example/2"));

    let broken = tried(&desk, again("\nerror('no')")).await;
    assert_eq!(broken.status(), v1::ExecutionStatus::Failed);
    assert!(broken.error.unwrap().starts_with("hook/core:2: no"));
    assert!(broken.difference.unwrap().status_differs);
}

#[tokio::test]
async fn a_source_is_compared_with_the_last_runs_and_what_differs_is_summed_up() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let logic_id = core_of(&desk, &hook).await;
    let mut ids = Vec::new();
    for n in 0..100_i64 {
        desk.clock.advance(chrono::TimeDelta::seconds(1));
        // Each tenth one came out otherwise then.
        let result = if n % 10 == 0 { r#"{"n":1}"# } else { r#"{"n":9007199254740993}"# };
        ids.push(record(&desk, &hook, Status::Success, Some(result)).await.to_string());
    }
    let mut client = LogicServiceClient::new(desk.director.grpc().routes());
    let source = "return { n = parameters.n }".to_owned();
    let request = v1::CompareLogicRequest { logic_id, source, last: None };
    let sum = client.compare_logic(admin(Some("acme"), request)).await.unwrap().into_inner().logic_comparison.unwrap();
    assert_eq!((sum.tried, sum.not_tried), (100, 0));
    let different: Vec<_> = sum.different.iter().map(|run| run.execution_id.as_str()).collect();
    let expected: Vec<_> = ids.iter().step_by(10).rev().map(String::as_str).collect();
    assert_eq!(different, expected, "newest first");
    for run in &sum.different {
        let difference = run.difference.as_ref().unwrap();
        assert_eq!(
            (run.status(), difference.attributes.as_slice()),
            (v1::ExecutionStatus::Success, &["n".to_owned()][..])
        );
    }
}
