//! What an Integration says of how its calls are made.

use chrono::TimeDelta;
use tidegate_model::{CallBounds, Clock, OutgoingSettings, RetrySchedule, Status};

use crate::harness::{Answer, Definition, World, created, eventually};

fn again(delays_seconds: &[u32]) -> OutgoingSettings {
    OutgoingSettings {
        schedule: Some(RetrySchedule { delays_seconds: delays_seconds.to_vec() }),
        ..OutgoingSettings::default()
    }
}

#[tokio::test]
async fn an_integrations_own_schedule_says_when_and_how_often_a_call_is_repeated() {
    let world = World::new().await;
    Definition::new("own", world.sink.url("/own"), "return {}").with(again(&[100, 2000])).insert(&world).await;
    world.sink.will("/own", [503, 503, 503].map(Answer::Status));
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    for (attempts, delay) in [(1, 100), (2, 2000)] {
        let like = |e: &tidegate_model::Execution| e.attempts.len() == attempts && e.next_attempt_at.is_some();
        let open =
            world.when(|all| all.first().is_some_and(|e| e.status == Status::Retrying && like(e))).await.remove(0);
        let wait = open.next_attempt_at.unwrap() - world.clock.now();
        assert!((delay..=delay + delay / 10).contains(&wait.num_seconds()), "{wait}");
        world.advance(delay + delay / 10);
    }
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Dead, 3));
}

#[tokio::test]
async fn a_schedule_without_waits_repeats_nothing() {
    let world = World::new().await;
    Definition::new("once", world.sink.url("/once"), "return {}").with(again(&[])).insert(&world).await;
    world.sink.will("/once", [Answer::Status(503)]);
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let record = world.one().await;
    assert_eq!((record.status, record.attempts.len()), (Status::Dead, 1));
}

#[tokio::test]
async fn an_integrations_own_timeout_ends_its_calls_and_no_others_within_what_the_operator_allows() {
    let mut world = World::new().await;
    world.options.bounds = CallBounds { timeout_ms: 300, ..CallBounds::default() };
    let takes = |timeout_ms| OutgoingSettings { timeout_ms: Some(timeout_ms), ..again(&[]) };
    Definition::new("short", world.sink.url("/short"), "return {}").with(takes(150)).insert(&world).await;
    Definition::new("long", world.sink.url("/long"), "return {}").with(takes(60_000)).insert(&world).await;
    world.sink.hang("/short");
    world.sink.hang("/long");
    let _running = world.dispatch();
    world.publish("e-1", created()).await;
    let all = world.ended(2).await;
    let errors: Vec<_> = all.iter().map(|e| e.attempts[0].error.clone().unwrap()).collect();
    assert!(errors.iter().any(|e| e.contains("150 ms")) && errors.iter().any(|e| e.contains("300 ms")), "{errors:?}");
}

#[tokio::test]
async fn a_call_that_may_take_longer_than_the_lease_is_not_taken_from_who_makes_it() {
    let mut world = World::new().await;
    world.options.bounds = CallBounds { timeout_ms: 600_000, ..CallBounds::default() };
    let settings = OutgoingSettings { timeout_ms: Some(600_000), ..OutgoingSettings::default() };
    Definition::new("long", world.sink.url("/long"), "return {}").with(settings).insert(&world).await;
    world.sink.will("/long", [Answer::Hang]);
    let first = world.dispatch();
    world.publish("e-1", created()).await;
    world.sink.calls("/long", 1).await;
    let _second = world.dispatch();
    world.advance(700);
    // Another event, made and done, shows that the table was looked at since.
    world.publish("e-2", created()).await;
    world.ended(1).await;
    assert_eq!(world.sink.got("/long").len(), 2);
    first.kill();
    world.advance(21);
    assert_eq!(world.ended(2).await.iter().map(|e| e.attempts.len()).sum::<usize>(), 3);
}

#[tokio::test]
async fn an_integrations_own_concurrency_holds_from_the_first_moment_on() {
    let world = World::new().await;
    let one = OutgoingSettings { concurrency: Some(1), ..OutgoingSettings::default() };
    let three = OutgoingSettings { concurrency: Some(3), ..OutgoingSettings::default() };
    Definition::new("one", world.sink.url("/one"), "return {}").with(one).insert(&world).await;
    Definition::new("three", world.sink.url("/three"), "return {}").with(three).insert(&world).await;
    world.sink.hang("/one");
    world.sink.hang("/three");
    for n in 0..30 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    let _running = world.dispatch();
    world.sink.calls("/one", 1).await;
    world.sink.calls("/three", 3).await;
    world.taken_in().await;
    // What found no place is given back, and waits in the table for nobody in particular.
    Definition::new("other", world.sink.url("/other"), "return {}").insert(&world).await;
    world.publish("e-other", created()).await;
    world.sink.calls("/other", 1).await;
    assert_eq!((world.sink.got("/one").len(), world.sink.got("/three").len()), (1, 3));
}

#[tokio::test]
async fn an_integration_gets_no_more_calls_in_a_second_than_it_asks_for_and_loses_none() {
    let world = World::new().await;
    let rated = OutgoingSettings { rate_per_second: Some(5), ..OutgoingSettings::default() };
    Definition::new("rated", world.sink.url("/rated"), "return {}").with(rated).insert(&world).await;
    Definition::new("free", world.sink.url("/free"), "return {}").insert(&world).await;
    let _running = world.dispatch();
    for n in 0..12 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.sink.calls("/free", 12).await;
    world.sink.calls("/rated", 5).await;
    let waiting = eventually(async || {
        let all = world.executions().await;
        let open: Vec<_> = all.iter().filter(|e| e.status.is_open()).collect();
        open.len() == 7 && open.iter().all(|e| e.next_attempt_at == Some(world.clock.now()))
    });
    assert!(waiting.await, "what is beyond the rate waits in the table, as due as it was");
    assert_eq!(world.sink.got("/rated").len(), 5);

    world.clock.advance(TimeDelta::milliseconds(400));
    world.sink.calls("/rated", 7).await;
    world.advance(1);
    world.ended(24).await;
    assert_eq!(world.sink.got("/rated").len(), 12);
}

#[tokio::test]
async fn a_run_that_calls_nothing_takes_nothing_of_the_rate() {
    let world = World::new().await;
    let rated = OutgoingSettings { rate_per_second: Some(1), ..OutgoingSettings::default() };
    Definition::new("rated", world.sink.url("/rated"), "return { requestNeeded = false }")
        .with(rated)
        .insert(&world)
        .await;
    let _running = world.dispatch();
    for n in 0..5 {
        world.publish(&format!("e-{n}"), created()).await;
    }
    world.ended(5).await;
}
