//! Answers that are not whole, or more than anybody expects: their status counts all the same (CONTRACT sections 4 and 6).

use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{Clock, Execution, PauseReason, Status};

use crate::harness::{Answer, Definition, Raw, Says, World, created, tenant};

/// Ten bytes are said to come, and four do.
fn half(head: &str) -> String {
    format!("HTTP/1.1 {head}\r\nx-seen: yes\r\ncontent-length: 10\r\n\r\nhalf")
}

async fn retrying(world: &World, attempts: usize) -> Execution {
    let like = |all: &[Execution]| {
        all.first().is_some_and(|e| {
            e.status == Status::Retrying && e.attempts.len() == attempts && e.next_attempt_at.is_some()
        })
    };
    world.when(like).await.remove(0)
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_judged_by_its_status_and_what_came_of_it_is_on_record() {
    for (head, status) in [("200 OK", Status::Success), ("404 Not Found", Status::Failed), ("410 Gone", Status::Failed)]
    {
        let world = World::new().await;
        let destination = Raw::start([Says::Then(half(head))]).await;
        let id = Definition::new("orders", destination.url(), "return {}").insert(&world).await;
        let _running = world.dispatch();
        world.publish("e-1", created()).await;

        let record = world.one().await;
        assert_eq!((record.status, record.attempts.len(), destination.calls()), (status, 1, 1), "{head}");
        let attempt = &record.attempts[0];
        assert_eq!(attempt.status.unwrap().to_string(), head[..3]);
        assert_eq!((attempt.response_body.as_deref(), attempt.response_truncated), (Some("half"), true));
        assert_eq!(attempt.response_headers.as_ref().unwrap().to_value()["x-seen"], "yes");
        assert!(attempt.error.as_deref().unwrap().starts_with("the answer broke off: "), "{attempt:?}");
        let told = record.error.unwrap_or_default();
        let expected = if status == Status::Success {
            String::new()
        } else {
            format!("the destination answered {}; the answer broke off", &head[..3])
        };
        assert!(told.starts_with(&expected) && (told.is_empty() == expected.is_empty()), "{told}");
        let paused = world.store.integration(&tenant(), id).await.unwrap().unwrap().paused;
        assert_eq!(paused.map(|paused| paused.reason), head.starts_with("410").then_some(PauseReason::Gone));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_when_it_wants_to_be_asked_again() {
    let world = World::new().await;
    let later = ["429 Too Many\r\nretry-after: 1800", "503 Away\r\nretry-after: 3600"];
    let destination = Raw::start(later.map(|head| Says::Then(half(head)))).await;
    Definition::new("orders", destination.url(), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for (attempts, seconds) in [(1, 1800), (2, 3600)] {
        let open = retrying(&world, attempts).await;
        assert_eq!(open.next_attempt_at, Some(world.clock.now() + TimeDelta::seconds(seconds)));
        world.advance(seconds);
    }
    let record = world.one().await;
    let statuses: Vec<_> = record.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!((record.status, statuses), (Status::Success, vec![Some(429), Some(503), Some(200)]));
}

#[tokio::test]
async fn a_call_has_arrived_when_the_destination_says_so_although_the_rest_never_comes() {
    let mut world = World::new().await;
    world.options.call_timeout = Duration::from_secs(5);
    let destination = Raw::start([Says::AndWaits(half("200 OK"))]).await;
    Definition::new("orders", destination.url(), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let record = world.one().await;
    assert_eq!((record.status, record.error, destination.calls()), (Status::Success, None, 1));
    let attempt = &record.attempts[0];
    assert_eq!((attempt.status, attempt.response_body.as_deref()), (Some(200), Some("half")));
    assert_eq!(attempt.error.as_deref(), Some("the rest of the answer did not come within 5000 ms"));
}

#[tokio::test]
async fn an_answer_with_hundreds_of_headers_is_one_and_the_record_keeps_a_part_of_them_and_says_so() {
    let long: &'static str = Box::leak("x".repeat(300_000).into_boxed_str());
    for (headers, names, is_cut) in [
        (vec![("x-many", "1"); 150], 150, false),
        (vec![("x-many", "1"); 900], 256, true),
        (vec![("x-long", long), ("x-many", "1")], 1, true),
        (vec![("x-many", &long[..8000]); 40], 8, true),
    ] {
        let world = World::new().await;
        Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
        world.sink.will("/in", [Answer::Full(200, headers, b"whole".to_vec())]);
        let _running = world.dispatch();
        world.publish("e-1", created()).await;

        let record = world.one().await;
        let attempt = &record.attempts[0];
        assert_eq!((record.status, attempt.status, &attempt.error), (Status::Success, Some(200), &None));
        assert_eq!((attempt.response_body.as_deref(), attempt.response_truncated), (Some("whole"), is_cut));
        let kept = attempt.response_headers.as_ref().unwrap();
        let many = kept.to_value()["x-many"].as_str().unwrap().split(", ").count();
        assert!(
            many <= names && many + 4 >= names && kept.as_str().len() < 80_000,
            "{many} of {names}, {} bytes",
            kept.as_str().len()
        );
    }
}
