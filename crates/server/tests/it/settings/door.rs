//! How the callers of webhooks are met.

use super::*;

pub(super) async fn they_tell_what_was_called() {
    for (trusted, base) in [("127.0.0.1", "https://hooks.example.com"), ("192.0.2.1, 10.0.0.0/8", "http://127.0.0.1")] {
        let running = together(&[("WEBHOOK__TRUSTED_PROXIES", trusted)]).await;
        let acme = acme(&running).await;
        let incoming = acme.make_incoming("shop", "return { url = requestUrl }", json!({})).await;
        let call = http().post(incoming["webhookUrl"].as_str().unwrap());
        let call = call.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "hooks.example.com");
        let told: Value = call.header("X-Forwarded-For", "203.0.113.7").send().await.unwrap().json().await.unwrap();
        assert!(told["url"].as_str().unwrap().starts_with(base), "{told}");
    }
}

/// One call that is held up in the middle, and what others are told meanwhile: of the same Integration, another one, another tenant's.
async fn beside_a_call(settings: &[(&str, &str)]) -> [u16; 3] {
    let running = together(settings).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("if parameters.slow then http.request({{ url = '{}' }}) end return {{}}", sink.url("/slow"));
    let acme = acme(&running).await;
    let held = acme.make_incoming("shop", &core, json!({})).await;
    let beside = acme.make_incoming("beside", "return {}", json!({})).await;
    let other = running.api().await.make_tenant("other", &[]).await.make_incoming("shop", "return {}", json!({})).await;
    let url = held["webhookUrl"].as_str().unwrap().to_owned();
    let slow = tokio::task::spawn(async move { http().post(url).json(&json!({ "slow": true })).send().await });
    sink.wait_for("/slow", 1).await;
    let told = [post(&held).await, post(&beside).await, post(&other).await];
    sink.release("/slow");
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(post(&held).await, 200, "the turn is free again");
    told
}

pub(super) async fn one_more_is_told_to_come_again() {
    let settings = [("WEBHOOK__CALLS", "1"), ("WEBHOOK__PATIENCE", "10ms"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")];
    assert_eq!(beside_a_call(&settings).await, [503, 503, 503]);
}

pub(super) async fn one_more_of_the_tenant_is_told_to_come_again() {
    let settings =
        [("WEBHOOK__CALLS_PER_TENANT", "1"), ("WEBHOOK__PATIENCE", "10ms"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")];
    assert_eq!(beside_a_call(&settings).await, [503, 503, 200]);
}

pub(super) async fn one_more_of_the_integration_is_told_to_come_again() {
    let settings =
        [("WEBHOOK__CALLS_PER_INTEGRATION", "1"), ("WEBHOOK__PATIENCE", "10ms"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")];
    assert_eq!(beside_a_call(&settings).await, [503, 200, 200]);
}

pub(super) async fn a_call_waits_so_long_for_its_turn() {
    let settings = [("WEBHOOK__CALLS", "1"), ("WEBHOOK__PATIENCE", "60s"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")];
    let running = together(&settings).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("http.request({{ url = '{}' }}) return {{}}", sink.url("/slow"));
    let incoming = acme(&running).await.make_incoming("shop", &core, json!({})).await;
    let calls = [0, 1].map(|_| {
        let incoming = incoming.clone();
        tokio::task::spawn(async move { post(&incoming).await })
    });
    sink.wait_for("/slow", 1).await;
    // Longer than a call waits by default: it would have been refused.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(sink.calls("/slow").len(), 1);
    sink.release("/slow");
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
}

pub(super) async fn a_call_too_often_is_refused() {
    let running = together(&[("WEBHOOK__RATE_LIMIT", "2/h")]).await;
    let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
    assert_eq!([post(&incoming).await, post(&incoming).await, post(&incoming).await], [200, 200, 429]);
}
