//! Which calls came before; and what only a store does with it.

use std::sync::Arc;

use tidegate_model::contract::{Claimed, Repeats};
use tidegate_model::{Clock as _, Json};

use crate::harness::{Kept, on_every_store};
use crate::repeats_suite;
use crate::samples::{tenant, tenant_id};

on_every_store!(repeats_hold, entries_are_pruned_once_their_time_is_over_and_end_with_their_tenant);

async fn repeats_hold(kept: &Kept) {
    for name in ["a", "b"] {
        kept.store.insert_tenant(&tenant(name)).await.unwrap();
    }
    let (a, b) = (tenant_id("a"), tenant_id("b"));
    let other = kept.another_handle().await;
    repeats_suite::holds(&kept.repeats, &other, [&a, &b]).await;
}

async fn entries_are_pruned_once_their_time_is_over_and_end_with_their_tenant(kept: &Kept) {
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    let a = tenant_id("a");
    let repeats: &Arc<dyn Repeats> = &kept.repeats;
    let now = kept.clock.now();
    for (key, until) in [("1", 10), ("2", 10), ("3", 20)] {
        let claim = repeats_suite::call(&a, key, "x");
        assert_eq!(repeats.claim(&claim, now, kept.after(5)).await.unwrap(), Claimed::First);
        repeats.settle(&claim, &Json::empty_object(), kept.after(until)).await.unwrap();
    }
    assert_eq!(kept.store.prune_repeats(kept.after(9), 10).await.unwrap(), 0);
    assert_eq!(kept.store.prune_repeats(kept.after(10), 1).await.unwrap(), 1);
    assert_eq!(kept.store.prune_repeats(kept.after(10), 9).await.unwrap(), 1);
    let third = repeats_suite::call(&a, "3", "x");
    assert!(matches!(repeats.claim(&third, now, kept.after(5)).await.unwrap(), Claimed::Answered(_)));

    kept.store.delete_tenant(&a).await.unwrap();
    assert_eq!(repeats.claim(&third, now, kept.after(5)).await.unwrap(), Claimed::First, "there is nobody to ask");
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    assert_eq!(repeats.claim(&third, now, kept.after(5)).await.unwrap(), Claimed::First);
}
