//! Deliveries about one object follow each other, where their Integration wants it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::TimeDelta;
use tidegate_model::{
    Delivery, DeliveryOrdering, Event, Execution, ExecutionId, Integration, Status, TenantId, Trigger,
};
use tidegate_storage::contract::Whose;
use uuid::Uuid;

use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, delivery, with_target};
use crate::samples::{any_event, event, id, outgoing};

on_every_store!(
    of_one_object_only_the_first_can_be_leased_and_the_others_go_on,
    the_next_waits_while_the_first_is_tried_again,
    whatever_the_first_ended_as_the_next_goes,
    the_order_is_that_of_the_log_whatever_the_ids_say,
    an_order_is_of_one_integration_and_one_type,
    who_lost_the_lease_lets_nobody_go,
    what_is_added_while_the_first_ends_does_not_wait_for_good,
    many_claimers_at_once_keep_the_order,
    a_replay_stands_at_the_end,
    deliveries_made_without_an_order_wait_for_none,
    an_integration_with_an_order_is_deleted_while_its_deliveries_end,
);

/// A tenant with an Integration that keeps an order.
async fn with_ordered(kept: &Kept) -> (TenantId, Integration) {
    let (a, mut target) = with_target(kept).await;
    target.settings.outgoing.ordering = DeliveryOrdering::PerObject;
    (a, target)
}

fn about(tenant: &TenantId, object: &str, event_id: &str) -> Event {
    Event { object_id: object.parse().unwrap(), ..event(tenant, event_id) }
}

/// Takes these in, and answers what is leased at once.
async fn take_in(kept: &Kept, target: &Integration, holder: Uuid, events: &[Event]) -> Vec<ExecutionId> {
    let from = kept.store.intake_position().await.unwrap();
    let to = from + u64::try_from(events.len()).unwrap();
    let intake = batch(target, events);
    kept.store.take_in(from, to, &intake, holder, kept.after(30), kept.now()).await.unwrap().unwrap()
}

async fn claim(kept: &Kept, holder: Uuid) -> Vec<Delivery> {
    kept.store.claim(holder, kept.now(), kept.after(30), 100, Whose::Anybodys).await.unwrap()
}

fn events_of(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.event.id.as_str()).collect()
}

async fn finish(kept: &Kept, holder: Uuid, delivery: &Delivery, status: Status) -> bool {
    let record = Execution { status, finished_at: Some(kept.now()), ..delivery.execution.clone() };
    kept.store.finish(&[record], holder).await.unwrap()
}

async fn of_one_object_only_the_first_can_be_leased_and_the_others_go_on(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let holder = id();
    let events = ["x 1", "x 2", "y 1", "x 3", "y 2"].map(|name| about(&a, &name[..1], name));
    assert_eq!(take_in(kept, &target, holder, &events).await.len(), 2);
    assert!(take_in(kept, &target, holder, &[about(&a, "x", "x 4")]).await.is_empty());
    assert_eq!(kept.store.next_due().await.unwrap(), None, "nothing is due while the first of each is in hand");
    assert_eq!(kept.store.release_all().await.unwrap(), 2);
    for expected in [vec!["x 1", "y 1"], vec!["x 2", "y 2"], vec!["x 3"], vec!["x 4"]] {
        let claimed = claim(kept, holder).await;
        assert_eq!(events_of(&claimed), expected);
        assert!(claimed.iter().all(|one| one.ordering == DeliveryOrdering::PerObject));
        assert!(claim(kept, id()).await.is_empty());
        for one in &claimed {
            let more = ["x 4", "y 2"].contains(&one.event.id.as_str());
            assert_eq!(finish(kept, holder, one, Status::Success).await, !more);
        }
    }
    assert_eq!(take_in(kept, &target, holder, &[about(&a, "x", "x 5")]).await.len(), 1);
}

async fn the_next_waits_while_the_first_is_tried_again(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let holder = id();
    take_in(kept, &target, holder, &[about(&a, "x", "1"), about(&a, "x", "2")]).await;
    kept.store.release_all().await.unwrap();
    let mut first = claim(kept, holder).await.remove(0);
    first.execution.status = Status::Retrying;
    first.next_at = kept.after(3600);
    assert!(kept.store.release(&first, holder).await.unwrap());
    kept.clock.advance(TimeDelta::seconds(3599));
    assert!(claim(kept, holder).await.is_empty());
    assert_eq!(kept.store.next_due().await.unwrap(), Some(first.next_at));
    kept.clock.advance(TimeDelta::seconds(1));
    assert_eq!(events_of(&claim(kept, holder).await), ["1"]);
    // Its process dies: still it is the first one's turn.
    kept.clock.advance(TimeDelta::seconds(31));
    assert_eq!(events_of(&claim(kept, id()).await), ["1"]);
}

async fn whatever_the_first_ended_as_the_next_goes(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let holder = id();
    let statuses = [Status::Dead, Status::Failed, Status::Skipped, Status::SuccessWithWarning];
    let events: Vec<_> = (0..=statuses.len()).map(|n| about(&a, "x", &n.to_string())).collect();
    take_in(kept, &target, holder, &events).await;
    kept.store.release_all().await.unwrap();
    for (n, status) in statuses.into_iter().enumerate() {
        let claimed = claim(kept, holder).await;
        assert_eq!(events_of(&claimed), [n.to_string()]);
        assert!(finish(kept, holder, &claimed[0], status).await);
    }
    assert_eq!(events_of(&claim(kept, holder).await), [statuses.len().to_string()]);
}

async fn the_order_is_that_of_the_log_whatever_the_ids_say(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let events: Vec<_> = (0..6).map(|n| about(&a, "x", &n.to_string())).collect();
    let mut intake = batch(&target, &events);
    let mut ids: Vec<_> = intake.events.iter().map(|(_, due)| due[0].execution.id).collect();
    ids.reverse();
    for ((_, due), id) in intake.events.iter_mut().zip(ids) {
        due[0].execution.id = id;
    }
    let holder = id();
    kept.store.take_in(0, 6, &intake, holder, kept.after(30), kept.now()).await.unwrap();
    kept.store.release_all().await.unwrap();
    for n in 0..6 {
        let claimed = claim(kept, holder).await;
        assert_eq!(events_of(&claimed), [n.to_string()]);
        finish(kept, holder, &claimed[0], Status::Success).await;
    }
}

async fn an_order_is_of_one_integration_and_one_type(kept: &Kept) {
    let (a, one) = with_ordered(kept).await;
    let mut other = outgoing(&a, "other", one.core_logic, &[]);
    other.settings = one.settings.clone();
    kept.store.insert_integration(&other, None, &any_event(&a)).await.unwrap();
    let order = about(&a, "x", "1");
    let invoice = Event { object_type: "Invoice".parse().unwrap(), ..about(&a, "x", "2") };
    let mut intake = batch(&one, &[order, invoice]);
    for (event, due) in &mut intake.events {
        due.push(delivery(&other, event));
    }
    let taken = kept.store.take_in(0, 2, &intake, id(), kept.after(30), kept.now()).await.unwrap().unwrap();
    assert_eq!(taken.len(), 4);
}

async fn who_lost_the_lease_lets_nobody_go(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let (slow, fast) = (id(), id());
    take_in(kept, &target, slow, &[about(&a, "x", "1"), about(&a, "x", "2")]).await;
    kept.clock.advance(TimeDelta::seconds(31));
    let first = claim(kept, fast).await.remove(0);
    assert!(!finish(kept, slow, &first, Status::Success).await);
    assert!(claim(kept, slow).await.is_empty());
    assert!(finish(kept, fast, &first, Status::Success).await);
}

async fn what_is_added_while_the_first_ends_does_not_wait_for_good(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let holder = id();
    take_in(kept, &target, holder, &[about(&a, "x", "0")]).await;
    kept.store.release_all().await.unwrap();
    for n in 1..40 {
        let first = claim(kept, holder).await.remove(0);
        let next = [about(&a, "x", &n.to_string())];
        let (taken, _) =
            tokio::join!(take_in(kept, &target, holder, &next), finish(kept, holder, &first, Status::Success),);
        assert!(taken.len() <= 1);
        kept.store.release_all().await.unwrap();
        assert!(kept.store.next_due().await.unwrap().is_some(), "{n} waits for nothing");
    }
}

async fn many_claimers_at_once_keep_the_order(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let made: Mutex<BTreeMap<String, Vec<String>>> = Mutex::default();
    let count = 120;
    let publish = async {
        for n in (0..count).step_by(10) {
            let events: Vec<_> = (n..n + 10).map(|n| about(&a, &format!("o{}", n % 7), &format!("{n:04}"))).collect();
            take_in(kept, &target, id(), &events).await;
            // Whoever took them in is dead at once.
            kept.store.release_all().await.unwrap();
        }
    };
    let work = || async {
        let holder = id();
        while made.lock().unwrap().values().map(Vec::len).sum::<usize>() < count {
            let claimed = kept.store.claim(holder, kept.now(), kept.after(30), 3, Whose::Anybodys).await.unwrap();
            let mut records = Vec::new();
            for mut one in claimed {
                if !kept.store.save(&one, holder, kept.after(30)).await.unwrap() {
                    continue;
                }
                // Every third is given back once before it succeeds.
                if one.execution.status == Status::Pending && one.event.id.as_str().ends_with(['3', '6', '9']) {
                    one.execution.status = Status::Retrying;
                    kept.store.release(&one, holder).await.unwrap();
                    continue;
                }
                let (object, event) = (one.event.object_id.to_string(), one.event.id.to_string());
                made.lock().unwrap().entry(object).or_default().push(event);
                records.push(Execution { status: Status::Success, ..one.execution });
            }
            kept.store.finish(&records, holder).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), async {
        tokio::join!(publish, work(), work(), work());
    })
    .await
    .expect("nothing waits for good");
    for (object, mut events) in made.into_inner().unwrap() {
        // One that was made by a process that lost its lease meanwhile is made again; then it is twice in a row.
        events.dedup();
        assert!(events.is_sorted(), "{object}: {events:?}");
    }
}

async fn a_replay_stands_at_the_end(kept: &Kept) {
    let (a, target) = with_ordered(kept).await;
    let holder = id();
    take_in(kept, &target, holder, &[about(&a, "x", "1"), about(&a, "x", "2")]).await;
    kept.store.release_all().await.unwrap();
    let first = claim(kept, holder).await.remove(0);
    finish(kept, holder, &first, Status::Dead).await;
    let mut replay = first.clone();
    replay.execution.id = ExecutionId(id());
    replay.execution.trigger = Trigger::Replay;
    replay.execution.replay_of = Some(first.execution.id);
    kept.store.insert_delivery(&replay).await.unwrap();
    take_in(kept, &target, holder, &[about(&a, "x", "3")]).await;
    for expected in ["2", "1", "3"] {
        let claimed = claim(kept, holder).await;
        assert_eq!(events_of(&claimed), [expected]);
        finish(kept, holder, &claimed[0], Status::Success).await;
    }
    // Where nothing is open it is due at once.
    replay.execution.id = ExecutionId(id());
    kept.store.insert_delivery(&replay).await.unwrap();
    assert_eq!(claim(kept, holder).await, [replay]);
}

async fn deliveries_made_without_an_order_wait_for_none(kept: &Kept) {
    let (a, mut target) = with_ordered(kept).await;
    let holder = id();
    target.settings.outgoing.ordering = DeliveryOrdering::None;
    assert_eq!(take_in(kept, &target, holder, &[about(&a, "x", "1"), about(&a, "x", "2")]).await.len(), 2);
    target.settings.outgoing.ordering = DeliveryOrdering::PerObject;
    assert_eq!(take_in(kept, &target, holder, &[about(&a, "x", "3"), about(&a, "x", "4")]).await.len(), 1);
    target.settings.outgoing.ordering = DeliveryOrdering::None;
    assert_eq!(take_in(kept, &target, holder, &[about(&a, "x", "5")]).await.len(), 1);
    kept.store.release_all().await.unwrap();
    assert_eq!(events_of(&claim(kept, holder).await), ["1", "2", "3", "5"]);
}

async fn an_integration_with_an_order_is_deleted_while_its_deliveries_end(kept: &Kept) {
    let (a, first) = with_ordered(kept).await;
    for round in 0..10 {
        let mut target = outgoing(&a, &format!("t{round}"), first.core_logic, &[]);
        target.settings = first.settings.clone();
        kept.store.insert_integration(&target, None, &any_event(&a)).await.unwrap();
        let holder = id();
        let events: Vec<_> = (0..4).map(|n| about(&a, &format!("o{}", n % 2), &format!("{round} {n}"))).collect();
        take_in(kept, &target, holder, &events).await;
        kept.store.release_all().await.unwrap();
        let claimed = claim(kept, holder).await;
        let late = [about(&a, "o0", &format!("{round} late"))];
        let event = any_event(&a);
        let (deleted, ..) = tokio::join!(
            kept.store.delete_integration(&a, target.id, &event),
            take_in(kept, &target, holder, &late),
            finish(kept, holder, &claimed[0], Status::Success),
            finish(kept, holder, &claimed[1], Status::Success),
        );
        deleted.unwrap();
        assert_eq!(kept.store.next_due().await.unwrap(), None);
        assert!(claim(kept, id()).await.is_empty());
    }
}
