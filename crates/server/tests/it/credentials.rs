//! Third parties' secrets, from the API to the role that needs them; and the key that everything is sealed with.

use serde_json::{Value, json};

use crate::harness::command::{ended, tidegate};
use crate::harness::{Mode, Tidegate, eventually, in_every_mode};

const CREATE: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id signingSecrets { id } } }";

in_every_mode!(a_signing_secret_is_changed_without_a_gap);

async fn a_signing_secret_is_changed_without_a_gap(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let input = json!({ "name": "hook", "kind": "SIGNING", "secret": "first-secret" });
    let credential = acme.ask(CREATE, json!({ "in": input })).await["createCredential"].take();
    let (id, first) = (credential["id"].clone(), credential["signingSecrets"][0]["id"].clone());
    let signature = json!({ "scheme": "TOKEN", "credentials": ["hook"], "header": "x-token" });
    let hook =
        acme.make_incoming("hook", "return { done = true }", json!({ "incoming": { "signature": signature } })).await;
    let url = hook["webhookUrl"].as_str().unwrap().to_owned();
    let status = async |secret: &str| {
        let call = crate::harness::api::http().post(&url).header("x-token", secret).body("{}");
        call.send().await.unwrap().status().as_u16()
    };
    let becomes = async |secret: &str, expected: u16| {
        eventually("the change is in force", async || (status(secret).await == expected).then_some(())).await;
    };
    assert_eq!((status("first-secret").await, status("another").await), (200, 401));

    let add = "mutation($id: ID!) { addSigningSecret(id: $id, secret: \"second-secret\") { id } }";
    acme.ask(add, json!({ "id": id })).await;
    becomes("second-secret", 200).await;
    assert_eq!(status("first-secret").await, 200, "both are live");
    let remove = "mutation($id: ID!, $s: ID!) { removeSigningSecret(id: $id, secretID: $s) { id } }";
    acme.ask(remove, json!({ "id": id, "s": first })).await;
    becomes("first-secret", 401).await;
    assert_eq!(status("second-secret").await, 200);

    let delete = "mutation($id: ID!) { deleteCredential(id: $id) { id } }";
    assert_eq!(acme.refused(delete, json!({ "id": id })).await, 27, "the Integration names it");
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let mut running = Tidegate::start(Mode::Together).await.unwrap();
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let input = json!({ "name": "shop", "kind": "BEARER", "allowedHosts": ["api.example.com"], "secret": "t" });
    acme.ask(CREATE, json!({ "in": input })).await;
    acme.make_incoming("hook", "return {}", json!({})).await;
    running.stop().await;

    let file = running.data_dir().join("master.key");
    let old = std::fs::read_to_string(&file).unwrap();
    let url = format!("sqlite://{}", running.data_dir().join("tidegate.db").display());
    let keys = |what: &str| ended(tidegate().args(["keys", what, "--database-url", &url]));
    assert_eq!(keys("add").code, Some(0));
    let rotated = keys("rotate").out;
    for line in
        ["data keys     1 of 1 sealed anew", "webhook keys  1 of 1 sealed anew", "signing keys  1 of 1 sealed anew"]
    {
        assert!(rotated.contains(line), "{rotated}");
    }
    assert!(keys("rotate").out.contains("data keys     0 of 1 sealed anew"));
    let both = std::fs::read_to_string(&file).unwrap();
    assert_eq!((both.lines().count(), both.lines().nth(1)), (2, old.lines().next()));
    std::fs::write(&file, both.lines().next().unwrap()).unwrap();

    running.resume().await;
    let acme = running.api().await.in_tenant("acme");
    let read = acme.ask("{ credentials { data { name } } integrations { data { webhookUrl } } }", json!({})).await;
    assert_eq!(read["credentials"]["data"], json!([{ "name": "shop" }]));
    assert_ne!(read["integrations"]["data"][0]["webhookUrl"], Value::Null);
}
