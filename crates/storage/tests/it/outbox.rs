use tidegate_model::PageOf;

use crate::harness::{Kept, on_every_store};
use crate::samples::{application, event, id, with_tenants};

on_every_store!(
    events_leave_in_the_order_of_their_changes,
    only_one_process_relays_at_a_time,
    a_commit_wakes_the_relay,
    what_was_refused_leaves_no_event,
);

async fn change(kept: &Kept, event_id: &str) {
    let a = crate::samples::tenant_id("a");
    kept.store.insert_application(&application(&a, event_id), &event(&a, event_id)).await.unwrap();
}

async fn events_leave_in_the_order_of_their_changes(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let relay = id();
    assert_eq!(kept.store.outbox_claim(relay, kept.now(), 10).await.unwrap(), Some(vec![]));
    for name in ["1", "2", "3"] {
        change(kept, name).await;
    }
    let claimed = kept.store.outbox_claim(relay, kept.now(), 2).await.unwrap().unwrap();
    assert_eq!(claimed.iter().map(|(_, e)| e).collect::<Vec<_>>(), [&event(&a, "1"), &event(&a, "2")]);
    let again = kept.store.outbox_claim(relay, kept.now(), 2).await.unwrap().unwrap();
    assert_eq!(again, claimed);
    kept.store.outbox_done(&[claimed[0].0, claimed[1].0]).await.unwrap();
    let rest = kept.store.outbox_claim(relay, kept.now(), 2).await.unwrap().unwrap();
    assert_eq!(rest.iter().map(|(_, e)| e.id.as_str()).collect::<Vec<_>>(), ["3"]);
    kept.store.outbox_done(&[]).await.unwrap();
    kept.store.outbox_done(&[rest[0].0]).await.unwrap();
    assert_eq!(kept.store.outbox_claim(relay, kept.now(), 2).await.unwrap(), Some(vec![]));
}

async fn only_one_process_relays_at_a_time(kept: &Kept) {
    with_tenants(kept, &["a"]).await;
    change(kept, "1").await;
    let (one, two) = (id(), id());
    assert_eq!(kept.store.outbox_claim(one, kept.now(), 1).await.unwrap().unwrap().len(), 1);
    assert_eq!(kept.store.outbox_claim(two, kept.after(9), 1).await.unwrap(), None);
    assert_eq!(kept.store.outbox_claim(one, kept.after(9), 1).await.unwrap().unwrap().len(), 1);
    assert_eq!(kept.store.outbox_claim(two, kept.after(18), 1).await.unwrap(), None);
    assert_eq!(kept.store.outbox_claim(two, kept.after(19), 1).await.unwrap().unwrap().len(), 1);
    assert_eq!(kept.store.outbox_claim(one, kept.after(20), 1).await.unwrap(), None);
}

async fn a_commit_wakes_the_relay(kept: &Kept) {
    with_tenants(kept, &["a"]).await;
    // Both ends of the contract: woken by the commit or by time, it returns, and the event is there.
    let (_woken, ()) = tokio::join!(kept.store.outbox_wake(), change(kept, "1"));
    assert_eq!(kept.store.outbox_claim(id(), kept.now(), 1).await.unwrap().unwrap().len(), 1);
    kept.store.outbox_wake().await;
}

async fn what_was_refused_leaves_no_event(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    change(kept, "1").await;
    kept.store.insert_application(&application(&a, "1"), &event(&a, "again")).await.unwrap_err();
    assert_eq!(kept.store.outbox_claim(id(), kept.now(), 10).await.unwrap().unwrap().len(), 1);
    assert_eq!(kept.store.applications(&a, PageOf { first: 10, after: None }).await.unwrap().total, 1);
}
