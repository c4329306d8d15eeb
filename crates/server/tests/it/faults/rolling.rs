//! A new version comes in: each process is stopped and started in turn, under load, and nobody's request fails.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;

use super::load::{Accepted, Load};
use super::tally::{Tally, ended};
use super::{IN, OUT};
use crate::harness::{Sink, Tidegate};

/// How often each process is restarted, unless `TIDEGATE_TEST_FAULTS` asks for more.
fn rounds() -> usize {
    std::env::var("TIDEGATE_TEST_FAULTS").map_or(1, |text| (text.parse::<usize>().unwrap() / 10).max(1))
}

/// A client that keeps its connections.
fn keeping() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // The provider of its TLS is the other client's.
        let _ = crate::harness::api::http();
        reqwest::Client::builder().no_proxy().build().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_is_restarted_in_turn_under_load_and_no_request_fails() {
    // It lingers for longer than a balancer on a busy machine takes from asking whether it is ready to handing a call over.
    // On a busy machine a script waits too.
    let settings = [("OAUTH2__TOKEN_LIFETIME", "12h"), ("HTTP__LINGER", "4s"), ("SCRIPTS__INCOMING_TIMEOUT", "30s")];
    let Some(mut tidegate) = Tidegate::start_in_pairs(&settings).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let created = [("Order", "CREATE")];
    let steady = acme.make_outgoing("steady", OUT, &sink.url("/steady"), &created, json!({})).await;

    let webhook = shop["webhookUrl"].as_str().unwrap();
    let mut load = Load::begin(webhook, &acme, Duration::from_mins(1));
    let url = webhook.to_owned();
    load.also("k", load.webhooks.clone(), move |id| keeping().post(&url).json(&json!({ "id": id })));
    let (url, admin) = (tidegate.credentials("/oauth2/token"), tidegate.admin());
    let (id, secret) = (admin.client_id.clone(), admin.client_secret.clone());
    let tokens = Accepted::default();
    load.also("t", tokens.clone(), move |_| {
        keeping().post(&url).basic_auth(&id, Some(&secret)).form(&[("grant_type", "client_credentials")])
    });
    let (api, reads) = (acme.clone(), Accepted::default());
    load.also("g", reads.clone(), move |_| {
        api.post("/graphql").json(&json!({ "query": "{ integrations { totalCount } }" }))
    });

    for round in 0..rounds() {
        for which in 0..tidegate.parts() {
            load.goes_on(5).await;
            let ended = tidegate.restart(which).await;
            assert_eq!(ended.code(), Some(0), "round {round}, process {which}");
            let refused = load.refused();
            assert!(refused.is_empty(), "round {round}, process {which}: {refused:#?}\n{:#?}", tidegate.said());
        }
    }
    load.goes_on(5).await;
    let asked = load.end().await;
    assert_eq!(load.refused(), Vec::<String>::new());

    let (webhooks, events) = (load.webhooks.all(), load.events.all());
    assert_eq!(asked as usize, webhooks.len() + events.len() + tokens.len() + reads.len(), "each has its answer");
    let runs = ended(&acme, &shop, &webhooks).await;
    let all: BTreeSet<String> = webhooks.union(&events).cloned().collect();
    let records = ended(&acme, &steady, &all).await;
    let tally = Tally::of(&records, &sink.answered("/steady"), &all);
    eprintln!("{asked} asked for and answered, {} runs on record, {tally:?}", runs.len());
    assert_eq!((runs.len(), tally.arrived), (webhooks.len(), all.len()), "each once: {tally:?}");
    for given in tidegate.given() {
        assert!(given.iter().all(|given| *given > 0), "both replicas had calls: {given:?}");
    }
}
