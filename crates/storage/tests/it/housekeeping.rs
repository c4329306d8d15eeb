use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use tidegate_model::contract::WebhookKeyHash;
use tidegate_model::{ClientOwner, Error, EventType, ExecutionFilter, PageOf};
use tidegate_storage::contract::{ObjectWrite, WebhookKeyRow, Whose};

use crate::harness::{Kept, on_every_store, start};
use crate::intake::{batch, with_target};
use crate::samples::{
    any_event, application, client, event, execution, id, incoming, logic, object, object_type, outgoing, runtime,
    tenant, tenant_id, type_name,
};

on_every_store!(
    a_deleted_tenant_leaves_nothing,
    a_tenant_is_deleted_while_its_things_are_made_and_ended,
    old_records_are_pruned_a_few_at_a_time,
    records_are_appended_while_old_ones_are_pruned,
    events_are_pruned_unless_a_delivery_needs_them,
    a_database_has_one_name_for_good,
    what_is_leased_is_one_holders_until_its_time_or_its_word,
    a_closed_store_is_not_available,
);

async fn a_deleted_tenant_leaves_nothing(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let (app, run) = (application(&a, "app"), runtime(&a, "run"));
    kept.store.insert_application(&app, &any_event(&a)).await.unwrap();
    kept.store.insert_runtime(&run, &any_event(&a)).await.unwrap();
    let one = client(ClientOwner::Runtime(a.clone(), run.id));
    kept.store.insert_client(&one).await.unwrap();
    let mut hook = incoming(&a, "hook", target.core_logic);
    hook.enable_logic = Some(target.core_logic);
    let key = WebhookKeyRow { hash: WebhookKeyHash::of("k"), sealed: vec![1] };
    kept.store.insert_integration(&hook, Some(&key), &any_event(&a)).await.unwrap();
    let listener = outgoing(&a, "listener", target.core_logic, &[("Order", EventType::Create)]);
    kept.store.insert_integration(&listener, None, &any_event(&a)).await.unwrap();
    kept.store.insert_object_type(&object_type(&a, "Order")).await.unwrap();
    let write = ObjectWrite { object: object(&a, "1", "{}"), expected: None, delete: false, event: any_event(&a) };
    kept.store.write_objects(&[write]).await.unwrap();
    let intake = batch(&target, &[event(&a, "1"), event(&a, "2")]);
    kept.store.take_in(0, 2, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    kept.store.append_executions(&[execution(&target)]).await.unwrap();
    kept.store.insert_application(&application(&tenant_id("b"), "app"), &any_event(&tenant_id("b"))).await.unwrap();

    kept.store.delete_tenant(&a).await.unwrap().unwrap();
    for again in [false, true] {
        if again {
            kept.store.insert_tenant(&tenant("a")).await.unwrap();
        }
        assert!(kept.store.client(one.id).await.unwrap().is_none());
        assert_eq!(kept.store.application(&a, app.id).await.unwrap(), None);
        assert_eq!(kept.store.logics(&a, PageOf { first: 1, after: None }).await.unwrap().total, 0);
        assert_eq!(kept.store.integrations(&a, PageOf { first: 1, after: None }).await.unwrap().total, 0);
        let objects = kept.store.objects(&a, &type_name("Order"), PageOf { first: 1, after: None }).await.unwrap();
        assert_eq!(objects.total, 0);
        assert_eq!(kept.store.object_types(&a).await.unwrap(), vec![]);
        assert_eq!(kept.store.event(&a, &event(&a, "1").id).await.unwrap(), None);
        assert_eq!(kept.store.count_executions(&a, &ExecutionFilter::default()).await.unwrap(), 0);
        assert!(kept.store.claim(id(), kept.after(99), kept.after(199), 9, Whose::Anybodys).await.unwrap().is_empty());
    }
    let left = kept.store.outbox_claim(id(), kept.now(), 100).await.unwrap().unwrap();
    assert!(left.iter().all(|(_, event)| event.tenant == tenant_id("b")) && left.len() == 1, "{left:?}");
}

async fn a_tenant_is_deleted_while_its_things_are_made_and_ended(kept: &Kept) {
    let (a, _) = with_target(kept).await;
    kept.store.delete_tenant(&a).await.unwrap();
    for _ in 0..15 {
        kept.store.insert_tenant(&tenant("a")).await.unwrap();
        let core = logic(&a, "core");
        kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
        let target = outgoing(&a, "target", core.id, &[]);
        kept.store.insert_integration(&target, None, &any_event(&a)).await.unwrap();
        kept.store.insert_object_type(&object_type(&a, "Order")).await.unwrap();
        let (holder, position) = (id(), kept.store.intake_position().await.unwrap());
        let (open, late) = (batch(&target, &[event(&a, "open")]), batch(&target, &[event(&a, "late")]));
        let took = kept.store.take_in(position, position + 1, &open, holder, kept.after(30), kept.now()).await;
        assert_eq!(took.unwrap().unwrap().len(), 1);
        let ended = [open.events[0].1[0].execution.clone()];
        let write = ObjectWrite { object: object(&a, "1", "{}"), expected: None, delete: false, event: any_event(&a) };
        let (writes, records, changed) = ([write], [execution(&target)], any_event(&a));
        let (deleted, taken, finished, appended, written, updated) = tokio::join!(
            kept.store.delete_tenant(&a),
            kept.store.take_in(position + 1, position + 2, &late, holder, kept.after(30), kept.now()),
            kept.store.finish(&ended, holder),
            kept.store.append_executions(&records),
            kept.store.write_objects(&writes),
            kept.store.update_integration(&target, &changed),
        );
        deleted.unwrap().unwrap();
        assert!(matches!(taken, Ok(Some(_)) | Err(Error::TenantNotFound(_))), "{taken:?}");
        finished.unwrap();
        appended.unwrap();
        assert!(matches!(written, Ok(_) | Err(Error::NotFound { .. })), "{written:?}");
        assert!(matches!(updated, Ok(()) | Err(Error::NotFound { .. })), "{updated:?}");
        assert!(kept.store.claim(id(), kept.after(99), kept.after(199), 9, Whose::Anybodys).await.unwrap().is_empty());
    }
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    assert_eq!(kept.store.count_executions(&a, &ExecutionFilter::default()).await.unwrap(), 0);
    assert_eq!(kept.store.outbox_claim(id(), kept.now(), 100).await.unwrap(), Some(vec![]));
}

async fn old_records_are_pruned_a_few_at_a_time(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut records: Vec<_> = (0..5).map(|_| execution(&target)).collect();
    records[4].started_at = kept.after(1);
    kept.store.append_executions(&records).await.unwrap();
    assert_eq!(kept.store.prune_executions(kept.now(), 10).await.unwrap(), 0);
    assert_eq!(kept.store.prune_executions(kept.after(1), 3).await.unwrap(), 3);
    assert_eq!(kept.store.prune_executions(kept.after(1), 3).await.unwrap(), 1);
    assert_eq!(kept.store.execution(&a, records[0].id).await.unwrap(), None);
    assert!(kept.store.execution(&a, records[4].id).await.unwrap().is_some());
}

async fn records_are_appended_while_old_ones_are_pruned(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut old: Vec<_> = (0..2000).map(|_| execution(&target)).collect();
    for record in &mut old {
        record.started_at = kept.after(-1);
    }
    kept.store.append_executions(&old).await.unwrap();
    let appended = AtomicUsize::new(0);
    let pruning = async {
        let mut beside = 0;
        loop {
            let seen = appended.load(Ordering::SeqCst);
            let gone = kept.store.prune_executions(kept.now(), 100).await.unwrap();
            if gone == 0 {
                return beside;
            }
            // The next step waits until somebody has written beside this one.
            while appended.load(Ordering::SeqCst) == seen {
                tokio::task::yield_now().await;
            }
            beside += 1;
        }
    };
    let appending = async {
        loop {
            kept.recorder.append(execution(&target)).await.unwrap();
            appended.fetch_add(1, Ordering::SeqCst);
        }
    };
    let beside = tokio::select! {
        beside = pruning => beside,
        () = appending => unreachable!(),
    };
    assert_eq!(beside, 20, "every step of the pruning let somebody write");
    let left = kept.store.count_executions(&a, &ExecutionFilter::default()).await.unwrap();
    assert!(left >= 20, "{left}");
}

async fn events_are_pruned_unless_a_delivery_needs_them(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut intake = batch(&target, &[event(&a, "needed")]);
    intake.events.extend([(event(&a, "1"), vec![]), (event(&a, "2"), vec![])]);
    kept.store.take_in(0, 3, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    if let Some(log) = &kept.log {
        log.publish(&event(&a, "1")).await.unwrap();
    }
    kept.clock.advance(TimeDelta::seconds(1));
    assert_eq!(kept.store.prune_events(start(), 10).await.unwrap(), 0);
    let logged = u64::from(kept.log.is_some());
    assert_eq!(kept.store.prune_events(kept.now(), 1).await.unwrap(), 1);
    assert_eq!(kept.store.prune_events(kept.now(), 10).await.unwrap(), 1 + logged);
    assert!(kept.store.event(&a, &event(&a, "needed").id).await.unwrap().is_some());
    assert_eq!(kept.store.event(&a, &event(&a, "1").id).await.unwrap(), None);
}

async fn a_database_has_one_name_for_good(kept: &Kept) {
    let (one, two) = (id(), id());
    assert_eq!(kept.store.installation(one).await.unwrap(), one);
    assert_eq!(kept.store.installation(two).await.unwrap(), one);
}

async fn what_is_leased_is_one_holders_until_its_time_or_its_word(kept: &Kept) {
    let (one, two) = (id(), id());
    assert!(kept.store.lease("streams", one, kept.now(), kept.after(60)).await.unwrap());
    assert!(!kept.store.lease("streams", two, kept.after(59), kept.after(119)).await.unwrap());
    assert!(kept.store.lease("another", two, kept.after(59), kept.after(119)).await.unwrap());
    assert!(kept.store.lease("streams", two, kept.after(60), kept.after(120)).await.unwrap());
    assert!(!kept.store.lease("streams", one, kept.after(61), kept.after(121)).await.unwrap());
    // Who has it gives it back.
    assert!(kept.store.lease("streams", two, kept.after(62), kept.after(62)).await.unwrap());
    assert!(kept.store.lease("streams", one, kept.after(62), kept.after(122)).await.unwrap());
}

async fn a_closed_store_is_not_available(kept: &Kept) {
    kept.store.ping().await.unwrap();
    kept.store.close().await;
    assert!(matches!(kept.store.ping().await, Err(Error::Unavailable(_))));
    let refused = kept.recorder.append(execution(&incoming(&tenant_id("a"), "x", tidegate_model::LogicId(id())))).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}
