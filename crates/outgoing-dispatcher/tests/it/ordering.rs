//! Of one Integration that keeps an order, deliveries about one object follow each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{Change, Status};
use tokio::sync::Notify;

use crate::harness::{Answer, Definition, World, created, json};

/// What is sent: which object, and which of its events.
const SCRIPT: &str = "return { body = { object = object.id, n = newObject.n } }";

/// Publishes events `range`, of `objects` objects in turn.
async fn publish(world: &World, range: std::ops::Range<usize>, objects: usize) {
    for n in range {
        let change = Change::Create { new: json(&format!("{{\"n\":{n}}}")) };
        world.publish_about(&format!("e-{n}"), &format!("o-{}", n % objects), change).await;
    }
}

/// What a path got: the events of each object, in the order in which they came, those that came several times in a row once.
fn came(world: &World, path: &str) -> BTreeMap<String, Vec<u64>> {
    let mut came: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for got in world.sink.got(path) {
        let body: serde_json::Value = serde_json::from_str(&got.text()).unwrap();
        came.entry(body["object"].as_str().unwrap().to_owned()).or_default().push(body["n"].as_u64().unwrap());
    }
    came.values_mut().for_each(Vec::dedup);
    came
}

/// 200 or 503, as by a coin.
fn at_random(seed: u64) -> impl Iterator<Item = Answer> {
    let next =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    let draws = std::iter::successors(Some(seed), next);
    draws.map(|draw| Answer::Status(if draw >> 40 & 1 == 0 { 200 } else { 503 }))
}

/// Lets time pass, so that retries come, until that many deliveries have ended.
async fn ended(world: &World, count: usize) {
    let all = world.when(|all| {
        world.advance(1);
        all.iter().filter(|e| !e.status.is_open()).count() >= count
    });
    all.await;
}

/// Every object's events came, each at its turn.
fn assert_in_order(world: &World, count: usize, objects: usize) {
    let came = came(world, "/in");
    assert_eq!(came.len(), objects);
    for (at, events) in came.values().enumerate() {
        let expected: Vec<u64> = (0..count).filter(|n| n % objects == at).map(|n| n as u64).collect();
        assert_eq!(events, &expected);
    }
}

#[tokio::test]
async fn a_destination_that_fails_at_random_gets_the_events_of_each_object_in_their_order() {
    let mut world = World::new().await;
    world.options.schedule.attempts = 4;
    world.options.schedule.cap = Duration::from_secs(5);
    world.options.lease = Duration::from_hours(24);
    Definition::new("orders", world.sink.url("/in"), SCRIPT).in_order().insert(&world).await;
    world.sink.will("/in", at_random(7).take(150));
    let _running = world.dispatch();
    publish(&world, 0..80, 7).await;
    ended(&world, 80).await;
    assert_in_order(&world, 80, 7);
}

#[tokio::test]
async fn while_one_object_waits_for_a_retry_the_others_go_on_and_its_scripts_do_not_run() {
    let world = World::new().await;
    let script = format!("http.request({{ url = '{}' }}) {SCRIPT}", world.sink.url("/script"));
    Definition::new("orders", world.sink.url("/in"), &script).in_order().insert(&world).await;
    world.sink.will("/in", [Answer::Status(503)]);
    let _running = world.dispatch();
    publish(&world, 0..1, 2).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying && e.next_attempt_at.is_some())).await;
    publish(&world, 1..8, 2).await;
    world.ended(4).await;
    assert_eq!(came(&world, "/in"), BTreeMap::from([("o-0".into(), vec![0]), ("o-1".into(), vec![1, 3, 5, 7])]));
    assert_eq!(world.sink.got("/script").len(), 5, "no script runs before its turn");
    world.advance(3600);
    world.ended(8).await;
    assert_in_order(&world, 8, 2);
}

#[tokio::test]
async fn the_next_goes_as_soon_as_the_one_before_has_ended() {
    let mut world = World::new().await;
    // Nobody looks at the table on time.
    world.options.poll = Duration::from_hours(1);
    Definition::new("orders", world.sink.url("/in"), SCRIPT).in_order().insert(&world).await;
    let gate = Arc::new(Notify::new());
    world.sink.will("/in", [Answer::When(gate.clone()), Answer::Status(400)]);
    let _running = world.dispatch();
    publish(&world, 0..10, 1).await;
    world.taken_in().await;
    assert_eq!(world.sink.calls("/in", 1).await.len(), 1);
    gate.notify_one();
    let all = world.ended(10).await;
    assert_eq!(all.iter().filter(|e| e.status == Status::Failed).count(), 1);
    assert_in_order(&world, 10, 1);
}

#[tokio::test]
async fn a_process_that_dies_keeps_the_turn_until_its_lease_has_run_out() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), SCRIPT).in_order().insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let first = world.dispatch();
    publish(&world, 0..1, 2).await;
    world.sink.calls("/in", 1).await;
    publish(&world, 1..6, 2).await;
    world.ended(3).await;
    first.kill();
    let _second = world.dispatch();
    publish(&world, 6..8, 2).await;
    world.ended(4).await;
    assert_eq!(came(&world, "/in")["o-0"], [0], "the turn is the dead one's");
    world.advance(61);
    let all = world.ended(8).await;
    assert_eq!(all.iter().filter(|record| record.attempts.len() == 2).count(), 1);
    assert_in_order(&world, 8, 2);
}

#[tokio::test]
async fn an_integration_without_an_order_waits_for_nothing() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), SCRIPT).insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let _running = world.dispatch();
    publish(&world, 0..4, 1).await;
    assert_eq!(world.ended(3).await.len(), 4);
    world.publish("more", created()).await;
    world.ended(4).await;
}

#[tokio::test]
async fn two_dispatchers_on_one_postgresql_keep_the_order_while_they_are_killed_and_the_destination_fails() {
    let Some(mut world) = World::on_postgres().await else { return };
    world.options.schedule.attempts = 4;
    world.options.schedule.cap = Duration::from_secs(5);
    world.options.lease = Duration::from_hours(1);
    Definition::new("orders", world.sink.url("/in"), SCRIPT).in_order().insert(&world).await;
    world.sink.will("/in", at_random(3).take(150));
    let (first, second) = (world.dispatch_apart().await, world.dispatch_apart().await);
    publish(&world, 0..50, 6).await;
    ended(&world, 20).await;
    first.kill();
    second.kill();
    // Nobody is left who could still send what was leased.
    world.advance(3601);
    let (_third, _fourth) = (world.dispatch_apart().await, world.dispatch_apart().await);
    publish(&world, 50..90, 6).await;
    ended(&world, 90).await;
    assert_in_order(&world, 90, 6);
}
