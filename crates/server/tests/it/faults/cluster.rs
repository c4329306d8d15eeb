//! Three brokers keep what each of them was given, and any of them may die.

use std::collections::BTreeSet;

use serde_json::json;

use super::load::Load;
use super::tally::{Tally, done, ended};
use super::{IN, OUT, PATIENCE, SETTINGS};
use crate::harness::api::http;
use crate::harness::cluster::Cluster;
use crate::harness::{Mode, Sink, Tidegate, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_broker_of_three_dies_and_nothing_that_was_accepted_is_lost() {
    let Some(servers) = crate::harness::servers::Servers::start("three brokers").await else { return };
    drop(servers);
    let mut cluster = Cluster::start().await;
    let url = cluster.url();
    let settings: Vec<_> = SETTINGS.into_iter().chain([("BUS__URL", url.as_str()), ("BUS__REPLICAS", "3")]).collect();
    let Some(tidegate) = Tidegate::start_with(Mode::Apart, &settings).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let created = [("Order", "CREATE")];
    let steady = acme.make_outgoing("steady", OUT, &sink.url("/steady"), &created, json!({})).await;
    for stream in ["TIDEGATE_EVENTS", "TIDEGATE_RECORDS", "TIDEGATE_REPEATS"] {
        let found = cluster.streams().await.unwrap().get_stream(stream).await.unwrap();
        assert_eq!(found.cached_info().config.num_replicas, 3, "{stream}");
    }

    let mut load = Load::begin(shop["webhookUrl"].as_str().unwrap(), &acme, PATIENCE);
    for stream in ["TIDEGATE_EVENTS", "TIDEGATE_RECORDS"] {
        load.goes_on(10).await;
        let leader = cluster.leader_of(stream).await;
        cluster.kill(leader);
        load.goes_on(10).await;
        cluster.resume(leader);
        all_have(&cluster, stream).await;
    }
    load.goes_on(10).await;
    let asked = load.end().await;

    let (webhooks, events) = (load.webhooks.all(), load.events.all());
    let runs = ended(&acme, &shop, &webhooks).await;
    let mut all: BTreeSet<String> = webhooks.union(&events).cloned().collect();
    all.extend(done(&runs));
    let records = ended(&acme, &steady, &all).await;
    let tally = Tally::of(&records, &sink.answered("/steady"), &all);
    eprintln!("{asked} asked for; accepted {} webhooks, {} events; {tally:?}", webhooks.len(), events.len());

    // One that is left alone takes nothing, and its gateways say so.
    cluster.kill(0);
    cluster.kill(1);
    readiness(&tidegate, 503).await;
    cluster.resume(0);
    cluster.resume(1);
    readiness(&tidegate, 200).await;
}

async fn readiness(tidegate: &Tidegate, status: u16) {
    eventually("the gateway's readiness", || async {
        let asked = http().get(tidegate.gateway("/readyz")).send().await.unwrap();
        (asked.status() == status).then_some(())
    })
    .await;
}

/// Waits until each of the three has all of it again.
async fn all_have(cluster: &Cluster, stream: &str) {
    eventually("three that have it all", || async {
        let mut found = cluster.streams().await?.get_stream(stream).await.ok()?;
        let info = found.info().await.ok()?.cluster.as_ref()?;
        let others = info.replicas.iter().filter(|other| other.current && !other.offline).count();
        (info.leader.is_some() && others == 2).then_some(())
    })
    .await;
}
