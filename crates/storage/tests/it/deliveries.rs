use std::collections::BTreeSet;

use chrono::TimeDelta;
use tidegate_model::{
    Attempt, Delivery, DeliveryOrdering, Error, ExecutionId, HttpMethod, IntegrationId, Json, PageOf, PlannedCall,
    Status, TenantId, Trigger,
};
use tidegate_storage::contract::{Hold, Kept as KeptOne, Settled, Whose};
use uuid::Uuid;

use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, delivery, with_target};
use crate::samples::{any_event, event, id, logic, outgoing};

on_every_store!(
    a_claimed_delivery_comes_back_whole,
    the_longest_due_is_claimed_first_and_what_is_not_due_stays,
    a_claim_takes_whose_it_says,
    what_waits_in_a_lane_is_claimed_for_that_lane_alone,
    what_is_due_in_a_full_lane_is_marked_without_being_claimed,
    many_are_settled_at_once_and_each_only_by_its_holder,
    two_claimers_at_once_never_get_the_same,
    a_lease_that_ran_out_goes_to_the_next,
    who_lost_the_lease_stores_nothing,
    a_finished_delivery_becomes_its_record,
    a_replay_is_due_at_once,
    open_deliveries_go_with_their_integration,
    every_lease_is_given_back_at_once,
);

/// Takes in events `0..count`, and gives their leases back.
async fn with_due(kept: &Kept, count: usize) -> (TenantId, Vec<Delivery>) {
    let (a, target) = with_target(kept).await;
    let events: Vec<_> = (0..count).map(|n| event(&a, &n.to_string())).collect();
    let intake = batch(&target, &events);
    let position = u64::try_from(count).unwrap();
    kept.store.take_in(0, position, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    assert_eq!(kept.store.release_all().await.unwrap(), position);
    (a, intake.events.into_iter().flat_map(|(_, deliveries)| deliveries).collect())
}

fn ids(found: &[Delivery]) -> Vec<ExecutionId> {
    found.iter().map(|delivery| delivery.execution.id).collect()
}

async fn claim(kept: &Kept, holder: Uuid, max: u32) -> Vec<Delivery> {
    kept.store.claim(holder, kept.now(), kept.after(30), max, Whose::Anybodys).await.unwrap()
}

async fn a_claimed_delivery_comes_back_whole(kept: &Kept) {
    let (_, mut due) = with_due(kept, 1).await;
    let holder = id();
    assert_eq!(claim(kept, holder, 10).await, due);
    let mine = &mut due[0];
    mine.plan = Some(PlannedCall {
        method: HttpMethod::Post,
        url: "https://example.org/?a=%00".to_owned(),
        headers: Json::parse(r#"{"x":"y"}"#).unwrap(),
        body: Some(Json::parse(r#"{"n":1.50}"#).unwrap()),
    });
    mine.execution.attempts.push(Attempt {
        number: 1,
        started_at: kept.now(),
        duration_us: None,
        url: "https://example.org/".to_owned(),
        method: HttpMethod::Post,
        request_headers: Json::empty_object(),
        request_body: Some("\0".to_owned()),
        status: None,
        response_headers: None,
        response_body: None,
        response_truncated: false,
        error: None,
    });
    assert!(kept.store.save(mine, holder, kept.after(60)).await.unwrap());
    mine.execution.status = Status::Retrying;
    mine.next_at = kept.after(5);
    assert!(kept.store.release(mine, holder).await.unwrap());
    assert_eq!(kept.store.next_due().await.unwrap(), Some(kept.after(5)));
    assert!(claim(kept, holder, 10).await.is_empty());
    kept.clock.advance(TimeDelta::seconds(5));
    assert_eq!(claim(kept, id(), 10).await, due);
}

async fn the_longest_due_is_claimed_first_and_what_is_not_due_stays(kept: &Kept) {
    let (_, due) = with_due(kept, 4).await;
    let holder = id();
    let mut claimed = claim(kept, holder, 10).await;
    for (delivery, seconds) in claimed.iter_mut().zip([-1, -3, 1, -2]) {
        delivery.next_at = kept.after(seconds);
        assert!(kept.store.release(delivery, holder).await.unwrap());
    }
    assert_eq!(kept.store.next_due().await.unwrap(), Some(kept.after(-3)));
    let expected: Vec<_> = [1, 3].map(|at: usize| due[at].execution.id).into();
    assert_eq!(ids(&claim(kept, holder, 2).await), expected);
    assert_eq!(ids(&claim(kept, holder, 2).await), vec![due[0].execution.id]);
    assert_eq!(kept.store.next_due().await.unwrap(), Some(kept.after(1)));
}

async fn a_claim_takes_whose_it_says(kept: &Kept) {
    let (a, one) = with_target(kept).await;
    let core = logic(&a, "another core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let other = outgoing(&a, "another", core.id, &[]);
    kept.store.insert_integration(&other, None, &any_event(&a)).await.unwrap();
    let mut intake = batch(&one, &[event(&a, "1"), event(&a, "2"), event(&a, "3")]);
    for (event, deliveries) in &mut intake.events {
        deliveries.push(delivery(&other, event));
    }
    kept.store.take_in(0, 3, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    kept.store.release_all().await.unwrap();
    let claimed = async |max, whose: Whose<'_>| {
        let claimed = kept.store.claim(id(), kept.now(), kept.after(30), max, whose).await.unwrap();
        claimed.iter().map(|delivery| delivery.execution.integration).collect::<Vec<_>>()
    };
    assert!(claimed(9, Whose::Of(&[])).await.is_empty());
    assert_eq!(claimed(9, Whose::Of(&[(one.id, 2)])).await, [one.id; 2]);
    let mut both = claimed(3, Whose::Of(&[(other.id, 2), (one.id, 9)])).await;
    both.sort_by_key(|id| *id == one.id);
    assert_eq!(both, [other.id, other.id, one.id]);
    assert_eq!(claimed(9, Whose::Anybodys).await, [other.id]);
    assert!(claimed(9, Whose::Anybodys).await.is_empty());
}

async fn what_waits_in_a_lane_is_claimed_for_that_lane_alone(kept: &Kept) {
    let (_, target) = with_target(kept).await;
    let events: Vec<_> = (0..4).map(|n| event(&target.tenant, &n.to_string())).collect();
    let mut intake = batch(&target, &events);
    let ids: Vec<_> = intake.events.iter().flat_map(|(_, deliveries)| deliveries).map(|d| d.execution.id).collect();
    intake.waiting = [ids[1], ids[3]].into();
    let holder = id();
    let taken = kept.store.take_in(0, 4, &intake, holder, kept.after(30), kept.now()).await.unwrap().unwrap();
    assert_eq!(taken, [ids[0], ids[2]], "what waits is not leased");
    assert_eq!(kept.store.waiting_lanes().await.unwrap(), [target.id]);
    assert_eq!(kept.store.next_due().await.unwrap(), None);
    assert!(claim(kept, id(), 9).await.is_empty());
    let of = async |max| kept.store.claim(holder, kept.now(), kept.after(30), 9, Whose::Of(&[(target.id, max)])).await;
    assert_eq!(of(1).await.unwrap()[0].execution.id, ids[1]);
    let mut both = of(9).await.unwrap();
    assert_eq!(both.remove(0).execution.id, ids[3]);

    let first = &intake.events[0].1[0];
    let hold = KeptOne { delivery: first, hold: Hold::Waiting };
    let settled = kept.store.settle(&[], &[hold], holder).await.unwrap();
    assert_eq!(settled.kept, [ids[0]].into());
    assert!(claim(kept, id(), 9).await.is_empty());
    assert_eq!(of(9).await.unwrap(), std::slice::from_ref(first));
    assert!(kept.store.release(first, holder).await.unwrap());
    assert_eq!(claim(kept, id(), 9).await, std::slice::from_ref(first), "given back it is anybody's");
}

async fn what_is_due_in_a_full_lane_is_marked_without_being_claimed(kept: &Kept) {
    let (_, due) = with_due(kept, 6).await;
    let lane = due[0].execution.integration;
    let (holder, elsewhere) = (id(), id());
    assert_eq!(claim(kept, holder, 1).await.len(), 1, "it is leased");
    let mut later = claim(kept, holder, 1).await.remove(0);
    later.next_at = kept.after(60);
    assert!(kept.store.release(&later, holder).await.unwrap(), "it is due later");
    let park = async |lane, max| kept.store.park(&[lane], kept.now(), max).await.unwrap();
    assert_eq!(park(IntegrationId(elsewhere), 9).await, 0);
    assert_eq!(park(lane, 3).await, 3, "as many as it was asked for");
    assert_eq!(kept.store.waiting_lanes().await.unwrap(), [lane]);
    assert_eq!(claim(kept, holder, 9).await.len(), 1, "those that are marked nobody claims for everybody");
    let waiting = kept.store.claim(holder, kept.now(), kept.after(30), 9, Whose::Of(&[(lane, 9)])).await.unwrap();
    assert_eq!(ids(&waiting), ids(&due[2..5]), "the longest due were marked first");

    kept.clock.advance(TimeDelta::seconds(31));
    assert_eq!(park(lane, 9).await, 2, "leases that ran out are none; what is marked is not marked again");
    kept.clock.advance(TimeDelta::seconds(29));
    assert_eq!(ids(&claim(kept, holder, 9).await), [later.execution.id], "it was not due");
}

async fn many_are_settled_at_once_and_each_only_by_its_holder(kept: &Kept) {
    let (_, due) = with_due(kept, 4).await;
    let (mine, other) = (id(), id());
    assert_eq!(claim(kept, mine, 3).await.len(), 3);
    assert_eq!(claim(kept, other, 1).await.len(), 1);
    let mut ended = due[0].execution.clone();
    ended.status = Status::Success;
    let mut again = due[1].clone();
    again.next_at = kept.after(7);
    let all = [
        KeptOne { delivery: &again, hold: Hold::Due },
        KeptOne { delivery: &due[2], hold: Hold::Leased(kept.after(90)) },
        KeptOne { delivery: &due[3], hold: Hold::Due },
    ];
    let settled = kept.store.settle(&[ended.clone(), due[3].execution.clone()], &all, mine).await.unwrap();
    assert_eq!(settled, Settled { freed: false, kept: [due[1].execution.id, due[2].execution.id].into() });
    assert_eq!(kept.store.execution(&ended.tenant, ended.id).await.unwrap().unwrap(), ended);
    assert_eq!(kept.store.next_due().await.unwrap(), Some(kept.after(7)));
    kept.clock.advance(TimeDelta::seconds(31));
    let found: BTreeSet<_> = claim(kept, id(), 9).await.iter().map(|d| d.execution.id).collect();
    assert_eq!(found, [due[1].execution.id, due[3].execution.id].into(), "the third is leased for longer");
}

async fn two_claimers_at_once_never_get_the_same(kept: &Kept) {
    let (_, due) = with_due(kept, 60).await;
    let mut seen = BTreeSet::new();
    while seen.len() < due.len() {
        let (a, b, c) = tokio::join!(claim(kept, id(), 7), claim(kept, id(), 7), claim(kept, id(), 7));
        let before = seen.len();
        for delivery in [a, b, c].into_iter().flatten() {
            assert!(seen.insert(delivery.execution.id), "claimed twice");
        }
        assert!(seen.len() > before, "what is due is claimed");
    }
    assert!(claim(kept, id(), 7).await.is_empty());
    assert_eq!(kept.store.next_due().await.unwrap(), None);
}

async fn a_lease_that_ran_out_goes_to_the_next(kept: &Kept) {
    let (_, due) = with_due(kept, 1).await;
    assert_eq!(claim(kept, id(), 1).await.len(), 1);
    kept.clock.advance(TimeDelta::microseconds(29_999_999));
    assert!(claim(kept, id(), 1).await.is_empty());
    kept.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(claim(kept, id(), 1).await, due);
}

async fn who_lost_the_lease_stores_nothing(kept: &Kept) {
    let (a, due) = with_due(kept, 1).await;
    let (slow, fast) = (id(), id());
    claim(kept, slow, 1).await;
    kept.clock.advance(TimeDelta::seconds(31));
    claim(kept, fast, 1).await;
    let mut late = due[0].clone();
    late.execution.error = Some("late".to_owned());
    assert!(!kept.store.save(&late, slow, kept.after(60)).await.unwrap());
    assert!(!kept.store.release(&late, slow).await.unwrap());
    late.execution.status = Status::Dead;
    kept.store.finish(&[late.execution.clone()], slow).await.unwrap();
    let found = kept.store.execution(&a, late.execution.id).await.unwrap().unwrap();
    assert_eq!(found, due[0].execution);
    assert!(kept.store.save(&due[0], fast, kept.after(60)).await.unwrap());
}

async fn a_finished_delivery_becomes_its_record(kept: &Kept) {
    let (a, due) = with_due(kept, 2).await;
    let holder = id();
    claim(kept, holder, 2).await;
    let mut records: Vec<_> = due.into_iter().map(|d| d.execution).collect();
    for record in &mut records {
        record.status = Status::Success;
        record.finished_at = Some(kept.now());
    }
    kept.store.finish(&records, holder).await.unwrap();
    kept.store.finish(&records, holder).await.unwrap();
    assert_eq!(kept.store.execution(&a, records[0].id).await.unwrap().as_ref(), Some(&records[0]));
    let page = PageOf { first: 10, after: None };
    let all = kept.store.executions(&a, &tidegate_model::ExecutionFilter::default(), page).await.unwrap();
    records.reverse();
    assert_eq!(all.data, records);
    assert!(!kept.store.save(&delivery_of(&records[0], &a), holder, kept.after(60)).await.unwrap());
}

fn delivery_of(execution: &tidegate_model::Execution, tenant: &TenantId) -> Delivery {
    let event = event(tenant, execution.event.as_ref().unwrap().id.as_str());
    let ordering = DeliveryOrdering::None;
    Delivery { execution: execution.clone(), event, plan: None, next_at: execution.started_at, ordering }
}

async fn a_replay_is_due_at_once(kept: &Kept) {
    let (a, due) = with_due(kept, 1).await;
    let holder = id();
    claim(kept, holder, 1).await;
    kept.store.finish(&[due[0].execution.clone()], holder).await.unwrap();
    let mut replay = due[0].clone();
    replay.execution.id = tidegate_model::ExecutionId(id());
    replay.execution.trigger = Trigger::Replay;
    replay.execution.replay_of = Some(due[0].execution.id);
    kept.store.insert_delivery(&replay).await.unwrap();
    // Another one of the same event and Integration is another run.
    let mut second = replay.clone();
    second.execution.id = tidegate_model::ExecutionId(id());
    kept.store.insert_delivery(&second).await.unwrap();
    assert_eq!(claim(kept, holder, 10).await, vec![replay.clone(), second]);
    replay.event = event(&a, "never taken in");
    replay.execution.id = tidegate_model::ExecutionId(id());
    let refused = kept.store.insert_delivery(&replay).await;
    assert_eq!(refused, Err(Error::not_found("Event", "never taken in")));
}

async fn open_deliveries_go_with_their_integration(kept: &Kept) {
    let (a, due) = with_due(kept, 2).await;
    let ended = &due[0].execution;
    let holder = id();
    claim(kept, holder, 1).await;
    kept.store.finish(std::slice::from_ref(ended), holder).await.unwrap();
    kept.store.delete_integration(&a, ended.integration, &any_event(&a)).await.unwrap();
    assert!(claim(kept, id(), 10).await.is_empty());
    assert_eq!(kept.store.execution(&a, due[1].execution.id).await.unwrap().unwrap().status, Status::Failed);
    assert_eq!(kept.store.execution(&a, ended.id).await.unwrap().as_ref(), Some(ended));
    let gone = outgoing(&a, "gone", tidegate_model::LogicId(id()), &[]);
    let refused = kept.store.insert_delivery(&delivery(&gone, &due[0].event)).await;
    assert_eq!(refused, Err(Error::not_found("Integration", gone.id)));
}

async fn every_lease_is_given_back_at_once(kept: &Kept) {
    let (_, due) = with_due(kept, 3).await;
    assert_eq!(claim(kept, id(), 2).await.len(), 2);
    assert_eq!(kept.store.release_all().await.unwrap(), 2);
    assert_eq!(claim(kept, id(), 10).await.len(), due.len());
}
