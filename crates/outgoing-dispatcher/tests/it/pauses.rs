//! A destination that is gone, or for days takes nothing: deliveries wait until somebody resumes the Integration.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_model::{Clock, EventId, OutgoingSettings, PauseReason, RetrySchedule, Status, TypeName};

use crate::harness::{Answer, Definition, World, created, definition_event, statuses, tenant};

const DAY: i64 = 24 * 3600;

/// The changes of built-in types that were stored, with the state after them.
async fn told(world: &World) -> Vec<serde_json::Value> {
    static HOLDER: AtomicU64 = AtomicU64::new(1);
    let holder = uuid::Uuid::from_u128(HOLDER.fetch_add(1, Ordering::Relaxed).into());
    let stored = world.store.outbox_claim(holder, world.clock.now(), 1000).await.unwrap().unwrap_or_default();
    let integrations = stored.into_iter().filter(|(_, event)| event.object_type == kind() && !is_definition(&event.id));
    integrations.map(|(_, event)| serde_json::to_value(&event.change).unwrap()).collect()
}

fn kind() -> TypeName {
    "Integration".parse().unwrap()
}

fn is_definition(id: &EventId) -> bool {
    id.as_str().starts_with("definition-")
}

async fn resume(world: &World, id: tidegate_model::IntegrationId) {
    assert!(world.store.resume(&tenant(), id, &definition_event(world)).await.unwrap());
}

#[tokio::test]
async fn a_destination_that_is_gone_pauses_its_integration_and_deliveries_wait_until_it_is_resumed() {
    let world = World::new().await;
    let id = Definition::new("gone", world.sink.url("/gone"), "return {}").insert(&world).await;
    Definition::new("there", world.sink.url("/there"), "return {}").insert(&world).await;
    world.sink.will("/gone", [Answer::Status(410)]);
    let first = world.dispatch();
    world.publish("e-0", created()).await;
    let failed = world.ended(2).await.into_iter().find(|e| e.integration == id).unwrap();
    assert_eq!((failed.status, failed.attempts.len()), (Status::Failed, 1));
    let why = "the destination answered 410; the Integration is paused until somebody resumes it";
    assert_eq!(failed.error.as_deref(), Some(why));
    let paused = world.store.integration(&tenant(), id).await.unwrap().unwrap().paused.unwrap();
    assert_eq!((paused.reason, paused.since), (PauseReason::Gone, world.clock.now()));
    let told = told(&world).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].to_string().contains(r#""paused":{"reason":"GONE","since":"2026-03-01T12:00:00Z"}"#), "{told:#?}");

    // Every dispatcher leaves it alone, one that starts now too; new events become deliveries all the same.
    let _second = world.dispatch();
    for n in 1..=10 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.sink.calls("/there", 11).await;
    world.advance(DAY);
    world.publish("e-11", created()).await;
    world.sink.calls("/there", 12).await;
    first.stop().await;
    // The other one's last record ends a moment after its call.
    let all = world.when(|all| all.iter().filter(|e| e.status.is_open()).count() == 11).await;
    assert!(all.iter().filter(|e| e.status.is_open()).all(|e| e.attempts.is_empty() && e.integration == id));
    assert_eq!(world.sink.got("/gone").len(), 1);

    resume(&world, id).await;
    let all = world.ended(24).await;
    assert_eq!(all.iter().filter(|e| e.status == Status::Success).count(), 23);
    assert_eq!(world.sink.got("/gone").len(), 12);
}

/// One attempt each, so that a failure is a dead delivery at once.
fn once() -> OutgoingSettings {
    OutgoingSettings { schedule: Some(RetrySchedule::default()), ..OutgoingSettings::default() }
}

#[tokio::test]
async fn five_days_of_nothing_but_failure_pause_an_integration() {
    let world = World::new().await;
    let id = Definition::new("down", world.sink.url("/down"), "return {}").with(once()).insert(&world).await;
    world.sink.will("/down", (0..6).map(|n| Answer::Status(if n % 2 == 0 { 503 } else { 404 })));
    let running = world.dispatch();
    for day in 0..6 {
        world.publish(&format!("e-{day}"), created()).await;
        let all = world.ended(day + 1).await;
        let paused = world.store.integration(&tenant(), id).await.unwrap().unwrap().paused;
        assert_eq!(paused.map(|pause| pause.reason), (day == 5).then_some(PauseReason::Failing), "day {day}");
        let says =
            all.last().unwrap().error.as_ref().unwrap().contains("no call has arrived since 2026-03-01T12:00:00Z");
        assert_eq!(says, day == 5);
        world.advance(DAY);
    }
    running.stop().await;
    assert!(told(&world).await[0].to_string().contains(r#""reason":"FAILING""#));

    // Resumed, it has its days anew.
    resume(&world, id).await;
    world.sink.will("/down", [Answer::Status(503)]);
    let _running = world.dispatch();
    world.publish("e-6", created()).await;
    world.ended(7).await;
    assert_eq!(world.store.integration(&tenant(), id).await.unwrap().unwrap().paused, None);
}

#[tokio::test]
async fn one_call_that_arrives_begins_the_days_anew() {
    let world = World::new().await;
    let id = Definition::new("flaky", world.sink.url("/flaky"), "return {}").with(once()).insert(&world).await;
    let days = [503, 503, 503, 200, 503, 503, 503, 503, 503];
    world.sink.will("/flaky", days.map(Answer::Status));
    let mut running = world.dispatch();
    for (day, _) in days.iter().enumerate() {
        world.publish(&format!("e-{day}"), created()).await;
        world.ended(day + 1).await;
        world.advance(DAY);
        // What is remembered is in the database.
        running.stop().await;
        running = world.dispatch();
    }
    let all = world.ended(days.len()).await;
    assert_eq!(statuses(&all).iter().filter(|status| **status == Status::Dead).count(), 8);
    assert_eq!(world.store.integration(&tenant(), id).await.unwrap().unwrap().paused, None);
}

#[tokio::test]
async fn retries_of_a_paused_integration_go_where_it_says_once_its_url_was_changed() {
    let world = World::new().await;
    let id = Definition::new("moved", world.sink.url("/old"), "return {}").insert(&world).await;
    world.sink.will("/old", [Answer::Status(503), Answer::Status(410)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying && e.next_attempt_at.is_some())).await;
    world.publish("e-2", created()).await;
    world.ended(1).await;
    world.advance(3600);

    let mut integration = world.store.integration(&tenant(), id).await.unwrap().unwrap();
    assert!(integration.paused.is_some());
    let tidegate_model::Direction::Outgoing { url, .. } = &mut integration.direction else { panic!("it is OUTGOING") };
    *url = world.sink.url("/new");
    world.store.update_integration(&integration, &definition_event(&world)).await.unwrap();
    assert_eq!(world.store.integration(&tenant(), id).await.unwrap().unwrap().paused, None);
    let all = world.ended(2).await;
    assert_eq!(all.iter().filter(|e| e.status == Status::Success && e.attempts.len() == 2).count(), 1);
    assert_eq!((world.sink.got("/old").len(), world.sink.got("/new").len()), (2, 1));
}
