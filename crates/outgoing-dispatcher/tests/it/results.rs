//! What scripts return, and when they are not asked (CONTRACT sections 4, 5 and 7).

use chrono::TimeDelta;
use tidegate_model::Clock;
use tidegate_model::{SkipReason, Status};

use crate::harness::{Definition, World, created};

/// Runs one script on one event, and answers how its record ended.
async fn outcome(script: &str) -> (World, tidegate_model::Execution) {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    let running = world.dispatch();
    world.publish("e-1", created()).await;
    let record = world.one().await;
    running.stop().await;
    (world, record)
}

#[tokio::test]
async fn request_needed_false_makes_no_call_and_is_a_success() {
    let (world, record) = outcome("return { requestNeeded = false, body = { a = 1 } }").await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 0));
    assert_eq!(world.sink.got("/in").len(), 0);
    assert!(record.finished_at.is_some());
}

#[tokio::test]
async fn request_needed_true_makes_the_call() {
    let (world, record) = outcome("return { requestNeeded = true }").await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 1));
    assert_eq!(world.sink.got("/in").len(), 1);
}

#[tokio::test]
async fn any_other_request_needed_fails_without_a_call() {
    for other in ["'false'", "0", "{}", "json.null"] {
        let (world, record) = outcome(&format!("return {{ requestNeeded = {other} }}")).await;
        assert_eq!((record.status, record.attempts.len()), (Status::Failed, 0), "{other}");
        assert!(record.error.unwrap().contains("requestNeeded"), "{other}");
        assert_eq!(world.sink.got("/in").len(), 0, "{other}");
    }
}

#[tokio::test]
async fn no_table_fails_without_a_call() {
    for script in ["return 7", "return 'text'", "local x = 1"] {
        let (world, record) = outcome(script).await;
        assert_eq!((record.status, record.attempts.len()), (Status::Failed, 0), "{script}");
        assert!(record.error.is_some(), "{script}");
        assert_eq!(world.sink.got("/in").len(), 0, "{script}");
    }
}

#[tokio::test]
async fn a_line_break_in_a_header_fails_the_run_without_a_call() {
    for header in [r#"["X-A"] = "1\r\nX-Evil: 1""#, r#"["X-A\nX-Evil"] = "1""#, r#"["X-A"] = "a\0b""#] {
        let (world, record) = outcome(&format!("return {{ headers = {{ {header} }} }}")).await;
        assert_eq!((record.status, record.attempts.len()), (Status::Failed, 0), "{header}");
        assert_eq!(world.sink.got("/in").len(), 0, "{header}");
    }
}

#[tokio::test]
async fn a_script_that_throws_fails_at_once_and_the_record_names_the_line() {
    let (world, record) = outcome("log('before')\nerror('no stock')").await;
    assert_eq!((record.status, record.attempts.len()), (Status::Failed, 0));
    let error = record.error.unwrap();
    assert!(error.contains("orders/core:2") && error.contains("no stock"), "{error}");
    assert_eq!(record.log[0].text, "before");
    assert_eq!(world.sink.got("/in").len(), 0);
}

#[tokio::test]
async fn a_warning_makes_a_success_one_with_warning() {
    let (_, record) = outcome("log.warn('low stock') return {}").await;
    assert_eq!((record.status, record.log.len()), (Status::SuccessWithWarning, 1));
}

#[tokio::test]
async fn an_inactive_integration_leaves_a_record_and_runs_nothing() {
    let world = World::new().await;
    let broken = Definition::new("orders", world.sink.url("/in"), "error('never')").enabled_by("error('never')");
    broken.inactive().insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!((record.status, record.skip_reason), (Status::Skipped, Some(SkipReason::Inactive)));
    assert!(record.error.is_none() && record.log.is_empty());
    assert_eq!(world.sink.got("/in").len(), 0);
}

#[tokio::test]
async fn the_window_is_judged_when_the_event_is_processed_not_when_it_came() {
    let world = World::new().await;
    let end = world.clock.now() + TimeDelta::seconds(10);
    Definition::new("orders", world.sink.url("/in"), "return {}").until(end).insert(&world).await;
    world.publish("e-1", created()).await;
    world.advance(11);
    let _running = world.dispatch();

    let record = world.one().await;
    assert_eq!((record.status, record.skip_reason), (Status::Skipped, Some(SkipReason::NotInEffect)));
}

#[tokio::test]
async fn enable_logic_decides_and_its_result_is_on_record() {
    let world = World::new().await;
    let core = "log('core') return {}";
    let big = "return { result = newObject.qty > 1, why = 'size' }";
    Definition::new("big", world.sink.url("/big"), core).enabled_by(big).insert(&world).await;
    Definition::new("no", world.sink.url("/no"), core).enabled_by("return { result = 'true' }").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let all = world.ended(2).await;
    let skipped = all.iter().find(|e| e.status == Status::Skipped).unwrap();
    let made = all.iter().find(|e| e.status == Status::Success).unwrap();
    assert_eq!(skipped.skip_reason, Some(SkipReason::NotEnabled));
    assert_eq!(skipped.enable_result.as_ref().unwrap().as_str(), r#"{"result":"true"}"#);
    assert!(skipped.log.is_empty());
    assert_eq!(made.enable_result.as_ref().unwrap().to_value(), serde_json::json!({"result": true, "why": "size"}));
    assert_eq!((world.sink.got("/big").len(), world.sink.got("/no").len()), (1, 0));
}
