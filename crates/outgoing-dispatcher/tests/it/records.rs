//! What is kept of a delivery (CONTRACT section 6).

use tidegate_model::{EventType, Status, Trigger};

use crate::harness::{Answer, Definition, World, created, order};

#[tokio::test]
async fn a_record_tells_event_versions_user_call_and_answer() {
    let world = World::new().await;
    let core = format!("http.get('{}') log('hello') return {{ body = {{ a = 1 }} }}", world.sink.url("/look"));
    let id = Definition::new("orders", world.sink.url("/in"), &core)
        .enabled_by("return { result = true }")
        .insert(&world)
        .await;
    world.sink.will("/in", [Answer::Full(201, vec![("x-made", "yes")], b"gr\xc3\xbc\xc3\x9f dich".to_vec())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!((record.integration, record.trigger, record.status), (id, Trigger::Event, Status::Success));
    let event = record.event.unwrap();
    assert_eq!((event.id.as_str(), event.object_id.as_str()), ("e-1", "o-1"));
    assert_eq!((event.object_type, event.event_type), (order(), EventType::Create));
    assert_eq!((record.core_logic_version, record.enable_logic_version), (Some(1), Some(1)));
    assert_eq!(record.execution_user.username, "integration/orders");
    assert_eq!(record.core_result.unwrap().to_value(), serde_json::json!({"body": {"a": 1}}));
    assert_eq!(record.log[0].text, "hello");
    let [call] = record.calls.as_slice() else { panic!("{:?}", record.calls) };
    assert_eq!((call.url.as_str(), call.status), (world.sink.url("/look").as_str(), Some(200)));
    let attempt = &record.attempts[0];
    assert_eq!((attempt.number, attempt.status, attempt.request_body.as_deref()), (1, Some(201), Some(r#"{"a":1}"#)));
    assert_eq!(attempt.url, world.sink.url("/in"));
    assert_eq!(attempt.response_headers.as_ref().unwrap().to_value()["x-made"], "yes");
    assert_eq!((attempt.response_body.as_deref(), attempt.response_truncated), (Some("grüß dich"), false));
    assert!(attempt.duration_us.is_some() && attempt.error.is_none());
}

#[tokio::test]
async fn secrets_in_headers_are_sent_and_not_stored() {
    let world = World::new().await;
    let script =
        "return { headers = { Authorization = 'Bearer s3cr3t', Cookie = 's3cr3t', ['X-Api-Key'] = 's3cr3t' } }";
    Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    world.sink.will("/in", [Answer::Full(200, vec![("set-cookie", "session=s3cr3t")], Vec::new())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!(world.sink.got("/in")[0].header("authorization"), Some("Bearer s3cr3t"));
    assert!(!format!("{record:?}").contains("s3cr3t"), "{record:#?}");
}

#[tokio::test]
async fn headers_that_the_integration_names_are_sent_and_not_stored() {
    let world = World::new().await;
    let script = format!(
        "http.get('{}', {{ headers = {{ ['x-shop-pin'] = 's3cr3t' }} }})
        return {{ headers = {{ ['X-Shop-Pin'] = 's3cr3t', ['X-Seen'] = 'kept' }} }}",
        world.sink.url("/look")
    );
    Definition::new("orders", world.sink.url("/in"), &script).masking("X-Shop-PIN").insert(&world).await;
    for path in ["/in", "/look"] {
        world.sink.will(path, [Answer::Full(200, vec![("x-shop-pin", "s3cr3t")], Vec::new())]);
    }
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    for path in ["/in", "/look"] {
        assert_eq!(world.sink.got(path)[0].header("x-shop-pin"), Some("s3cr3t"));
    }
    let shown = format!("{record:?}");
    assert!(!shown.contains("s3cr3t") && shown.contains("kept"), "{record:#?}");
    assert_eq!(record.attempts[0].response_headers.as_ref().unwrap().to_value()["x-shop-pin"], "***");
}

#[tokio::test]
async fn a_long_answer_is_cut_and_flagged_and_other_bytes_are_base64() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let long = vec![b'x'; 100_000];
    world.sink.will("/in", [Answer::Full(500, vec![], long), Answer::Full(200, vec![], vec![0xff, 0xfe, 0x00])]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying)).await;
    world.advance(3600);

    let attempts = world.one().await.attempts;
    assert_eq!(attempts[0].response_body.as_ref().unwrap().len(), 64 << 10);
    assert!(attempts[0].response_truncated && !attempts[1].response_truncated);
    assert_eq!(attempts[1].response_body.as_deref(), Some("//4A"));
}
