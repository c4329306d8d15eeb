//! Third parties' secrets, from the API to the role that needs them; and the key that everything is sealed with.

use serde_json::{Value, json};

use crate::harness::command::{ended, tidegate};
use crate::harness::{Mode, Sink, Tidegate, eventually, in_every_mode};

const CREATE: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id signingSecrets { id } } }";

in_every_mode!(
    a_signing_secret_is_changed_without_a_gap,
    a_script_calls_with_a_credential_that_it_never_sees_in_both_directions_and_in_trials,
);

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

async fn a_script_calls_with_a_credential_that_it_never_sees_in_both_directions_and_in_trials(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = running.api().await.make_tenant("acme", &["Order"]).await;
    let other = running.api().await.make_tenant("other", &[]).await;
    let input = json!({ "name": "shop", "kind": "BEARER", "allowedHosts": ["127.0.0.1"], "secret": "hunter2-hunter2" });
    acme.ask(CREATE, json!({ "in": input })).await;
    let source = |path: &str, answer: &str| {
        format!(
            "local answer = http.post('{}', {{ credential = 'shop', json = {{}} }})
            objects.upsert('Order', 'o-1', {{ n = 1 }})
            {answer}",
            sink.url(path)
        )
    };
    let core = source("/in", "return { status = answer.status }");
    let told =
        source("/out", "return { requestNeeded = false }").replace("objects.upsert('Order', 'o-1', { n = 1 })", "");
    let incoming = acme.make_incoming("in", &core, json!({})).await;
    let outgoing = acme.make_outgoing("out", &told, &sink.url("/x"), &[("Order", "CREATE")], json!({})).await;
    let sent = async |path: &str, count: usize| {
        let calls = sink.wait_for(path, count).await;
        assert_eq!(calls[count - 1].headers["authorization"], "Bearer hunter2-hunter2", "{path}");
    };
    let answer = crate::harness::api::http().post(incoming["webhookUrl"].as_str().unwrap()).body("{}").send().await;
    assert_eq!(answer.unwrap().json::<Value>().await.unwrap(), json!({ "status": 200 }));
    sent("/in", 1).await;
    sent("/out", 1).await;
    let read = "query($id: ID!) { execution(id: $id) { status error calls { credential requestHeaders status } } }";
    for integration in [&incoming, &outgoing] {
        let record = acme.ended(integration, 1).await.remove(0);
        let record = acme.ask(read, json!({ "id": record["id"] })).await["execution"].take();
        assert_eq!(
            (&record["status"], &record["calls"][0]["credential"]),
            (&json!("SUCCESS"), &json!("shop")),
            "{record}"
        );
        assert_eq!(record["calls"][0]["requestHeaders"]["authorization"], "***", "{record}");
    }

    let tried =
        "mutation($in: TryLogicInput!) { tryLogic(in: $in) { status error calls { credential headers sent } } }";
    let trial = json!({ "source": core, "type": "INCOMING", "sample": {} });
    let done = acme.ask(tried, json!({ "in": trial })).await["tryLogic"].take();
    assert_eq!(
        done["calls"][0],
        json!({ "credential": "shop", "headers": { "content-type": "application/json" }, "sent": false })
    );
    let trial = json!({ "source": core, "type": "INCOMING", "sample": {}, "sendHttp": true });
    let done = acme.ask(tried, json!({ "in": trial })).await["tryLogic"].take();
    assert_eq!((&done["status"], &done["calls"][0]["sent"]), (&json!("SUCCESS"), &json!(true)), "{done}");
    assert_eq!(done["calls"][0]["headers"]["authorization"], "***", "{done}");
    sent("/in", 2).await;
    let done = other.ask(tried, json!({ "in": trial })).await["tryLogic"].take();
    assert!(done["error"].as_str().unwrap().contains("there is no credential \"shop\""), "{done}");
    assert_eq!(sink.calls("/in").len(), 2);
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
    let keys = |what: &str| ended(tidegate().args(["keys"]).args(what.split(' ')).args(["--database-url", &url]));
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

    assert!(keys("renew").out.contains("in ten minutes"));
    let renewed = keys("renew --at-once");
    assert!(renewed.out.contains("2 withdrawn"), "{} {}", renewed.out, renewed.err);

    running.resume().await;
    let acme = running.api().await.in_tenant("acme");
    let read = acme.ask("{ credentials { data { name } } integrations { data { webhookUrl } } }", json!({})).await;
    assert_eq!(read["credentials"]["data"], json!([{ "name": "shop" }]));
    assert_ne!(read["integrations"]["data"][0]["webhookUrl"], Value::Null);
}
