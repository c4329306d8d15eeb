//! SIGKILL at any moment, and nothing that was accepted is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::harness::api::http;
use crate::harness::{Mode, Sink, Tidegate, eventually, in_every_mode};

in_every_mode!(killed_at_any_moment_it_loses_nothing);

const IN: &str = "objects.create('Order', { n = parameters.n }, parameters.id) return { id = parameters.id }";
const OUT: &str = "return { body = { id = object.id } }";

async fn killed_at_any_moment_it_loses_nothing(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let incoming = acme.make_incoming("shop", IN, json!({})).await;
    let outgoing = acme.make_outgoing("erp", OUT, &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;

    let accepted: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (number, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (url, accepted) = (incoming["webhookUrl"].as_str().unwrap().to_owned(), Arc::clone(&accepted));
            let (number, done) = (Arc::clone(&number), Arc::clone(&done));
            tokio::task::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let n = number.fetch_add(1, Ordering::Relaxed);
                    let id = format!("o-{n}");
                    match http().post(&url).json(&json!({ "id": id, "n": n })).send().await {
                        Ok(answer) if answer.status() == 200 => drop(accepted.lock().await.insert(id)),
                        _ => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            })
        })
        .collect();

    for round in 0..4 {
        // Another moment in each round: early, in the middle of work, late.
        let before = accepted.lock().await.len();
        let wanted = 3 + usize::try_from(rand(round) % 25).unwrap();
        eventually("calls are accepted", || async { (accepted.lock().await.len() >= before + wanted).then_some(()) })
            .await;
        tokio::time::sleep(Duration::from_millis(rand(round + 100) % 40)).await;
        if round % 2 == 0 {
            for part in 0..tidegate.parts() {
                tidegate.kill(part);
            }
        } else {
            tidegate.kill(usize::try_from(rand(round + 200) % 97).unwrap());
        }
        tidegate.resume().await;
    }
    if let Some(servers) = &mut tidegate.servers {
        servers.restart_nats();
        let before = accepted.lock().await.len();
        eventually("calls are accepted again", || async { (accepted.lock().await.len() > before + 3).then_some(()) })
            .await;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }

    let accepted = accepted.lock().await.clone();
    eventually("every accepted call's event has arrived", || async {
        let arrived: BTreeSet<String> =
            sink.calls("/erp").iter().map(|c| c.json()["id"].as_str().unwrap().to_owned()).collect();
        accepted.is_subset(&arrived).then_some(())
    })
    .await;
    let api = tidegate.api().await.in_tenant("acme");
    for (integration, field) in [(&incoming, "coreResult"), (&outgoing, "objectId")] {
        let recorded = eventually("every accepted call is on record", || async {
            let all = every_record(&api, integration, field).await;
            accepted.is_subset(&all).then_some(all)
        })
        .await;
        assert!(recorded.len() >= accepted.len());
    }
}

async fn every_record(api: &crate::harness::Api, integration: &Value, field: &str) -> BTreeSet<String> {
    let query = "query($id: ID!, $after: PageCursor) { executions(filter: { integrationID: $id, statuses: [SUCCESS] }, after: $after) {
        data { coreResult objectId } pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let told = api.ask(query, json!({ "id": integration["id"], "after": after })).await;
        for record in told["executions"]["data"].as_array().unwrap() {
            let id = if field == "objectId" { &record["objectId"] } else { &record["coreResult"]["id"] };
            all.insert(id.as_str().unwrap().to_owned());
        }
        let page = &told["executions"]["pageInfo"];
        if page["hasNextPage"] != true {
            return all;
        }
        after = page["endCursor"].clone();
    }
}

/// Other moments in each run of the tests.
fn rand(seed: u64) -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(seed)
}
