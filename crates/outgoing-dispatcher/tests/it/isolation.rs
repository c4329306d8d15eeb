//! Integrations do not feel each other, and events come once.

use std::sync::atomic::Ordering;

use tidegate_model::{Change, Status};

use crate::harness::{Answer, Definition, World, created, eventually, json, statuses};

#[tokio::test]
async fn a_destination_that_hangs_delays_no_other_and_fills_its_own_lane_alone() {
    let mut world = World::new().await;
    world.options.lane = 3;
    Definition::new("slow", world.sink.url("/slow"), "return {}").insert(&world).await;
    Definition::new("fast", world.sink.url("/fast"), "return {}").insert(&world).await;
    world.sink.hang("/slow");
    let _running = world.dispatch();
    for n in 0..40 {
        world.publish(&format!("e-{n}"), created()).await;
    }

    world.sink.calls("/fast", 40).await;
    world.ended(40).await;
    assert_eq!(world.sink.got("/fast").len(), 40);
    assert_eq!(world.sink.got("/slow").len(), 3);
}

#[tokio::test]
async fn what_found_its_lane_full_waits_in_the_table_and_is_delivered_in_the_end() {
    let mut world = World::new().await;
    (world.options.lane, world.options.in_hand) = (2, 3);
    for name in ["a", "b", "c"] {
        Definition::new(name, world.sink.url(&format!("/{name}")), "return {}").insert(&world).await;
    }
    for n in 0..25 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    let _running = world.dispatch();

    let all = world.ended(75).await;
    assert!(all.iter().all(|record| record.status == Status::Success));
    for path in ["/a", "/b", "/c"] {
        assert_eq!(world.sink.got(path).len(), 25, "{path}");
    }
}

#[tokio::test]
async fn the_retries_of_others_pass_a_backlog() {
    let mut world = World::new().await;
    world.options.lane = 1;
    Definition::new("slow", world.sink.url("/slow"), "return {}").insert(&world).await;
    world.sink.hang("/slow");
    let _running = world.dispatch();
    for n in 0..60 {
        world.publish(&format!("slow-{n}"), created()).await;
    }
    world.taken_in().await;
    Definition::new("fast", world.sink.url("/fast"), "return {}").insert(&world).await;
    world.sink.will("/fast", [Answer::Status(503)]);
    world.publish("e-1", created()).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying)).await;
    world.advance(30);

    let all = world.ended(1).await;
    assert_eq!(all.iter().filter(|e| e.status == Status::Success).count(), 1);
}

#[tokio::test]
async fn one_that_fails_repeats_no_other() {
    let world = World::new().await;
    Definition::new("bad", world.sink.url("/bad"), "return {}").insert(&world).await;
    Definition::new("good", world.sink.url("/good"), "return {}").insert(&world).await;
    world.sink.will("/bad", [Answer::Status(500), Answer::Status(500)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for attempts in 1..=2 {
        world
            .when(|all| {
                all.iter().any(|e| {
                    e.status == Status::Retrying && e.attempts.len() == attempts && e.next_attempt_at.is_some()
                })
            })
            .await;
        world.advance(3600);
    }
    let all = world.ended(2).await;
    assert_eq!(statuses(&all), [Status::Success, Status::Success]);
    assert_eq!((world.sink.got("/bad").len(), world.sink.got("/good").len()), (3, 1));
}

#[tokio::test]
async fn an_event_id_that_was_seen_before_adds_nothing() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let log = crate::harness::ListLog::new();
    let world = World { log: log.clone(), ..world };
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.publish("e-1", Change::Create { new: json(r#"{"qty":9}"#) }).await;
    world.publish("e-2", created()).await;

    assert_eq!(world.ended(2).await.len(), 2);
    world.taken_in().await;
    assert_eq!(world.sink.got("/in").len(), 2);
}

#[tokio::test]
async fn a_registry_that_is_away_delays_events_and_loses_none() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.registry.away.store(true, Ordering::SeqCst);
    let _running = world.dispatch();
    for n in 0..3 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    assert!(eventually(async || world.registry.asked.load(Ordering::SeqCst) > 2).await);
    assert_eq!(world.store.intake_position().await.unwrap(), 0);

    world.registry.away.store(false, Ordering::SeqCst);
    assert_eq!(statuses(&world.ended(3).await), [Status::Success; 3]);
    assert_eq!(world.sink.got("/in").len(), 3);
}

#[tokio::test]
async fn an_entry_that_is_no_event_and_a_gap_in_the_log_are_passed() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let log = crate::harness::ListLog::new();
    let world = World { log: log.clone(), ..world };
    world.publish("lost-1", created()).await;
    world.publish("lost-2", created()).await;
    log.forget(2);
    log.nonsense();
    world.publish("e-1", created()).await;
    let _running = world.dispatch();

    let record = world.one().await;
    assert_eq!(record.event.unwrap().id.as_str(), "e-1");
    world.taken_in().await;
}

#[tokio::test]
async fn a_log_that_was_replaced_is_read_from_its_start() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let old = crate::harness::ListLog::new();
    let world = World { log: old, ..world };
    for n in 0..5 {
        world.publish(&format!("old-{n}"), created()).await;
    }
    let running = world.dispatch();
    world.ended(5).await;
    running.stop().await;

    let world = World { log: crate::harness::ListLog::new(), ..world };
    world.publish("old-4", created()).await;
    world.publish("new-1", created()).await;
    let _running = world.dispatch();
    assert_eq!(world.ended(6).await.len(), 6);
    world.taken_in().await;
    assert_eq!(world.sink.got("/in").len(), 6);
}
