//! Entries of the log that became no events.

use chrono::TimeDelta;
use tidegate_model::contract::Incomprehensible;
use tidegate_model::{AsideId, Error, PageOf, TenantId};
use tidegate_storage::contract::{AsideEntry, Intake};

use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, with_target};
use crate::samples::{event, id, tenant, tenant_id};

on_every_store!(
    what_is_no_event_is_kept_and_comes_back_whatever_its_bytes,
    each_tenant_sees_its_own_and_nobodys_are_apart,
    an_entry_is_deleted_once_by_whom_it_belongs_to,
    old_entries_are_pruned_a_few_at_a_time,
    an_event_of_a_tenant_that_is_not_there_refuses_the_batch,
);

fn entry(kept: &Kept, tenant: Option<&str>, subject: &str) -> AsideEntry {
    AsideEntry {
        id: AsideId(id()),
        position: 7,
        entry: Incomprehensible {
            tenant: tenant.map(tenant_id),
            subject: subject.to_owned(),
            payload: vec![0xff, 0, 0xfe, 0xc3],
            reason: "data: expected an object".to_owned(),
            time: kept.now(),
        },
    }
}

async fn keep(kept: &Kept, entries: &[AsideEntry]) {
    let from = kept.store.intake_position().await.unwrap();
    let intake = Intake { aside: entries.to_vec(), ..Intake::default() };
    let taken = kept.store.take_in(from, from + 1, &intake, id(), kept.now(), kept.now()).await.unwrap();
    assert_eq!(taken, Some(vec![]));
}

async fn subjects(kept: &Kept, whose: Option<&TenantId>) -> Vec<String> {
    let page = kept.store.aside_entries(whose, PageOf { first: 100, after: None }).await.unwrap();
    assert_eq!(page.total, u64::try_from(page.data.len()).unwrap());
    page.data.into_iter().map(|kept| kept.entry.subject).collect()
}

async fn what_is_no_event_is_kept_and_comes_back_whatever_its_bytes(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let mut one = entry(kept, Some("a"), "events.a.Order.explode\0");
    one.entry.reason.push('\0');
    keep(kept, std::slice::from_ref(&one)).await;
    one.entry.subject = one.entry.subject.replace('\0', "\u{fffd}");
    one.entry.reason = one.entry.reason.replace('\0', "\u{fffd}");
    assert_eq!(kept.store.aside_entry(Some(&a), one.id).await.unwrap(), Some(one));
}

async fn each_tenant_sees_its_own_and_nobodys_are_apart(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let all = [
        entry(kept, Some("a"), "a 1"),
        entry(kept, Some("b"), "b"),
        entry(kept, Some("nowhere"), "nowhere"),
        entry(kept, None, "nobody"),
        entry(kept, Some("a"), "a 2"),
    ];
    keep(kept, &all).await;
    assert_eq!(subjects(kept, Some(&a)).await, ["a 2", "a 1"]);
    assert_eq!(subjects(kept, Some(&tenant_id("b"))).await, ["b"]);
    assert_eq!(subjects(kept, None).await, ["nobody", "nowhere"]);
    assert!(subjects(kept, Some(&tenant_id("nowhere"))).await.is_empty());
    assert_eq!(kept.store.aside_entry(Some(&a), all[1].id).await.unwrap(), None);
    assert_eq!(kept.store.aside_entry(None, all[0].id).await.unwrap(), None);
    assert!(kept.store.aside_entry(None, all[2].id).await.unwrap().unwrap().entry.tenant.is_none());
    let page = kept.store.aside_entries(Some(&a), PageOf { first: 1, after: None }).await.unwrap();
    assert!(page.has_next && page.data[0].id == all[4].id);
    let page = kept.store.aside_entries(Some(&a), PageOf { first: 1, after: Some(all[4].id) }).await.unwrap();
    assert!(!page.has_next && page.data[0].id == all[0].id);
    // Who comes later has nothing of those before, and a deleted tenant's go with it.
    kept.store.insert_tenant(&tenant("nowhere")).await.unwrap();
    assert!(subjects(kept, Some(&tenant_id("nowhere"))).await.is_empty());
    kept.store.delete_tenant(&a).await.unwrap();
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    assert!(subjects(kept, Some(&a)).await.is_empty());
}

async fn an_entry_is_deleted_once_by_whom_it_belongs_to(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    let one = entry(kept, Some("a"), "one");
    keep(kept, std::slice::from_ref(&one)).await;
    assert_eq!(kept.store.delete_aside_entry(None, one.id).await.unwrap(), None);
    assert_eq!(kept.store.delete_aside_entry(Some(&tenant_id("b")), one.id).await.unwrap(), None);
    assert_eq!(kept.store.delete_aside_entry(Some(&a), one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.delete_aside_entry(Some(&a), one.id).await.unwrap(), None);
}

async fn old_entries_are_pruned_a_few_at_a_time(kept: &Kept) {
    with_target(kept).await;
    let old: Vec<_> = (0..5).map(|n| entry(kept, None, &n.to_string())).collect();
    keep(kept, &old).await;
    kept.clock.advance(TimeDelta::seconds(1));
    keep(kept, &[entry(kept, None, "young")]).await;
    assert_eq!(kept.store.prune_aside(kept.after(-1), 10).await.unwrap(), 0);
    assert_eq!(kept.store.prune_aside(kept.now(), 3).await.unwrap(), 3);
    assert_eq!(kept.store.prune_aside(kept.now(), 3).await.unwrap(), 2);
    assert_eq!(subjects(kept, None).await, ["young"]);
}

async fn an_event_of_a_tenant_that_is_not_there_refuses_the_batch(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut intake = batch(&target, &[event(&a, "1")]);
    intake.events.push((event(&tenant_id("nowhere"), "1"), vec![]));
    let refused = kept.store.take_in(0, 2, &intake, id(), kept.after(30), kept.now()).await;
    assert_eq!(refused, Err(Error::TenantNotFound("nowhere".to_owned())));
    assert_eq!(kept.store.intake_position().await.unwrap(), 0);
    assert_eq!(kept.store.event(&a, &event(&a, "1").id).await.unwrap(), None);
}
