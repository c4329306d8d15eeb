//! Calls that come again, at one gateway or another, before and after a restart.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Sink, Tidegate, in_every_mode};

in_every_mode!(a_call_with_a_key_runs_once_whatever_is_killed_in_between);

struct Told {
    status: u16,
    text: String,
    replayed: bool,
}

async fn send(url: &str, key: &str, body: &str) -> Told {
    let call = http().post(url).header("Idempotency-Key", key).header("Content-Type", "application/json");
    let answer = call.body(body.to_owned()).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Told { status, text: answer.text().await.unwrap(), replayed: headers.contains_key("idempotency-replayed") }
}

fn url(integration: &Value) -> String {
    integration["webhookUrl"].as_str().unwrap().to_owned()
}

async fn a_call_with_a_key_runs_once_whatever_is_killed_in_between(mode: Mode) {
    let Some(mut running) = Tidegate::start(mode).await else { return };
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let required = json!({ "incoming": { "idempotencyKey": "REQUIRED" } });
    let shop = acme.make_incoming("shop", "return { drawn = uuid.v4() }", required).await;
    let first = send(&url(&shop), "k-1", "{}").await;
    assert_eq!((first.status, first.replayed), (200, false), "{}", first.text);
    let again = send(&url(&shop), "k-1", "{}").await;
    assert_eq!((again.status, again.replayed, &again.text), (200, true, &first.text));
    assert_eq!(send(&url(&shop), "k-1", r#"{"n":2}"#).await.status, 422);
    assert_eq!(http().post(url(&shop)).body("{}").send().await.unwrap().status(), 400);
    for part in 0..4 {
        running.kill(part);
    }
    running.resume().await;
    let later = send(&url(&shop), "k-1", "{}").await;
    assert_eq!((later.status, later.replayed, &later.text), (200, true, &first.text), "after all of it was killed");
    assert_eq!(running.api().await.in_tenant("acme").ended(&shop, 1).await.len(), 1, "one run, one record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_gateways_that_get_the_same_call_at_once_one_runs_it() {
    let Some(mut running) = Tidegate::start_with(Mode::Apart, &[("SCRIPTS__INCOMING_TIMEOUT", "60s")]).await else {
        return;
    };
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("http.request({{ url = '{}' }}) return {{ drawn = uuid.v4() }}", sink.url("/slow"));
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let other = running.api().await.make_tenant("other", &[]).await;
    let accepted = json!({ "incoming": { "idempotencyKey": "ACCEPTED" } });
    let shop = acme.make_incoming("shop", &core, accepted.clone()).await;
    let neighbour = other.make_incoming("shop", "return {}", accepted).await;
    let path = |integration: &Value| format!("/webhook/{}", url(integration).rsplit('/').next().unwrap());
    let bases = [running.gateway(""), running.another_gateway().await];

    let at = |gateway: usize| format!("{}{}", bases[gateway], path(&shop));
    let first_url = at(0);
    let first = tokio::task::spawn(async move { send(&first_url, "k", "{}").await });
    sink.wait_for("/slow", 1).await;
    assert_eq!(send(&at(1), "k", "{}").await.status, 409);
    assert_eq!(send(&at(1), "k", "[]").await.status, 422);
    let other_tenants = send(&format!("{}{}", bases[1], path(&neighbour)), "k", "{}").await;
    assert_eq!((other_tenants.status, other_tenants.replayed), (200, false));
    sink.release("/slow");
    let first = first.await.unwrap();
    assert_eq!((first.status, first.replayed), (200, false), "{}", first.text);
    let again = send(&at(1), "k", "{}").await;
    assert_eq!((again.status, again.replayed, &again.text), (200, true, &first.text));
    assert_eq!(sink.calls("/slow").len(), 1);
}
