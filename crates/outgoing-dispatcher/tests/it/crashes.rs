//! Whatever dies, nothing that the log accepted is lost.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::Status;
use tokio::sync::Notify;

use crate::harness::{Answer, Definition, World, created, definition_event, tenant};

#[tokio::test]
async fn a_process_that_dies_in_a_call_leaves_an_unknown_outcome_and_the_next_attempt_follows() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let first = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    first.kill();

    let open = &world.executions().await[0];
    assert_eq!((open.status, open.attempts.len()), (Status::Pending, 1));
    assert_eq!((open.attempts[0].status, open.attempts[0].duration_us), (None, None));

    world.advance(61);
    let _second = world.dispatch();
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
    assert_eq!(record.attempts[0].error.as_deref(), Some("outcome unknown"));
    assert_eq!((record.attempts[1].number, record.attempts[1].status), (2, Some(200)));
}

#[tokio::test]
async fn a_lease_holds_until_it_runs_out_and_then_everything_goes_on() {
    let mut world = World::new().await;
    world.options.lane = 4;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", (0..4).map(|_| Answer::Hang));
    let first = world.dispatch();
    for n in 0..30 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.taken_in().await;
    world.sink.calls("/in", 4).await;
    first.kill();

    // Those in flight belong to the dead until their leases run out; the others were given back, or wait for the same.
    world.advance(61);
    let _second = world.dispatch();
    let all = world.ended(30).await;
    assert_eq!(all.len(), 30);
    assert!(all.iter().all(|record| record.status == Status::Success));
    assert_eq!(all.iter().filter(|record| record.attempts.len() == 2).count(), 4);
}

#[tokio::test]
async fn a_process_that_is_alone_goes_on_at_once_after_a_crash() {
    let mut world = World::new().await;
    world.options.alone = true;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let first = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    first.kill();

    let _second = world.dispatch();
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let running = world.dispatch();
    for n in 0..20 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.taken_in().await;
    running.stop().await;

    let second = world.dispatch();
    assert!(world.ended(20).await.iter().all(|record| record.attempts.len() == 1));
    assert_eq!(world.sink.got("/in").len(), 20);
    second.stop().await;
}

#[tokio::test]
async fn a_stop_gives_back_what_does_not_end_within_the_grace() {
    let mut world = World::new().await;
    world.options.grace = Duration::from_millis(100);
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    world.sink.will("/in", [Answer::Hang]);
    let running = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/in", 1).await;
    running.stop().await;

    // The clock stands still: nobody waits for a lease.
    let _second = world.dispatch();
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Success, 2));
    assert_eq!(record.attempts[0].error.as_deref(), Some("outcome unknown"));
}

#[tokio::test]
async fn two_dispatchers_make_each_delivery_once() {
    let mut world = World::new().await;
    world.options.lane = 2;
    Definition::new("a", world.sink.url("/a"), "return {}").insert(&world).await;
    Definition::new("b", world.sink.url("/b"), "return {}").insert(&world).await;
    let _first = world.dispatch();
    let _second = world.dispatch();
    for n in 0..40 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    let all = world.ended(80).await;
    assert!(all.iter().all(|record| record.attempts.len() == 1));
    assert_eq!((world.sink.got("/a").len(), world.sink.got("/b").len()), (40, 40));
}

#[tokio::test]
async fn who_lost_the_lease_while_a_script_ran_does_not_call() {
    let mut world = World::new().await;
    let script = format!("http.request({{ url = '{}' }}) return {{}}", world.sink.url("/script"));
    Definition::new("orders", world.sink.url("/in"), &script).insert(&world).await;
    let gate = Arc::new(Notify::new());
    world.sink.will("/script", [Answer::When(gate.clone())]);
    // The first one never looks at the table, or it would renew its lease.
    let often = std::mem::replace(&mut world.options.poll, Duration::from_hours(1));
    let first = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/script", 1).await;
    world.advance(61);
    world.options.poll = often;
    let _second = world.dispatch();
    assert_eq!(world.one().await.status, Status::Success);

    gate.notify_one();
    first.stop().await;
    assert_eq!(world.sink.got("/in").len(), 1);
    assert_eq!(world.one().await.attempts.len(), 1);
}

#[tokio::test]
async fn a_lease_that_ran_out_here_makes_no_second_delivery() {
    let world = World::new().await;
    let script = format!("http.request({{ url = '{}' }}) return {{}}", world.sink.url("/script"));
    Definition::new("orders", world.sink.url("/in"), &script).insert(&world).await;
    let gate = Arc::new(Notify::new());
    world.sink.will("/script", [Answer::When(gate.clone())]);
    let running = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/script", 1).await;
    world.advance(61);
    // Something else that is due shows that the table was looked at since.
    world.publish("e-2", created()).await;
    world.ended(1).await;
    gate.notify_one();

    assert!(world.ended(2).await.iter().all(|record| record.attempts.len() == 1));
    running.stop().await;
    assert_eq!((world.sink.got("/script").len(), world.sink.got("/in").len()), (2, 2));
}

#[tokio::test]
async fn a_deleted_integration_ends_its_open_deliveries_and_stops_nothing() {
    let world = World::new().await;
    let id = Definition::new("gone", world.sink.url("/gone"), "return {}").insert(&world).await;
    Definition::new("here", world.sink.url("/here"), "return {}").insert(&world).await;
    world.sink.will("/gone", [Answer::Status(500)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    world.when(|all| all.iter().any(|e| e.status == Status::Retrying && e.next_attempt_at.is_some())).await;
    world.store.delete_integration(&tenant(), id, &definition_event(&world)).await.unwrap();
    world.advance(3600);
    world.publish("e-2", created()).await;

    world.sink.calls("/here", 2).await;
    let all = world.when(|all| all.iter().all(|e| !e.status.is_open())).await;
    let gone: Vec<_> = all.iter().filter(|e| e.integration == id).map(|e| (e.status, e.attempts.len())).collect();
    assert_eq!(gone, [(Status::Failed, 1)], "{all:#?}");
    assert_eq!(world.sink.got("/gone").len(), 1);
}

#[tokio::test]
async fn a_lease_that_is_too_short_is_refused_when_the_dispatcher_is_built() {
    let mut world = World::new().await;
    world.options.lease = Duration::from_secs(50);
    let refused = world.build().err().unwrap().to_string();
    assert!(refused.contains("50s") && refused.contains("lease"), "{refused}");
}
