//! What runs in the background: the outbox relay and retention.

use std::sync::atomic::Ordering;

use serde_json::json;
use tidegate_model::{Clock as _, Execution, ExecutionFilter, ExecutionId, SystemRandomness};

use crate::desk::{Desk, eventually};
use crate::working::Working;

const CREATE: &str = "mutation($id: ID) { createObject(objectType: \"Order\", id: $id, data: {}) { id } }";

#[tokio::test]
async fn what_was_committed_reaches_the_bus_in_order_and_once() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    for i in 0..5 {
        desk.ok(Some("acme"), CREATE, json!({ "id": i.to_string() })).await;
    }
    let running = Working::start(&desk);
    eventually(|| async { desk.published().await.len() == 5 }).await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "5" })).await;
    eventually(|| async { desk.published().await.len() == 6 }).await;
    running.stop().await;
    let order: Vec<_> = desk.published().await.iter().map(|e| e.object_id.to_string()).collect();
    assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
    desk.clock.advance(chrono::TimeDelta::seconds(11));
    assert!(desk.committed().await.is_empty(), "the outbox is empty");
}

#[tokio::test]
async fn a_bus_that_is_away_delays_and_loses_nothing() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    desk.bus.away.store(true, Ordering::SeqCst);
    let running = Working::start(&desk);
    desk.ok(Some("acme"), CREATE, json!({ "id": "1" })).await;
    desk.ok(Some("acme"), CREATE, json!({ "id": "2" })).await;
    eventually(|| async { desk.bus.refused.load(Ordering::SeqCst) >= 2 }).await;
    assert!(desk.published().await.is_empty());
    desk.bus.away.store(false, Ordering::SeqCst);
    eventually(|| async { desk.published().await.len() == 2 }).await;
    running.stop().await;
    let order: Vec<_> = desk.published().await.iter().map(|e| e.object_id.to_string()).collect();
    assert_eq!(order, ["1", "2"]);
}

#[tokio::test]
async fn records_past_their_time_are_deleted_and_others_kept() {
    let desk = Desk::with_tenants().await;
    let (integration, _) = desk.create_incoming("acme", "hook").await;
    let now = desk.clock.now();
    let old = crate::executions::record(&desk, &integration, now - chrono::TimeDelta::hours(25)).await;
    let new = crate::executions::record(&desk, &integration, now - chrono::TimeDelta::hours(23)).await;
    let running = Working::start(&desk);
    let tenant = crate::desk::tenant("acme");
    eventually(|| async { desk.store.execution(&tenant, old).await.unwrap().is_none() }).await;
    running.stop().await;
    assert!(desk.store.execution(&tenant, new).await.unwrap().is_some());
}

#[tokio::test]
async fn deleting_many_records_lets_others_in_between() {
    let desk = Desk::with_tenants().await;
    let (integration, _) = desk.create_incoming("acme", "hook").await;
    let (now, tenant) = (desk.clock.now(), crate::desk::tenant("acme"));
    let old = crate::executions::record(&desk, &integration, now - chrono::TimeDelta::hours(25)).await;
    let old = desk.store.execution(&tenant, old).await.unwrap().unwrap();
    let many: Vec<_> = (0..1200)
        .map(|_| Execution { id: ExecutionId::generate(&*desk.clock, &SystemRandomness), ..old.clone() })
        .collect();
    for some in many.chunks(100) {
        desk.store.append_executions(some).await.unwrap();
    }
    let running = Working::start(&desk);
    let mut seen_between = 0;
    loop {
        // A reader and a writer like any other: each turn is one that deleting has let in.
        let new =
            Execution { id: ExecutionId::generate(&*desk.clock, &SystemRandomness), started_at: now, ..old.clone() };
        desk.store.append_executions(&[new]).await.unwrap();
        let filter = ExecutionFilter { to: Some(now), ..ExecutionFilter::default() };
        match desk.store.count_executions(&tenant, &filter).await.unwrap() {
            0 => break,
            left => seen_between += usize::from(left < 1201),
        }
    }
    running.stop().await;
    assert!(seen_between > 0, "all of it was deleted at once");
}
