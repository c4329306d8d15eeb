//! Integrations do not feel each other, and events come once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::contract::EventLog as _;
use tidegate_model::{Change, Clock as _, Event, ExecutionFilter, PageOf, Status};
use tidegate_storage::contract::{Hold, Kept, Whose};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::harness::{Answer, Definition, World, created, eventually, json, order, statuses, tenant};

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

#[tokio::test]
async fn events_of_a_tenant_that_is_not_there_are_kept_aside_whole_and_hold_up_none() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let log = crate::harness::ListLog::new();
    let world = World { log: log.clone(), ..world };
    let strange = |id: &str, of: &str| Event {
        id: id.parse().unwrap(),
        tenant: of.parse().unwrap(),
        object_type: order(),
        object_id: "1".parse().unwrap(),
        change: created(),
        time: "2026-03-01T12:00:00Z".parse().unwrap(),
    };
    log.publish(&strange("s-1", "nowhere")).await.unwrap();
    world.publish("e-1", created()).await;
    log.publish(&strange("s-2", "elsewhere")).await.unwrap();
    log.nonsense();
    log.publish(&strange("s-3", "nowhere")).await.unwrap();
    world.publish("e-2", created()).await;
    let _running = world.dispatch();

    assert_eq!(statuses(&world.ended(2).await), [Status::Success, Status::Success]);
    world.taken_in().await;
    let page = PageOf { first: 10, after: None };
    let nobodys = world.store.aside_entries(None, page).await.unwrap().data;
    let mut events: Vec<_> =
        (nobodys.iter()).map(|kept| CloudEvent::from_structured(&kept.entry.payload).unwrap().id.to_string()).collect();
    events.sort();
    assert_eq!(events, ["s-1", "s-2", "s-3"]);
    assert!(nobodys.iter().all(|kept| kept.entry.reason.contains("where")), "{nobodys:#?}");
    assert_eq!(world.store.aside_entries(Some(&tenant()), page).await.unwrap().total, 1, "what is no event at all");
}

#[tokio::test]
async fn however_many_destinations_hang_another_ones_calls_find_a_place() {
    let mut world = World::new().await;
    (world.options.lane, world.options.in_hand) = (4, 32);
    for n in 0..20 {
        let path = format!("/hangs-{n}");
        Definition::new(&path[1..], world.sink.url(&path), "return {}").insert(&world).await;
        world.sink.hang(&path);
    }
    let _running = world.dispatch();
    for n in 0..6 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.taken_in().await;
    Definition::new("well", world.sink.url("/well"), "return {}").insert(&world).await;
    for n in 0..9 {
        world.publish(&format!("f-{n}"), created()).await;
    }

    assert_eq!(world.sink.calls("/well", 9).await.len(), 9, "although none of the others has come to an end");
}

#[tokio::test]
async fn of_a_hundred_integrations_one_that_hangs_and_one_that_fails_delay_no_other() {
    let mut world = World::new().await;
    world.options.lane = 4;
    world.options.in_hand = 32;
    for n in 0..98 {
        Definition::new(&format!("i-{n}"), world.sink.url(&format!("/{n}")), "return {}").insert(&world).await;
    }
    let (hangs, fails) = (world.sink.url("/hangs"), world.sink.url("/fails"));
    let hanging = Definition::new("hangs", hangs, "return {}").insert(&world).await;
    let failing = Definition::new("fails", fails, "return {}").insert(&world).await;
    world.sink.hang("/hangs");
    world.sink.will("/fails", (0..9).map(|_| Answer::Status(503)));
    let _running = world.dispatch();
    for n in 0..9 {
        world.publish(&format!("e-{n}"), created()).await;
    }

    for n in 0..98 {
        assert_eq!(world.sink.calls(&format!("/{n}"), 9).await.len(), 9);
    }
    assert!(eventually(async || world.sink.got("/hangs").len() == 4).await, "it fills its own lane");
    let of = |integration| ExecutionFilter { integration: Some(integration), ..ExecutionFilter::default() };
    assert!(eventually(async || world.sink.got("/fails").len() == 9).await);
    for integration in [hanging, failing] {
        let page = PageOf { first: 100, after: None };
        let all = world.store.executions(&tenant(), &of(integration), page).await.unwrap().data;
        assert!(all.len() == 9 && all.iter().all(|record| record.status.is_open()));
    }
}

#[tokio::test]
async fn a_backlog_waits_in_the_table_and_is_drained_the_oldest_first_when_the_destination_returns() {
    let mut world = World::new().await;
    (world.options.lane, world.options.in_hand) = (3, 12);
    let script = "return { body = { n = newObject.n } }";
    let orders = Definition::new("orders", world.sink.url("/in"), script).insert(&world).await;
    let gate = Arc::new(Notify::new());
    world.sink.will("/in", (0..3).map(|_| Answer::When(gate.clone())));
    let running = world.dispatch();
    let count = 60;
    for n in 0..count {
        world.clock.advance(TimeDelta::milliseconds(1));
        let new = json(&format!("{{\"n\":{n}}}"));
        world.publish_about(&format!("e-{n}"), &format!("o-{n}"), Change::Create { new }).await;
        world.taken_in().await;
    }
    world.sink.calls("/in", 3).await;

    // Whoever else asks can have all but what is in the lane: nothing more is held in memory.
    let (other, now) = (Uuid::from_u128(7), world.clock.now());
    let mut waiting = Vec::new();
    let until = now + TimeDelta::seconds(30);
    assert!(eventually(async || world.store.waiting_lanes().await.unwrap() == [orders]).await);
    while waiting.len() < count - 3 {
        let claimed = world.store.claim(other, now, until, 100, Whose::Of(&[(orders, 100)])).await.unwrap();
        waiting.extend(claimed);
        tokio::task::yield_now().await;
    }
    assert_eq!(world.sink.got("/in").len(), 3);
    let back: Vec<_> = waiting.iter().map(|delivery| Kept { delivery, hold: Hold::Waiting }).collect();
    assert_eq!(world.store.settle(&[], &back, other).await.unwrap().kept.len(), count - 3);

    for _ in 0..3 {
        gate.notify_one();
    }
    let order: Vec<i64> = (world.sink.calls("/in", count).await.iter())
        .map(|got| serde_json::from_str::<serde_json::Value>(&got.text()).unwrap()["n"].as_i64().unwrap())
        .collect();
    for (at, n) in (0..).zip(&order) {
        let apart: i64 = n - at;
        assert!(apart.abs() <= 6, "{n} came as number {at}: {order:?}");
    }
    world.ended(count).await;
    running.stop().await;
}
