//! A destination that fails is left alone for a while, and nothing is lost.

use std::time::Duration;

use tidegate_model::{OutgoingSettings, RetrySchedule, Status};
use tidegate_outgoing_dispatcher::CircuitOptions;

use crate::harness::{Answer, Definition, World, created, eventually};

async fn world() -> World {
    let mut world = World::new().await;
    world.options.circuit = CircuitOptions { calls: 5, pause: Duration::from_secs(30), ..CircuitOptions::default() };
    world.options.lane = 1;
    world
}

/// Attempts that come again after an hour.
fn hourly() -> OutgoingSettings {
    OutgoingSettings { schedule: Some(RetrySchedule { delays_seconds: vec![3600; 3] }), ..OutgoingSettings::default() }
}

async fn publish(world: &World, events: std::ops::Range<u32>) {
    for n in events {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.taken_in().await;
}

#[tokio::test]
async fn when_most_calls_fail_the_others_wait_without_using_up_attempts_until_a_probe_arrives() {
    let world = world().await;
    Definition::new("down", world.sink.url("/down"), "return {}").with(hourly()).insert(&world).await;
    Definition::new("up", world.sink.url("/up"), "return {}").insert(&world).await;
    world.sink.will("/down", (0..6).map(|_| Answer::Status(503)));
    let _running = world.dispatch();
    publish(&world, 0..20).await;
    world.sink.calls("/up", 20).await;
    world.sink.calls("/down", 5).await;
    let waiting = async |attempted: usize| {
        let all = world.when(|all| all.iter().filter(|e| e.status == Status::Retrying).count() >= attempted).await;
        all.iter().filter(|e| e.status == Status::Pending && e.attempts.is_empty()).count()
    };
    assert_eq!(waiting(5).await, 15, "who waits for the destination has not been tried");

    // The first probe fails: one more attempt, and a longer wait.
    world.advance(30);
    world.sink.calls("/down", 6).await;
    assert_eq!(waiting(6).await, 14);
    world.advance(30);
    publish(&world, 20..21).await;
    world.sink.calls("/up", 21).await;
    assert_eq!(world.sink.got("/down").len(), 6);

    // The second one arrives, and the others follow.
    world.advance(30);
    world.sink.calls("/down", 21).await;
    world.advance(4000);
    let all = world.ended(42).await;
    assert!(all.iter().all(|e| e.status == Status::Success));
    assert_eq!(all.iter().filter(|e| e.attempts.len() == 2).count(), 6);
}

#[tokio::test]
async fn one_bad_event_among_good_ones_leaves_nobody_alone() {
    let world = world().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").with(hourly()).insert(&world).await;
    world.sink.will("/in", (0..12).map(|n| Answer::Status(if n % 3 == 2 { 500 } else { 200 })));
    let _running = world.dispatch();
    publish(&world, 0..30).await;
    world.sink.calls("/in", 30).await;
}

#[tokio::test]
async fn a_destination_that_refuses_is_not_one_that_is_down() {
    let world = world().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", (0..20).map(|_| Answer::Status(404)));
    let _running = world.dispatch();
    publish(&world, 0..25).await;
    let all = world.ended(25).await;
    assert_eq!(all.iter().filter(|e| e.status == Status::Failed).count(), 20);
}

#[tokio::test]
async fn what_is_in_hand_when_the_process_dies_is_not_lost_with_an_open_circuit() {
    let world = world().await;
    Definition::new("down", world.sink.url("/down"), "return {}").with(hourly()).insert(&world).await;
    world.sink.will("/down", (0..5).map(|_| Answer::Status(503)));
    let first = world.dispatch();
    publish(&world, 0..12).await;
    world.sink.calls("/down", 5).await;
    first.kill();
    world.advance(61);
    let _second = world.dispatch();
    assert!(eventually(async || world.sink.got("/down").len() >= 12).await);
    world.advance(4000);
    assert!(world.ended(12).await.iter().all(|e| e.status == Status::Success));
}
