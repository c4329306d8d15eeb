use tidegate_model::{Delivery, Event, Execution, Integration, Status, TenantId};
use tidegate_storage::contract::{Intake, Whose};

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, event, id, logic, outgoing, pending, tenant_id, with_tenants};

on_every_store!(
    a_batch_becomes_deliveries_and_a_position_at_once,
    of_two_intakes_that_read_the_same_one_stores_nothing,
    a_position_is_one_in_a_log_that_can_be_another_one,
    an_event_id_that_was_seen_before_adds_nothing,
    what_went_away_meanwhile_stops_nothing,
);

/// A tenant with an Integration that events are delivered to.
pub(crate) async fn with_target(kept: &Kept) -> (TenantId, Integration) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = logic(&a, "core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let target = outgoing(&a, "target", core.id, &[]);
    kept.store.insert_integration(&target, None, &any_event(&a)).await.unwrap();
    (a, target)
}

pub(crate) fn delivery(target: &Integration, event: &Event) -> Delivery {
    let execution = pending(target, event);
    let ordering = target.settings.outgoing.ordering;
    Delivery { next_at: execution.started_at, execution, event: event.clone(), plan: None, ordering }
}

pub(crate) fn batch(target: &Integration, events: &[Event]) -> Intake {
    Intake { events: events.iter().map(|e| (e.clone(), vec![delivery(target, e)])).collect(), ..Intake::default() }
}

async fn total(kept: &Kept) -> u64 {
    kept.store.count_executions(&tenant_id("a"), &tidegate_model::ExecutionFilter::default()).await.unwrap()
}

async fn a_batch_becomes_deliveries_and_a_position_at_once(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    assert_eq!(kept.store.intake_position().await.unwrap(), 0);
    let mut intake = batch(&target, &[event(&a, "1"), event(&a, "2")]);
    intake.events.push((event(&a, "unheard"), vec![]));
    let ids: Vec<_> = intake.events.iter().flat_map(|(_, d)| d).map(|d| d.execution.id).collect();
    let taken = kept.store.take_in(0, 3, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    assert_eq!(taken, Some(ids));
    assert_eq!(kept.store.intake_position().await.unwrap(), 3);
    assert_eq!(kept.store.event(&a, &event(&a, "2").id).await.unwrap(), Some(event(&a, "2")));
    assert_eq!(kept.store.event(&a, &event(&a, "unheard").id).await.unwrap(), Some(event(&a, "unheard")));
    assert_eq!(kept.store.event(&tenant_id("b"), &event(&a, "2").id).await.unwrap(), None);
    // Leased to who took them in.
    assert!(kept.store.claim(id(), kept.after(29), kept.after(60), 10, Whose::Anybodys).await.unwrap().is_empty());
    assert_eq!(kept.store.claim(id(), kept.after(30), kept.after(60), 10, Whose::Anybodys).await.unwrap().len(), 2);
}

async fn of_two_intakes_that_read_the_same_one_stores_nothing(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    for round in 0..10 {
        let (left, right) = (event(&a, &format!("l{round}")), event(&a, &format!("r{round}")));
        let (left, right) = (batch(&target, &[left]), batch(&target, &[right]));
        let (from, to) = (round * 2, round * 2 + 2);
        let both = tokio::join!(
            kept.store.take_in(from, to, &left, id(), kept.after(30), kept.now()),
            kept.store.take_in(from, to, &right, id(), kept.after(30), kept.now()),
        );
        let (left, right) = (both.0.unwrap(), both.1.unwrap());
        assert!(left.is_some() != right.is_some(), "{left:?} {right:?}");
        assert_eq!(total(kept).await, round + 1);
    }
    assert_eq!(kept.store.take_in(3, 99, &Intake::default(), id(), kept.now(), kept.now()).await.unwrap(), None);
    assert_eq!(kept.store.intake_position().await.unwrap(), 20);
}

async fn a_position_is_one_in_a_log_that_can_be_another_one(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let (first, second) = (kept.after(-60), kept.now());
    assert_eq!(kept.store.intake_log().await.unwrap(), None);
    assert!(kept.store.begin_log(first, 0, 0).await.unwrap());
    let intake = batch(&target, &[event(&a, "1")]);
    kept.store.take_in(0, 9, &intake, id(), kept.after(30), kept.now()).await.unwrap().unwrap();
    assert!(!kept.store.begin_log(second, 0, 2).await.unwrap(), "somebody moved it");
    assert_eq!((kept.store.intake_log().await.unwrap(), kept.store.intake_position().await.unwrap()), (Some(first), 9));
    assert!(kept.store.begin_log(second, 9, 2).await.unwrap());
    assert_eq!(
        (kept.store.intake_log().await.unwrap(), kept.store.intake_position().await.unwrap()),
        (Some(second), 2)
    );
}

async fn an_event_id_that_was_seen_before_adds_nothing(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let (one, two) = (event(&a, "1"), event(&a, "2"));
    let first = batch(&target, std::slice::from_ref(&one));
    kept.store.take_in(0, 1, &first, id(), kept.after(30), kept.now()).await.unwrap().unwrap();
    let again = batch(&target, &[one.clone(), two.clone(), two]);
    let taken = kept.store.take_in(1, 4, &again, id(), kept.after(30), kept.now()).await.unwrap().unwrap();
    assert_eq!(taken, vec![again.events[1].1[0].execution.id]);
    assert_eq!(total(kept).await, 2);
    // Also when the first one has long arrived.
    let holder = id();
    let claimed = kept.store.claim(holder, kept.after(30), kept.after(60), 10, Whose::Anybodys).await.unwrap();
    let records: Vec<_> = claimed.into_iter().map(|d| Execution { status: Status::Success, ..d.execution }).collect();
    kept.store.finish(&records, holder).await.unwrap();
    let late = batch(&target, &[one]);
    let taken = kept.store.take_in(4, 5, &late, id(), kept.after(30), kept.now()).await.unwrap();
    assert_eq!(taken, Some(vec![]));
    assert_eq!(total(kept).await, 2);
}

async fn what_went_away_meanwhile_stops_nothing(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let gone = outgoing(&a, "gone", target.core_logic, &[]);
    let mut intake = batch(&target, &[event(&a, "1")]);
    intake.events[0].1.push(delivery(&gone, &event(&a, "1")));
    let taken = kept.store.take_in(0, 2, &intake, id(), kept.after(30), kept.now()).await.unwrap().unwrap();
    assert_eq!(taken, vec![intake.events[0].1[0].execution.id]);
}
