//! An Integration is deleted while it has something to deliver: each delivery ends in a record, with the calls that were made.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{Execution, IntegrationId, Status};
use tokio::sync::Notify;

use crate::harness::{Answer, Definition, World, created, definition_event, tenant};

const WHY: Option<&str> = Some("the Integration was deleted");

async fn delete(world: &World, id: IntegrationId) {
    world.store.delete_integration(&tenant(), id, &definition_event(world)).await.unwrap();
}

fn calls(record: &Execution) -> Vec<Option<u16>> {
    record.attempts.iter().map(|attempt| attempt.status).collect()
}

#[tokio::test]
async fn what_waits_for_its_next_attempt_is_on_record_with_those_before() {
    let world = World::new().await;
    let id = Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", (0..3).map(|_| Answer::Status(503)));
    let _running = world.dispatch();
    for event in ["e-1", "e-2", "e-3"] {
        world.publish(event, created()).await;
    }
    world.when(|all| all.len() == 3 && all.iter().all(|one| one.status == Status::Retrying)).await;
    delete(&world, id).await;
    for record in world.ended(3).await {
        assert_eq!((record.status, record.error.as_deref(), record.next_attempt_at), (Status::Failed, WHY, None));
        assert!(record.finished_at.is_some() && record.event.is_some());
        assert_eq!(calls(&record), [Some(503)]);
    }
}

#[tokio::test]
async fn a_call_that_is_under_way_leaves_what_came_of_it() {
    let world = World::new().await;
    let id = Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let go_on = Arc::new(Notify::new());
    world.sink.will("/in", [Answer::When(go_on.clone())]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    delete(&world, id).await;
    let open = &world.executions().await[0];
    assert_eq!((open.status, open.attempts.len()), (Status::Pending, 1));
    go_on.notify_one();
    let record = world.one().await;
    assert_eq!((record.status, calls(&record)), (Status::Success, vec![Some(200)]));
}

#[tokio::test]
async fn a_call_that_is_under_way_and_fails_is_on_record_and_not_repeated() {
    let mut world = World::new().await;
    world.options.call_timeout = Duration::from_secs(3);
    let id = Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    delete(&world, id).await;
    let record = world.one().await;
    assert_eq!((record.status, record.error.as_deref()), (Status::Failed, WHY));
    assert_eq!(calls(&record), [None]);
    assert!(record.attempts[0].error.as_deref().unwrap().starts_with("no answer"), "{:?}", record.attempts);
}

#[tokio::test]
async fn a_call_that_died_with_its_process_is_on_record() {
    let world = World::new().await;
    let id = Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let first = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    first.kill();
    delete(&world, id).await;
    world.advance(61);
    let _second = world.dispatch();
    let record = world.one().await;
    assert_eq!((record.status, record.error.as_deref(), record.attempts.len()), (Status::Failed, WHY, 1));
    assert_eq!(record.attempts[0].error.as_deref(), Some("outcome unknown"));
}

#[tokio::test]
async fn an_order_of_one_object_ends_and_hangs_nowhere() {
    let world = World::new().await;
    let id = Definition::new("orders", world.sink.url("/in"), "return {}").in_order().insert(&world).await;
    let go_on = Arc::new(Notify::new());
    world.sink.will("/in", [Answer::When(go_on.clone())]);
    let _running = world.dispatch();
    for event in ["e-1", "e-2", "e-3"] {
        world.publish(event, created()).await;
    }
    world.taken_in().await;
    world.sink.calls("/in", 1).await;
    delete(&world, id).await;
    go_on.notify_one();
    let all = world.ended(3).await;
    let how = |record: &Execution| (record.status, record.attempts.len());
    let of = |event: &str| how(all.iter().find(|one| one.event.as_ref().unwrap().id.as_str() == event).unwrap());
    assert_eq!(["e-1", "e-2", "e-3"].map(of), [(Status::Success, 1), (Status::Failed, 0), (Status::Failed, 0)]);
}
