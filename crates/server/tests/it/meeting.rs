//! How an Integration has its callers met, as its author says it: each setting does what it says, to its own callers alone.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Sink, Tidegate, in_every_mode};

in_every_mode!(
    an_integration_is_called_as_often_as_it_says_and_its_neighbours_as_they_like,
    an_integration_has_as_many_calls_in_hand_as_it_says_and_its_neighbours_as_they_like,
);

async fn post(integration: &Value) -> reqwest::Response {
    http().post(integration["webhookUrl"].as_str().unwrap()).body("{}").send().await.unwrap()
}

async fn status(integration: &Value) -> u16 {
    post(integration).await.status().as_u16()
}

async fn an_integration_is_called_as_often_as_it_says_and_its_neighbours_as_they_like(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let limit = json!({ "incoming": { "rateLimit": { "calls": 2, "per": "HOUR" } } });
    let shop = acme.make_incoming("shop", "return {}", limit).await;
    let beside = acme.make_incoming("beside", "return {}", json!({})).await;
    assert_eq!([status(&shop).await, status(&shop).await], [200, 200]);
    let refused = post(&shop).await;
    assert_eq!(refused.status(), 429);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    // Two an hour: the next one half an hour after the first.
    assert!((1..=1800).contains(&wait), "{wait}");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    for _ in 0..5 {
        assert_eq!(status(&beside).await, 200);
    }
    assert_eq!(status(&shop).await, 429);
    assert_eq!(acme.ended(&shop, 2).await.len(), 2, "what was refused is no run");
}

async fn an_integration_has_as_many_calls_in_hand_as_it_says_and_its_neighbours_as_they_like(mode: Mode) {
    let settings = [("WEBHOOK__PATIENCE", "10ms"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")];
    let Some(running) = Tidegate::start_with(mode, &settings).await else { return };
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("if parameters.slow then http.request({{ url = '{}' }}) end return {{}}", sink.url("/slow"));
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let shop = acme.make_incoming("shop", &core, json!({ "incoming": { "concurrency": 1 } })).await;
    let beside = acme.make_incoming("beside", &core, json!({})).await;
    let slow = |integration: &Value| {
        let url = integration["webhookUrl"].as_str().unwrap().to_owned();
        tokio::task::spawn(
            async move { http().post(url).json(&json!({ "slow": true })).send().await.unwrap().status() },
        )
    };
    let (one, two) = (slow(&shop), slow(&beside));
    sink.wait_for("/slow", 2).await;
    let refused = post(&shop).await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert_eq!(status(&beside).await, 200);
    sink.release("/slow");
    assert_eq!((one.await.unwrap().as_u16(), two.await.unwrap().as_u16()), (200, 200));
    assert_eq!(status(&shop).await, 200, "the turn is free again");
}
