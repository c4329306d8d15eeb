//! How long things are kept.

use super::*;

pub(super) async fn older_records_go() {
    let mut running = together(&[("RECORDS__RETENTION", "1ms")]).await;
    let acme = acme(&running).await;
    let incoming = acme.make_incoming("shop", "return {}", json!({})).await;
    assert_eq!(post(&incoming).await, 200);
    // Housekeeping comes first thing after a start.
    running.stop().await;
    running.resume().await;
    let acme = running.api().await.in_tenant("acme");
    eventually("the record is gone", || async { acme.executions(&incoming).await.is_empty().then_some(()) }).await;
}

pub(super) async fn older_entries_of_the_log_go() {
    let mut running = together(&[("AUDIT__RETENTION", "1ms")]).await;
    let acme = acme(&running).await;
    let log = "{ auditLog { data { id operation } } }";
    acme.ask("mutation { createObjectType(in: {name: \"Audited\"}) { id } }", json!({})).await;
    // Housekeeping comes first thing after a start.
    running.stop().await;
    running.resume().await;
    let acme = running.api().await.in_tenant("acme");
    let is_gone = async || {
        let left = acme.ask(log, json!({})).await["auditLog"]["data"].take();
        left.as_array().unwrap().is_empty().then_some(())
    };
    eventually("the entry is gone", is_gone).await;
}
