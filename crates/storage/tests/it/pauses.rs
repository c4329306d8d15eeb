//! Integrations whose deliveries wait, and since when their calls fail.

use tidegate_model::{Direction, EventType, Integration, IntegrationId, Pause, PauseReason, TenantId, Timestamp};

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, id, logic, outgoing, tenant_id, with_tenants};

on_every_store!(
    an_integration_is_paused_once_and_resumed_once_each_with_its_event,
    another_url_ends_a_pause_and_another_change_does_not,
    the_first_failure_after_an_arrival_is_remembered,
);

async fn with_integration(kept: &Kept) -> (TenantId, Integration) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = logic(&a, "core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let one = outgoing(&a, "one", core.id, &[("Order", EventType::Create)]);
    kept.store.insert_integration(&one, None, &any_event(&a)).await.unwrap();
    (a, one)
}

async fn paused(kept: &Kept, integration: &Integration) -> Option<Pause> {
    kept.store.integration(&integration.tenant, integration.id).await.unwrap().unwrap().paused
}

async fn events(kept: &Kept) -> usize {
    kept.store.outbox_claim(id(), kept.now(), 1000).await.unwrap().map_or(0, |all| all.len())
}

fn gone(since: Timestamp) -> Pause {
    Pause { reason: PauseReason::Gone, since }
}

async fn an_integration_is_paused_once_and_resumed_once_each_with_its_event(kept: &Kept) {
    let (a, one) = with_integration(kept).await;
    assert!(!kept.store.resume(&a, one.id, &any_event(&a)).await.unwrap());
    assert!(!kept.store.pause(&tenant_id("b"), one.id, gone(kept.now()), &any_event(&a)).await.unwrap());
    let pause = gone(kept.now());
    assert!(kept.store.pause(&a, one.id, pause, &any_event(&a)).await.unwrap());
    let later = Pause { reason: PauseReason::Failing, since: kept.after(9) };
    assert!(!kept.store.pause(&a, one.id, later, &any_event(&a)).await.unwrap());
    assert_eq!(paused(kept, &one).await, Some(pause));
    let runnable = kept.store.runnable(&a, one.id).await.unwrap().unwrap();
    assert_eq!(runnable.integration.paused, Some(pause));
    let other = IntegrationId(id());
    assert_eq!(kept.store.paused(&[other, one.id]).await.unwrap(), [one.id]);
    assert_eq!(events(kept).await, 3, "of the Logic, the Integration, and its pause");

    assert!(kept.store.resume(&a, one.id, &any_event(&a)).await.unwrap());
    assert!(!kept.store.resume(&a, one.id, &any_event(&a)).await.unwrap());
    assert_eq!((paused(kept, &one).await, kept.store.paused(&[one.id]).await.unwrap()), (None, vec![]));
}

async fn another_url_ends_a_pause_and_another_change_does_not(kept: &Kept) {
    let (a, mut one) = with_integration(kept).await;
    let pause = gone(kept.now());
    assert!(kept.store.pause(&a, one.id, pause, &any_event(&a)).await.unwrap());
    one.description = Some("changed".to_owned());
    kept.store.update_integration(&one, &any_event(&a)).await.unwrap();
    assert_eq!(paused(kept, &one).await, Some(pause));
    let Direction::Outgoing { url, .. } = &mut one.direction else { panic!("it is OUTGOING") };
    url.push_str("/elsewhere");
    kept.store.update_integration(&one, &any_event(&a)).await.unwrap();
    assert_eq!(paused(kept, &one).await, None);
}

async fn the_first_failure_after_an_arrival_is_remembered(kept: &Kept) {
    let (a, one) = with_integration(kept).await;
    let failed = async |seconds| kept.store.note_failure(&a, one.id, kept.after(seconds)).await.unwrap();
    assert_eq!(failed(1).await, Some(kept.after(1)));
    assert_eq!(failed(5).await, Some(kept.after(1)));
    kept.store.note_arrival(&a, one.id).await.unwrap();
    assert_eq!(failed(9).await, Some(kept.after(9)));
    assert_eq!(kept.store.note_failure(&tenant_id("b"), one.id, kept.now()).await.unwrap(), None);
}
