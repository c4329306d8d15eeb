//! Roles apart know each other by client credentials of their own.

use serde_json::{Value, json};

use crate::harness::api::{Admin, http};
use crate::harness::{Api, Mode, Tidegate, eventually};

const GATEWAY: usize = 2;

/// What the gateway answers to a key that it has to ask for.
async fn asked(tidegate: &Tidegate, key: &str) -> u16 {
    http().post(tidegate.gateway(&format!("/webhook/{key}"))).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_client_is_removed_is_no_peer_any_longer_and_another_client_makes_it_one() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let listed = tidegate.command(0, &["services", "list"]).out;
    let names: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next_back()).collect();
    assert_eq!(names, ["director", "webhook-gateway", "outgoing-dispatcher"]);
    assert_eq!(asked(&tidegate, "first").await, 404);

    let client = tidegate.setting(GATEWAY, "PEERS__CLIENT_ID").to_owned();
    assert_eq!(tidegate.command(0, &["services", "remove", &client]).code, Some(0));
    assert_ne!(tidegate.command(0, &["services", "remove", &client]).code, Some(0), "it is gone");
    let mut number = 0;
    eventually("the director knows it no longer", || {
        number += 1;
        let key = format!("other-{number}");
        let tidegate = &tidegate;
        async move { (asked(tidegate, &key).await >= 500).then_some(()) }
    })
    .await;

    let made = tidegate.command(0, &["services", "add", "webhook-gateway"]).out;
    let told = |key: &str| made.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
    let (id, secret) = (told("peers.client_id"), told("peers.client_secret"));
    tidegate.replace(GATEWAY, &[("PEERS__CLIENT_ID", &id), ("PEERS__CLIENT_SECRET", &secret)]).await;
    assert_eq!(asked(&tidegate, "last").await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_services_client_opens_nothing_but_its_peers() {
    let Some(tidegate) = Tidegate::start(Mode::Apart).await else { return };
    tidegate.api().await.make_tenant("acme", &[]).await;
    let client = Admin {
        client_id: tidegate.setting(GATEWAY, "PEERS__CLIENT_ID").to_owned(),
        client_secret: tidegate.setting(GATEWAY, "PEERS__CLIENT_SECRET").to_owned(),
    };
    let service = Api::sign_in(&tidegate.credentials("/oauth2/token"), tidegate.director(""), &client).await;
    for query in ["{ tenants { totalCount } }", "{ integrationSystems { totalCount } }"] {
        assert_eq!(service.refused(query, json!({})).await, 23, "{query}");
    }
    assert_eq!(service.in_tenant("acme").refused("{ logics { totalCount } }", json!({})).await, 23);
    // It may not ask about others' tokens, or end them.
    let admin = tidegate.api().await;
    let told: Value = http()
        .post(tidegate.credentials("/oauth2/introspect"))
        .form(&[("token", &admin.token)])
        .basic_auth(&client.client_id, Some(&client.client_secret))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told, json!({ "active": false }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_go_on_while_the_credentials_role_is_away() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    assert_eq!(asked(&tidegate, "first").await, 404);
    tidegate.kill(0);
    for number in 0..5 {
        assert_eq!(
            asked(&tidegate, &format!("away-{number}")).await,
            404,
            "its token lives, and the director knows its keys"
        );
    }
    tidegate.resume().await;
    assert_eq!(asked(&tidegate, "again").await, 404);
}
