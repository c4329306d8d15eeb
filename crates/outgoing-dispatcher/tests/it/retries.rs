//! Attempts, one after another (CONTRACT section 4).

use chrono::TimeDelta;
use tidegate_model::{Clock, Status};
use tokio::net::TcpListener;

use crate::harness::{Answer, Definition, World, created};

async fn retried(world: &World, attempts: usize) -> tidegate_model::Execution {
    let like = |all: &[tidegate_model::Execution]| {
        all.first().is_some_and(|e| {
            e.status == Status::Retrying && e.attempts.len() == attempts && e.next_attempt_at.is_some()
        })
    };
    world.when(like).await.remove(0)
}

#[tokio::test]
async fn what_may_pass_is_tried_again_until_it_arrives() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let passing = [408, 425, 429, 500, 503];
    world.sink.will("/in", passing.map(Answer::Status));
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for attempts in 1..=passing.len() {
        let open = retried(&world, attempts).await;
        assert!(open.error.unwrap().contains("answered"));
        world.advance(24 * 3600);
    }

    let record = world.one().await;
    let statuses: Vec<_> = record.attempts.iter().map(|attempt| attempt.status.unwrap()).collect();
    assert_eq!(statuses, [408, 425, 429, 500, 503, 200]);
    assert_eq!(record.attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((record.status, record.error, record.next_attempt_at), (Status::Success, None, None));
}

#[tokio::test]
async fn other_statuses_fail_at_once() {
    for status in [301, 400, 401, 404, 410, 422] {
        let world = World::new().await;
        Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
        world.sink.will("/in", [Answer::Status(status)]);
        let _running = world.dispatch();
        world.publish("e-1", created()).await;

        let record = world.one().await;
        assert_eq!((record.status, record.attempts.len()), (Status::Failed, 1), "{status}");
        assert!(record.error.unwrap().starts_with(&format!("the destination answered {status}")));
    }
}

#[tokio::test]
async fn the_destination_says_when_it_wants_to_be_asked_again() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let later = [
        Answer::Full(503, vec![("retry-after", "120")], Vec::new()),
        Answer::Full(429, vec![("retry-after", "Sun, 01 Mar 2026 13:00:00 GMT")], Vec::new()),
    ];
    world.sink.will("/in", later);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let first = retried(&world, 1).await;
    assert_eq!(first.next_attempt_at, Some(world.clock.now() + TimeDelta::seconds(120)));
    world.advance(120);
    let second = retried(&world, 2).await;
    assert_eq!(second.next_attempt_at, Some("2026-03-01T13:00:00Z".parse().unwrap()));
    world.advance(3600);
    assert_eq!(world.one().await.status, Status::Success);
}

#[tokio::test]
async fn the_last_attempt_leaves_a_dead_delivery_with_all_attempts_on_record() {
    let mut world = World::new().await;
    world.options.pause_after = std::time::Duration::from_hours(30 * 24);
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", (0..8).map(|_| Answer::Status(502)));
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for attempts in 1..8 {
        retried(&world, attempts).await;
        world.advance(24 * 3600);
    }

    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Dead, 8));
    assert!(record.attempts.iter().all(|attempt| attempt.status == Some(502) && attempt.duration_us.is_some()));
    assert_eq!(world.sink.got("/in").len(), 8);
}

#[tokio::test]
async fn a_destination_that_is_not_there_is_tried_again() {
    let world = World::new().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    Definition::new("orders", format!("http://{free}/in"), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let open = retried(&world, 1).await;
    assert_eq!(open.attempts[0].status, None);
    assert!(open.attempts[0].error.is_some() && open.attempts[0].duration_us.is_some());
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_tried_again() {
    let mut world = World::new().await;
    world.options.call_timeout = std::time::Duration::from_millis(200);
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;

    let open = retried(&world, 1).await;
    assert!(open.attempts[0].error.as_deref().unwrap().contains("no answer within 200 ms"), "{open:#?}");
    world.advance(3600);
    assert_eq!(world.one().await.status, Status::Success);
}

#[tokio::test]
async fn our_own_failure_to_run_the_scripts_is_tried_again_like_a_failed_call() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let first = world.dispatch();
    first.stop_engine().await;
    world.publish("e-1", created()).await;
    let open = retried(&world, 1).await;
    assert!(open.attempts[0].error.as_deref().unwrap().contains("the scripts could not be run"), "{open:#?}");
    first.stop().await;

    world.advance(3600);
    let _second = world.dispatch();
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
    assert_eq!(world.sink.got("/in").len(), 1);
}
