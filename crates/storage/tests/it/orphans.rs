//! What a deleted Integration owed ends in records.

use tidegate_model::{
    Attempt, Delivery, DeliveryOrdering, Execution, ExecutionFilter, ExecutionId, HttpMethod, Integration, Json,
    PageOf, Status, TenantId,
};
use tidegate_storage::contract::{Hold, Kept as Stays, Whose};
use uuid::Uuid;

use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, with_target};
use crate::samples::{any_event, event, id, outgoing, tenant};

on_every_store!(
    deliveries_end_with_their_integration_each_in_a_record,
    who_has_one_in_hand_ends_it_by_what_came_of_its_call,
    one_that_is_given_back_is_due_at_once_and_ends_with_all_its_attempts,
    no_call_begins_once_the_integration_is_gone,
    what_a_dead_process_had_in_hand_ends_too,
    more_than_one_step_of_them_end,
    housekeeping_ends_what_is_left_and_nothing_of_others,
    an_order_ends_whole_and_others_go_on,
    a_tenant_goes_with_what_a_deleted_integration_owed,
    one_that_cannot_be_read_keeps_nothing_from_ending,
);

const WHY: &str = "the Integration was deleted";

/// Takes in events of these ids.
async fn owe(kept: &Kept, target: &Integration, holder: Uuid, ids: impl IntoIterator<Item = String>) -> Vec<Delivery> {
    let events: Vec<_> = ids.into_iter().map(|one| event(&target.tenant, &one)).collect();
    let from = kept.store.intake_position().await.unwrap();
    let to = from + u64::try_from(events.len()).unwrap();
    let intake = batch(target, &events);
    kept.store.take_in(from, to, &intake, holder, kept.after(30), kept.now()).await.unwrap().unwrap();
    intake.events.into_iter().flat_map(|(_, deliveries)| deliveries).collect()
}

fn some(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

async fn delete(kept: &Kept, target: &Integration) {
    kept.store.delete_integration(&target.tenant, target.id, &any_event(&target.tenant)).await.unwrap();
}

async fn record(kept: &Kept, tenant: &TenantId, id: ExecutionId) -> Execution {
    kept.store.execution(tenant, id).await.unwrap().unwrap()
}

/// As it was, ended because its Integration is gone.
fn ended(kept: &Kept, before: &Execution) -> Execution {
    Execution {
        status: Status::Failed,
        error: Some(WHY.to_owned()),
        finished_at: Some(kept.now()),
        next_attempt_at: None,
        ..before.clone()
    }
}

fn attempted(kept: &Kept, delivery: &Delivery) -> Delivery {
    let mut after = delivery.clone();
    after.execution.status = Status::Retrying;
    after.execution.attempts.push(Attempt {
        number: 1,
        started_at: kept.now(),
        duration_us: Some(5),
        url: "https://example.org/in".to_owned(),
        method: HttpMethod::Post,
        request_headers: Json::empty_object(),
        request_body: None,
        status: Some(503),
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    });
    after.next_at = kept.after(3600);
    after.execution.next_attempt_at = Some(after.next_at);
    after
}

async fn open(kept: &Kept, tenant: &TenantId) -> u64 {
    let statuses = vec![Status::Pending, Status::Retrying];
    kept.store.count_executions(tenant, &ExecutionFilter { statuses, ..ExecutionFilter::default() }).await.unwrap()
}

async fn deliveries_end_with_their_integration_each_in_a_record(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let owed = owe(kept, &target, holder, some(&["1", "2"])).await;
    let waits = attempted(kept, &owed[0]);
    assert!(kept.store.release(&waits, holder).await.unwrap());
    let new = Stays { delivery: &owed[1], hold: Hold::Waiting };
    kept.store.settle(&[], &[new], holder).await.unwrap();
    delete(kept, &target).await;
    for before in [&waits, &owed[1]] {
        assert_eq!(record(kept, &a, before.execution.id).await, ended(kept, &before.execution));
    }
    let of = ExecutionFilter { integration: Some(target.id), statuses: vec![Status::Failed], ..Default::default() };
    let listed = kept.store.executions(&a, &of, PageOf { first: 10, after: None }).await.unwrap().data;
    assert_eq!(listed.len(), 2);
    assert_eq!((open(kept, &a).await, kept.store.next_due().await.unwrap()), (0, None));
    let found = ExecutionFilter { text: Some("integration was deleted".to_owned()), ..Default::default() };
    assert_eq!(kept.store.count_executions(&a, &found).await.unwrap(), 2);
    assert_eq!(kept.store.count_replayable(&a, &of).await.unwrap(), 0, "there is nothing to run them with");
}

async fn who_has_one_in_hand_ends_it_by_what_came_of_its_call(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let owed = owe(kept, &target, holder, some(&["1"])).await;
    delete(kept, &target).await;
    assert_eq!(record(kept, &a, owed[0].execution.id).await, owed[0].execution, "its end is not known yet");
    assert_eq!(kept.store.end_orphans(kept.now(), 10).await.unwrap(), 0);
    let came =
        Execution { status: Status::Success, finished_at: Some(kept.after(1)), ..attempted(kept, &owed[0]).execution };
    kept.store.finish(std::slice::from_ref(&came), holder).await.unwrap();
    assert_eq!(record(kept, &a, came.id).await, came);
    assert_eq!(open(kept, &a).await, 0);
}

async fn one_that_is_given_back_is_due_at_once_and_ends_with_all_its_attempts(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let owed = owe(kept, &target, holder, some(&["1", "2"])).await;
    delete(kept, &target).await;
    let failed: Vec<_> = owed.iter().map(|one| attempted(kept, one)).collect();
    for one in &failed {
        assert!(kept.store.release(one, holder).await.unwrap());
    }
    let again = kept.store.claim(holder, kept.now(), kept.after(30), 1, Whose::Anybodys).await.unwrap();
    assert_eq!(again[0].execution, failed[0].execution, "who claims it finds out, and ends it");
    kept.store.finish(&[ended(kept, &again[0].execution)], holder).await.unwrap();
    assert_eq!(kept.store.end_orphans(kept.now(), 10).await.unwrap(), 1);
    for one in &failed {
        assert_eq!(record(kept, &a, one.execution.id).await, ended(kept, &one.execution));
    }
}

async fn no_call_begins_once_the_integration_is_gone(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let owed = owe(kept, &target, holder, some(&["1"])).await;
    assert!(kept.store.save(&owed[0], holder, kept.after(60)).await.unwrap());
    delete(kept, &target).await;
    let about_to = attempted(kept, &owed[0]);
    assert!(!kept.store.save(&about_to, holder, kept.after(60)).await.unwrap());
    assert!(record(kept, &a, owed[0].execution.id).await.attempts.is_empty(), "there was none");
}

async fn what_a_dead_process_had_in_hand_ends_too(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let owed = owe(kept, &target, holder, some(&["1"])).await;
    let mut called = attempted(kept, &owed[0]);
    called.execution.attempts[0].status = None;
    called.execution.attempts[0].duration_us = None;
    assert!(kept.store.save(&called, holder, kept.after(30)).await.unwrap());
    delete(kept, &target).await;
    kept.clock.advance(chrono::TimeDelta::seconds(29));
    assert_eq!(kept.store.end_orphans(kept.now(), 10).await.unwrap(), 0);
    kept.clock.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(kept.store.end_orphans(kept.now(), 10).await.unwrap(), 1);
    assert_eq!(record(kept, &a, called.execution.id).await, ended(kept, &called.execution));
    // It was not dead after all; somebody else has ended it.
    kept.store.finish(&[Execution { status: Status::Success, ..called.execution.clone() }], holder).await.unwrap();
    assert_eq!(record(kept, &a, called.execution.id).await.status, Status::Failed);
}

async fn more_than_one_step_of_them_end(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    owe(kept, &target, id(), (0..1203).map(|n| n.to_string())).await;
    kept.store.release_all().await.unwrap();
    delete(kept, &target).await;
    assert_eq!(open(kept, &a).await, 0);
    let failed = ExecutionFilter { statuses: vec![Status::Failed], ..ExecutionFilter::default() };
    assert_eq!(kept.store.count_executions(&a, &failed).await.unwrap(), 1203);
}

async fn housekeeping_ends_what_is_left_and_nothing_of_others(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let other = outgoing(&a, "other", target.core_logic, &[]);
    kept.store.insert_integration(&other, None, &any_event(&a)).await.unwrap();
    let third = outgoing(&a, "third", target.core_logic, &[]);
    kept.store.insert_integration(&third, None, &any_event(&a)).await.unwrap();
    let holder = id();
    for (one, from) in [(&target, 0), (&other, 10), (&third, 20)] {
        owe(kept, one, holder, (from..from + 3).map(|n| n.to_string())).await;
    }
    delete(kept, &target).await;
    delete(kept, &third).await;
    kept.store.release_all().await.unwrap();
    assert_eq!(open(kept, &a).await, 9, "all were in hand");
    assert_eq!(kept.store.end_orphans(kept.now(), 4).await.unwrap(), 4);
    assert_eq!(kept.store.end_orphans(kept.now(), 4).await.unwrap(), 2);
    assert_eq!(kept.store.end_orphans(kept.now(), 4).await.unwrap(), 0);
    let left = ExecutionFilter { integration: Some(other.id), ..ExecutionFilter::default() };
    assert_eq!((open(kept, &a).await, kept.store.count_executions(&a, &left).await.unwrap()), (3, 3));
}

async fn an_order_ends_whole_and_others_go_on(kept: &Kept) {
    let (a, mut target) = with_target(kept).await;
    target.settings.outgoing.ordering = DeliveryOrdering::PerObject;
    let mut other = outgoing(&a, "other", target.core_logic, &[]);
    other.settings = target.settings.clone();
    kept.store.insert_integration(&other, None, &any_event(&a)).await.unwrap();
    let holder = id();
    let events: Vec<_> = (0..6).map(|n| event(&a, &n.to_string())).collect();
    let mut intake = batch(&target, &events[..3]);
    intake.events.extend(batch(&other, &events[3..]).events);
    for (event, deliveries) in &mut intake.events {
        event.object_id = "one".parse().unwrap();
        for delivery in deliveries {
            delivery.event = event.clone();
            delivery.execution.event.as_mut().unwrap().object_id = event.object_id.clone();
        }
    }
    let taken = kept.store.take_in(0, 6, &intake, holder, kept.after(30), kept.now()).await.unwrap().unwrap();
    assert_eq!(taken.len(), 2, "the first of each order is in hand");
    delete(kept, &target).await;
    let ids = |from: usize| intake.events[from].1[0].execution.id;
    assert_eq!(record(kept, &a, ids(0)).await.status, Status::Pending);
    assert_eq!(record(kept, &a, ids(1)).await.status, Status::Failed);
    assert_eq!(record(kept, &a, ids(2)).await.status, Status::Failed);
    let firsts: Vec<_> =
        [0, 3].map(|n| Execution { status: Status::Success, ..intake.events[n].1[0].execution.clone() }).into();
    assert!(kept.store.finish(&firsts, holder).await.unwrap(), "the other order goes on");
    let next = kept.store.claim(holder, kept.now(), kept.after(30), 10, Whose::Anybodys).await.unwrap();
    assert_eq!(next.iter().map(|one| one.execution.id).collect::<Vec<_>>(), [ids(4)]);
    assert_eq!(open(kept, &a).await, 2);
}

async fn a_tenant_goes_with_what_a_deleted_integration_owed(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let owed = owe(kept, &target, id(), some(&["1", "2"])).await;
    delete(kept, &target).await;
    kept.store.delete_tenant(&a).await.unwrap().unwrap();
    assert_eq!(kept.store.end_orphans(kept.after(60), 10).await.unwrap(), 0);
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    assert_eq!(kept.store.execution(&a, owed[0].execution.id).await.unwrap(), None);
    assert_eq!(kept.store.event(&a, &owed[0].event.id).await.unwrap(), None);
}

async fn one_that_cannot_be_read_keeps_nothing_from_ending(kept: &Kept) {
    const DAMAGE: &str = "UPDATE delivery SET body = $1 WHERE id = $2";
    let (a, target) = with_target(kept).await;
    let owed = owe(kept, &target, id(), some(&["1", "2", "3"])).await;
    let (damaged, url) = (owed[0].execution.id.0, kept.url.to_string());
    match url.split_once(':').unwrap() {
        // Nobody else sees it.
        ("sqlite", ":memory:") => return,
        ("sqlite", _) => {
            let file = sqlx::SqlitePool::connect(&url).await.unwrap();
            sqlx::query(DAMAGE).bind(vec![255_u8]).bind(damaged).execute(&file).await.unwrap();
        }
        _ => {
            let server = sqlx::PgPool::connect(&url).await.unwrap();
            sqlx::query(DAMAGE).bind(vec![255_u8]).bind(damaged).execute(&server).await.unwrap();
        }
    }
    kept.store.release_all().await.unwrap();
    let holder = id();
    let claimed = kept.store.claim(holder, kept.now(), kept.after(30), 10, Whose::Anybodys).await.unwrap();
    assert_eq!(claimed.iter().map(|one| &one.event.id).collect::<Vec<_>>(), [&owed[1].event.id, &owed[2].event.id]);
    kept.store.release_all().await.unwrap();
    delete(kept, &target).await;
    assert_eq!(record(kept, &a, owed[1].execution.id).await, ended(kept, &owed[1].execution));
    assert_eq!(kept.store.execution(&a, owed[0].execution.id).await.unwrap(), None);
}
