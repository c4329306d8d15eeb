//! Replays by filter, and deliveries that are cancelled.

use chrono::TimeDelta;
use tidegate_model::{
    Delivery, DeliveryOrdering, Execution, ExecutionFilter, ExecutionId, Integration, PageOf, Replay, ReplayId,
    ReplayState, Status, TenantId, Trigger,
};
use tidegate_storage::contract::{ReplayStep, Whose};
use uuid::Uuid;

use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, with_target};
use crate::samples::{any_event, event, execution, id, outgoing, pending, tenant_id};

on_every_store!(
    a_replay_comes_back_whole_and_is_its_tenants_alone,
    a_step_is_made_once_whoever_makes_it,
    a_stopped_replay_takes_no_step,
    the_replay_that_is_due_first_is_next,
    of_a_step_those_whose_integration_has_gone_are_refused,
    what_is_replayed_of_an_order_stands_at_its_end_in_the_order_of_the_step,
    ended_records_are_read_upwards_between_two_ids,
    what_can_be_replayed_is_counted,
    replays_that_ended_are_pruned_and_those_that_run_are_not,
    what_is_cancelled_ends_as_failed_unless_it_is_in_hand,
    who_comes_late_to_what_was_cancelled_stores_nothing,
    cancelling_lets_the_next_go,
);

fn replay(kept: &Kept, tenant: &TenantId) -> Replay {
    Replay {
        id: ReplayId(id()),
        tenant: tenant.clone(),
        state: ReplayState::Running,
        filter: ExecutionFilter {
            statuses: vec![Status::Dead],
            from: Some(kept.now()),
            text: Some("ä%".to_owned()),
            object_id: Some("o 1".parse().unwrap()),
            ..ExecutionFilter::default()
        },
        rate_per_second: 50,
        count: 9,
        replayed: 0,
        refused: 0,
        created_by: "client:x".to_owned(),
        created_at: kept.now(),
        ended_at: None,
    }
}

fn step(kept: &Kept, from: ExecutionId, to: ExecutionId, deliveries: &[Delivery]) -> ReplayStep {
    let next_at = Some(kept.after(2));
    ReplayStep { from, to, deliveries: deliveries.to_vec(), refused: 1, next_at, now: kept.now() }
}

/// Takes in events, ends their deliveries as DEAD, and answers new ones of the same.
async fn with_dead(kept: &Kept, target: &Integration, count: usize) -> Vec<Delivery> {
    let events: Vec<_> = (0..count).map(|n| event(&target.tenant, &n.to_string())).collect();
    let intake = batch(target, &events);
    let (holder, from) = (id(), kept.store.intake_position().await.unwrap());
    let taken = kept.store.take_in(from, from + 1, &intake, holder, kept.after(30), kept.now()).await.unwrap();
    assert_eq!(taken.unwrap().len(), count);
    let deliveries: Vec<_> = intake.events.into_iter().flat_map(|(_, deliveries)| deliveries).collect();
    let dead = |delivery: &Delivery| Execution { status: Status::Dead, ..delivery.execution.clone() };
    kept.store.finish(&deliveries.iter().map(dead).collect::<Vec<_>>(), holder).await.unwrap();
    let again = |mut delivery: Delivery| {
        delivery.execution.replay_of = Some(delivery.execution.id);
        delivery.execution.id = ExecutionId(id());
        delivery.execution.trigger = Trigger::Replay;
        delivery
    };
    deliveries.into_iter().map(again).collect()
}

async fn claim(kept: &Kept, holder: Uuid) -> Vec<Delivery> {
    kept.store.claim(holder, kept.now(), kept.after(30), 100, Whose::Anybodys).await.unwrap()
}

async fn a_replay_comes_back_whole_and_is_its_tenants_alone(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let (one, two) = (replay(kept, &a), replay(kept, &a));
    for replay in [&one, &two] {
        kept.store.insert_replay(replay).await.unwrap();
    }
    assert_eq!(kept.store.replay(&a, one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.replay(&tenant_id("b"), one.id).await.unwrap(), None);
    let page = kept.store.replays(&a, PageOf { first: 1, after: None }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![two.clone()], true, 2));
    let page = kept.store.replays(&a, PageOf { first: 1, after: Some(two.id) }).await.unwrap();
    assert_eq!((page.data, page.has_next), (vec![one.clone()], false));
    assert_eq!(kept.store.stop_replay(&tenant_id("b"), one.id, kept.now()).await.unwrap(), None);
    assert_eq!(kept.store.replays(&tenant_id("b"), PageOf { first: 1, after: None }).await.unwrap().total, 0);
    kept.store.delete_tenant(&a).await.unwrap();
    assert_eq!(kept.store.next_replay().await.unwrap(), None);
}

async fn a_step_is_made_once_whoever_makes_it(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let again = with_dead(kept, &target, 4).await;
    let one = replay(kept, &a);
    kept.store.insert_replay(&one).await.unwrap();
    let (known, from, due) = kept.store.next_replay().await.unwrap().unwrap();
    assert_eq!((&known, due), (&one, kept.now()));
    let to = again[1].execution.replay_of.unwrap();
    let (left, right) = (step(kept, from, to, &again[..2]), step(kept, from, to, &again[..2]));
    let (left, right) =
        tokio::join!(kept.store.take_replay_step(&one, &left), kept.store.take_replay_step(&one, &right));
    assert!(left.unwrap() != right.unwrap(), "one of them");
    assert_eq!(claim(kept, id()).await.len(), 2);
    let (known, from, due) = kept.store.next_replay().await.unwrap().unwrap();
    assert_eq!((known.replayed, known.refused, from, due), (2, 1, to, kept.after(2)));
    let last = ReplayStep {
        next_at: None,
        refused: 0,
        ..step(kept, from, again[3].execution.replay_of.unwrap(), &again[2..])
    };
    assert!(kept.store.take_replay_step(&one, &last).await.unwrap());
    let ended = kept.store.replay(&a, one.id).await.unwrap().unwrap();
    assert_eq!(
        (ended.state, ended.replayed, ended.refused, ended.ended_at),
        (ReplayState::Done, 4, 1, Some(kept.now()))
    );
    assert_eq!(kept.store.next_replay().await.unwrap(), None);
    assert!(!kept.store.take_replay_step(&one, &last).await.unwrap());
}

async fn a_stopped_replay_takes_no_step(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let again = with_dead(kept, &target, 1).await;
    let one = replay(kept, &a);
    kept.store.insert_replay(&one).await.unwrap();
    let (_, from, _) = kept.store.next_replay().await.unwrap().unwrap();
    let stopped = kept.store.stop_replay(&a, one.id, kept.now()).await.unwrap().unwrap();
    assert_eq!((stopped.state, stopped.ended_at), (ReplayState::Stopped, Some(kept.now())));
    let step = step(kept, from, again[0].execution.id, &again);
    assert!(!kept.store.take_replay_step(&one, &step).await.unwrap());
    assert!(claim(kept, id()).await.is_empty());
    let again = kept.store.stop_replay(&a, one.id, kept.after(9)).await.unwrap().unwrap();
    assert_eq!(again, stopped);
}

async fn the_replay_that_is_due_first_is_next(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let (late, early) = (Replay { created_at: kept.after(1), ..replay(kept, &a) }, replay(kept, &tenant_id("b")));
    for replay in [&late, &early] {
        kept.store.insert_replay(replay).await.unwrap();
    }
    let (next, from, _) = kept.store.next_replay().await.unwrap().unwrap();
    assert_eq!(next.id, early.id);
    assert!(kept.store.take_replay_step(&early, &step(kept, from, ExecutionId(id()), &[])).await.unwrap());
    assert_eq!(kept.store.next_replay().await.unwrap().unwrap().0.id, late.id);
}

async fn of_a_step_those_whose_integration_has_gone_are_refused(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let again = with_dead(kept, &target, 2).await;
    let one = replay(kept, &a);
    kept.store.insert_replay(&one).await.unwrap();
    let (_, from, _) = kept.store.next_replay().await.unwrap().unwrap();
    kept.store.delete_integration(&a, target.id, &any_event(&a)).await.unwrap();
    assert!(kept.store.take_replay_step(&one, &step(kept, from, ExecutionId(id()), &again)).await.unwrap());
    let known = kept.store.replay(&a, one.id).await.unwrap().unwrap();
    assert_eq!((known.replayed, known.refused), (0, 3));
}

async fn what_is_replayed_of_an_order_stands_at_its_end_in_the_order_of_the_step(kept: &Kept) {
    let (a, mut target) = with_target(kept).await;
    let mut again = with_dead(kept, &target, 3).await;
    target.settings.outgoing.ordering = DeliveryOrdering::PerObject;
    let object = event(&a, "0").object_id;
    for delivery in &mut again {
        delivery.ordering = DeliveryOrdering::PerObject;
        delivery.event.object_id = object.clone();
    }
    // Ids of the same moment are in no order.
    let (first, last) = (again[0].execution.id, again[2].execution.id);
    (again[0].execution.id, again[2].execution.id) = (last, first);
    let one = replay(kept, &a);
    kept.store.insert_replay(&one).await.unwrap();
    let (_, from, _) = kept.store.next_replay().await.unwrap().unwrap();
    assert!(kept.store.take_replay_step(&one, &step(kept, from, ExecutionId(id()), &again)).await.unwrap());
    let holder = id();
    for expected in &again {
        let claimed = claim(kept, holder).await;
        assert_eq!(claimed.iter().map(|one| one.execution.id).collect::<Vec<_>>(), [expected.execution.id]);
        kept.store.finish(&[claimed[0].execution.clone()], holder).await.unwrap();
    }
}

async fn ended_records_are_read_upwards_between_two_ids(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let statuses = [Status::Dead, Status::Success, Status::Dead, Status::Failed, Status::Dead];
    let records: Vec<_> = statuses.into_iter().map(|status| Execution { status, ..execution(&target) }).collect();
    kept.store.append_executions(&records).await.unwrap();
    let open = batch(&target, &[event(&a, "open")]);
    kept.store.take_in(0, 1, &open, id(), kept.after(30), kept.now()).await.unwrap();
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    let (nil, end) = (ExecutionId(Uuid::nil()), ExecutionId(id()));
    let read = async |filter: ExecutionFilter, after, before, max| {
        let read = kept.store.ended_executions(&a, &filter, after, before, max).await.unwrap();
        read.into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    let any = ExecutionFilter::default;
    let dead = || ExecutionFilter { statuses: vec![Status::Dead], ..any() };
    assert_eq!(read(any(), nil, end, 100).await, ids);
    assert_eq!(read(any(), ids[0], ids[4], 2).await, ids[1..3]);
    assert_eq!(read(dead(), nil, end, 2).await, [ids[0], ids[2]]);
    assert_eq!(read(dead(), ids[2], end, 2).await, [ids[4]]);
    let both = ExecutionFilter { statuses: vec![Status::Dead, Status::Failed], ..any() };
    assert_eq!(read(both.clone(), ids[0], end, 2).await, ids[2..4]);
    assert_eq!(read(ExecutionFilter { integration: Some(target.id), ..both }, nil, ids[3], 9).await, [ids[0], ids[2]]);
    assert!(read(ExecutionFilter { statuses: vec![Status::Pending], ..any() }, nil, end, 9).await.is_empty());
    assert!(read(ExecutionFilter { from: Some(kept.after(1)), ..any() }, nil, end, 9).await.is_empty());
    let other = kept.store.ended_executions(&tenant_id("b"), &any(), nil, end, 9).await.unwrap();
    assert!(other.is_empty());
}

async fn what_can_be_replayed_is_counted(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let about = |n: usize, status| Execution { status, ..pending(&target, &event(&a, &n.to_string())) };
    let mut records: Vec<_> = (0..3).map(|n| about(n, Status::Dead)).collect();
    records.extend([about(3, Status::Success), execution(&target)]);
    kept.store.append_executions(&records).await.unwrap();
    let mut open = batch(&target, &[event(&a, "open")]);
    open.events.extend((0..4).map(|n| (event(&a, &n.to_string()), vec![])));
    kept.store.take_in(0, 5, &open, id(), kept.after(30), kept.now()).await.unwrap();
    let count = async |filter: ExecutionFilter| kept.store.count_replayable(&a, &filter).await.unwrap();
    let any = ExecutionFilter::default;
    assert_eq!(count(any()).await, 4, "neither what is open nor what has no event");
    assert_eq!(count(ExecutionFilter { statuses: vec![Status::Dead], ..any() }).await, 3);
    assert_eq!(count(ExecutionFilter { statuses: vec![Status::Pending], ..any() }).await, 0);
    assert_eq!(count(ExecutionFilter { event_id: Some(event(&a, "1").id), ..any() }).await, 1);
    let gone = outgoing(&a, "gone", target.core_logic, &[]);
    let forgotten = pending(&target, &event(&a, "forgotten"));
    let more = [pending(&gone, &event(&a, "1")), forgotten].map(|one| Execution { status: Status::Dead, ..one });
    kept.store.append_executions(&more).await.unwrap();
    assert_eq!(count(any()).await, 4, "neither whose Integration is deleted nor whose event is no longer kept");
}

async fn replays_that_ended_are_pruned_and_those_that_run_are_not(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let all: Vec<_> = (0..4).map(|_| replay(kept, &a)).collect();
    for (n, replay) in all.iter().enumerate() {
        kept.store.insert_replay(replay).await.unwrap();
        if n > 0 {
            kept.store.stop_replay(&a, replay.id, kept.now()).await.unwrap();
        }
    }
    kept.clock.advance(TimeDelta::seconds(1));
    assert_eq!(kept.store.prune_replays(kept.after(-1), 9).await.unwrap(), 0);
    assert_eq!(kept.store.prune_replays(kept.now(), 2).await.unwrap(), 2);
    assert_eq!(kept.store.prune_replays(kept.now(), 2).await.unwrap(), 1);
    assert_eq!(kept.store.replays(&a, PageOf { first: 9, after: None }).await.unwrap().data, all[..1]);
}

async fn what_is_cancelled_ends_as_failed_unless_it_is_in_hand(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let intake = batch(&target, &[event(&a, "1"), event(&a, "2"), event(&a, "3")]);
    kept.store.take_in(0, 1, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    let ids: Vec<_> = intake.events.iter().map(|(_, due)| due[0].execution.id).collect();
    assert!(kept.store.cancel(&a, &ids, "no more", kept.now()).await.unwrap().is_empty(), "all are leased");
    kept.store.release_all().await.unwrap();
    let held = kept.store.claim(id(), kept.now(), kept.after(30), 1, Whose::Anybodys).await.unwrap().remove(0);
    assert!(kept.store.cancel(&tenant_id("b"), &ids, "no more", kept.now()).await.unwrap().is_empty());
    let cancelled = kept.store.cancel(&a, &ids, "no more", kept.now()).await.unwrap();
    assert_eq!(cancelled.len(), 2);
    for record in &cancelled {
        assert_ne!(record.id, held.execution.id);
        assert_eq!((record.status, record.error.as_deref()), (Status::Failed, Some("no more")));
        assert_eq!((record.finished_at, record.next_attempt_at), (Some(kept.now()), None));
        assert_eq!(kept.store.execution(&a, record.id).await.unwrap().as_ref(), Some(record));
    }
    let open = ExecutionFilter { statuses: vec![Status::Pending], ..ExecutionFilter::default() };
    assert_eq!(kept.store.count_executions(&a, &open).await.unwrap(), 1);
    assert!(kept.store.cancel(&a, &ids, "again", kept.now()).await.unwrap().is_empty());
}

async fn who_comes_late_to_what_was_cancelled_stores_nothing(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let holder = id();
    let intake = batch(&target, &[event(&a, "1")]);
    kept.store.take_in(0, 1, &intake, holder, kept.after(30), kept.now()).await.unwrap();
    let delivery = &intake.events[0].1[0];
    kept.clock.advance(TimeDelta::seconds(30));
    let cancelled = kept.store.cancel(&a, &[delivery.execution.id], "no more", kept.now()).await.unwrap();
    assert_eq!(cancelled.len(), 1, "its lease has run out");
    assert!(!kept.store.save(delivery, holder, kept.after(30)).await.unwrap());
    let late = Execution { status: Status::Success, ..delivery.execution.clone() };
    kept.store.finish(&[late], holder).await.unwrap();
    assert_eq!(kept.store.execution(&a, delivery.execution.id).await.unwrap().as_ref(), Some(&cancelled[0]));
}

async fn cancelling_lets_the_next_go(kept: &Kept) {
    let (a, mut target) = with_target(kept).await;
    target.settings.outgoing.ordering = DeliveryOrdering::PerObject;
    let object = event(&a, "1").object_id;
    let events = ["1", "2", "3"].map(|n| tidegate_model::Event { object_id: object.clone(), ..event(&a, n) });
    let intake = batch(&target, &events);
    kept.store.take_in(0, 1, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    kept.store.release_all().await.unwrap();
    let ids: Vec<_> = intake.events.iter().map(|(_, due)| due[0].execution.id).collect();
    assert_eq!(kept.store.cancel(&a, &ids[1..2], "no more", kept.now()).await.unwrap().len(), 1);
    let holder = id();
    let first = claim(kept, holder).await.remove(0);
    assert_eq!(first.execution.id, ids[0]);
    assert!(kept.store.release(&first, holder).await.unwrap());
    assert_eq!(kept.store.cancel(&a, &ids[..1], "no more", kept.now()).await.unwrap().len(), 1);
    assert_eq!(claim(kept, holder).await.remove(0).execution.id, ids[2]);
}
