//! What callers are told when something of ours is away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_model::Error;
use tidegate_model::contract::Resolved;
use tidegate_webhook_gateway::Options;

use crate::harness::{World, integration, post};

#[tokio::test]
async fn an_answer_waits_for_its_record_and_is_503_when_there_is_none() {
    let world = World::with(integration("return {}"));
    world.recorder.is_full.store(true, Ordering::SeqCst);
    let answer = world.post("{}").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));

    world.recorder.is_full.store(false, Ordering::SeqCst);
    assert_eq!(world.post("{}").await.status.as_u16(), 200);
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn an_answer_is_not_given_before_the_record_is_durable() {
    let world = World::with(integration("return {}"));
    world.recorder.gate.forget_permits(1000);
    let mut answer = std::pin::pin!(world.post("{}"));
    tokio::select! {
        answer = &mut answer => panic!("answered {} without a record", answer.status),
        () = wait_until(|| world.recorder.was_asked()) => {}
    }
    world.recorder.gate.add_permits(1);
    assert_eq!(answer.await.status.as_u16(), 200);
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn a_caller_that_hangs_up_takes_neither_the_record_nor_the_turn_along() {
    let options = Options { max_calls: 1, patience: Duration::from_millis(1), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(integration("return {}"))), options);
    world.recorder.gate.forget_permits(1000);
    {
        let mut call = std::pin::pin!(world.post("{}"));
        tokio::select! {
            _ = &mut call => panic!("answered without a record"),
            () = wait_until(|| world.recorder.was_asked()) => {}
        }
    }
    assert_eq!(world.post("{}").await.status.as_u16(), 503);
    world.recorder.gate.add_permits(1);
    world.gateway.drain().await;
    assert_eq!(world.records().len(), 1);
}

#[tokio::test]
async fn a_registry_that_is_away_is_503_and_one_that_fails_is_500() {
    let world = World::with(integration("return {}"));
    world.registry.fail_with(Error::Unavailable("the director"));
    let answer = world.post("{}").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    world.registry.fail_with(Error::Internal { id: "canary".into() });
    let answer = world.post("{}").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (500, None));
    assert!(!answer.text.contains("canary"));
    assert!(world.records().is_empty());
}

#[tokio::test]
async fn one_call_too_many_is_told_to_come_again() {
    let options = Options { max_calls: 1, patience: Duration::from_millis(1), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(integration("return {}"))), options);
    world.recorder.gate.forget_permits(1000);
    let mut first = std::pin::pin!(world.post("{}"));
    tokio::select! {
        _ = &mut first => panic!("answered without a record"),
        () = wait_until(|| world.recorder.was_asked()) => {}
    }
    let second = world.call(post(), "{}").await;
    assert_eq!((second.status.as_u16(), second.header("retry-after")), (503, Some("1")));
    world.recorder.gate.add_permits(2);
    assert_eq!(first.await.status.as_u16(), 200);
    assert_eq!(world.post("{}").await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_integration_may_have_fewer_places_of_its_own() {
    let mut runnable = integration("return {}");
    runnable.integration.settings.incoming.concurrency = Some(1);
    let options = Options { patience: Duration::from_millis(1), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(runnable)), options);
    world.recorder.gate.forget_permits(1000);
    let mut first = std::pin::pin!(world.post("{}"));
    tokio::select! {
        _ = &mut first => panic!("answered without a record"),
        () = wait_until(|| world.recorder.was_asked()) => {}
    }
    assert_eq!(world.post("{}").await.status.as_u16(), 503);
    world.recorder.gate.add_permits(1);
    assert_eq!(first.await.status.as_u16(), 200);
}

/// Polls, with a generous bound.
pub(crate) async fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to pass within 30 s");
}
