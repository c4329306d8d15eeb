//! How calls are made is the Integration's to say: from the API to the third party.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::sink::Call;
use crate::harness::{Mode, Sink, Tidegate, eventually, in_every_mode};

in_every_mode!(
    calls_are_made_as_their_integration_says,
    an_integration_whose_destination_is_gone_waits_until_it_is_resumed,
);

const CREDENTIAL: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id } }";
const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

async fn calls_are_made_as_their_integration_says(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = running.api().await.make_tenant("acme", &["Order"]).await;
    for input in [
        json!({ "name": "shop", "kind": "BEARER", "allowedHosts": ["127.0.0.1"], "secret": "token-number-1" }),
        json!({ "name": "old", "kind": "SIGNING", "secret": SECRETS[0] }),
        json!({ "name": "new", "kind": "SIGNING", "secret": SECRETS[1] }),
    ] {
        acme.ask(CREDENTIAL, json!({ "in": input })).await;
    }
    let outgoing = json!({ "credential": "shop", "signingCredentials": ["old", "new"], "timeoutMs": 700,
        "schedule": { "delaysSeconds": [1] }, "concurrency": 1, "ratePerSecond": 100 });
    let script = "return { body = { text = 'Grüße', id = object.id } }";
    let url = sink.url("/erp");
    let out = acme.make_outgoing("erp", script, &url, &[("Order", "CREATE")], json!({ "outgoing": outgoing })).await;

    sink.answer("/erp", &[503]);
    acme.create_object("Order", "1", json!({})).await;
    let calls = sink.wait_for("/erp", 2).await;
    for call in &calls {
        assert_eq!(call.headers["authorization"], "Bearer token-number-1");
        for secret in SECRETS {
            assert_verified(secret, call);
        }
    }
    assert_eq!(calls[0].headers["webhook-id"], calls[1].headers["webhook-id"]);
    let record = acme.ended(&out, 1).await.remove(0);
    assert_eq!((&record["status"], record["attempts"].as_array().unwrap().len()), (&json!("SUCCESS"), 2), "{record}");

    sink.hold("/erp");
    for id in ["2", "3"] {
        acme.create_object("Order", id, json!({})).await;
    }
    let records = acme.ended(&out, 3).await;
    let dead: Vec<&Value> = records.iter().filter(|record| record["status"] == "DEAD").collect();
    assert_eq!(dead.len(), 2, "{records:?}");
    for record in dead {
        let attempts = record["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 2, "{record}");
        assert!(attempts.iter().all(|a| a["error"] == "no answer within 700 ms"), "{record}");
    }
    sink.release("/erp");
}

async fn an_integration_whose_destination_is_gone_waits_until_it_is_resumed(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = running.api().await.make_tenant("acme", &["Order"]).await;
    let gone = acme.make_outgoing("gone", "return {}", &sink.url("/gone"), &[("Order", "CREATE")], json!({})).await;
    let script = "local paused = newObject.paused
        return { body = { why = json.is_null(paused) and 'none' or paused.reason } }";
    let heard = acme.make_outgoing("heard", script, &sink.url("/heard"), &[("Integration", "UPDATE")], json!({})).await;

    sink.answer("/gone", &[410]);
    acme.create_object("Order", "1", json!({})).await;
    assert_eq!(sink.wait_for("/heard", 1).await[0].json(), json!({ "why": "GONE" }), "the change is an event");
    let query = "query($id: ID!) { integration(id: $id) { paused { reason since } } }";
    let told = acme.ask(query, json!({ "id": gone["id"] })).await;
    assert_eq!(told["integration"]["paused"]["reason"], "GONE");
    let record = acme.executions(&gone).await.remove(0);
    assert_eq!(record["status"], "FAILED", "{record}");
    assert!(record["error"].as_str().unwrap().contains("paused until somebody resumes it"), "{record}");

    acme.create_object("Order", "2", json!({})).await;
    eventually("the delivery waits", || async {
        let all = acme.executions(&gone).await;
        (all.len() == 2 && all[0]["status"] == "PENDING").then_some(())
    })
    .await;
    acme.ask("mutation($id: ID!) { resumeIntegration(id: $id) { paused { reason } } }", json!({ "id": gone["id"] }))
        .await;
    sink.wait_for("/gone", 2).await;
    acme.ended(&gone, 2).await;
    assert_eq!(sink.wait_for("/heard", 2).await[1].json(), json!({ "why": "none" }));
    acme.ended(&heard, 2).await;
}

/// Asks the library that Standard Webhooks publishes for Python.
fn assert_verified(secret: &str, call: &Call) {
    const PYTHON: &str = "
import json, sys
from standardwebhooks import Webhook
secret, headers = sys.argv[1:]
Webhook(secret).verify(sys.stdin.buffer.read(), json.loads(headers))
";
    let Ok(python) = std::env::var("TIDEGATE_TEST_PYTHON") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("skipped: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
        return;
    };
    let header = |name: &str| (name.to_owned(), json!(call.headers[name].to_str().unwrap()));
    let headers: Value = ["webhook-id", "webhook-timestamp", "webhook-signature"].into_iter().map(header).collect();
    let mut command = Command::new(python);
    command.args(["-c", PYTHON, secret, &headers.to_string()]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &call.body).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
