//! When a destination that fails is left alone.

use super::*;

/// A destination that answers with these statuses, and an Integration that calls it one call at a time, each once.
struct Failing {
    _running: Tidegate,
    sink: Sink,
    acme: Api,
    out: Value,
}

impl Failing {
    async fn start(settings: &[(&str, &str)], statuses: &[u16]) -> Self {
        let running = together(settings).await;
        let sink = Sink::start().await;
        sink.answer("/erp", statuses);
        let acme = acme(&running).await;
        let once = json!({ "outgoing": { "concurrency": 1, "schedule": { "delaysSeconds": [] } } });
        let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &CREATED, once).await;
        Self { _running: running, sink, acme, out }
    }

    async fn create(&self, ids: std::ops::Range<u32>) {
        for id in ids {
            self.acme.create_object("Order", &id.to_string(), json!({})).await;
        }
    }
}

pub(super) async fn all_integrations_share_so_many_places() {
    let running = together(&[("DISPATCH__IN_HAND", "4")]).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let acme = acme(&running).await;
    let [slow, well] = ["/slow", "/well"].map(|path| sink.url(path));
    acme.make_outgoing("slow", "return {}", &slow, &CREATED, json!({})).await;
    acme.make_outgoing("well", "return {}", &well, &CREATED, json!({})).await;
    for id in 0..9 {
        acme.create_object("Order", &id.to_string(), json!({})).await;
    }
    sink.wait_for("/well", 9).await;
    assert_eq!(sink.calls("/slow").len(), 1, "a quarter of the four");
    sink.release("/slow");
    sink.wait_for("/slow", 9).await;
}

pub(super) async fn after_it_an_integration_is_paused() {
    let failing = &Failing::start(&[("DISPATCH__PAUSE_AFTER", "300ms")], &[503; 1000]).await;
    let mut id = 0;
    eventually("it is paused", || {
        id += 1;
        async move {
            failing.create(id..id + 1).await;
            let query = "query($id: ID!) { integration(id: $id) { paused { reason } } }";
            let told = failing.acme.ask(query, json!({ "id": failing.out["id"] })).await;
            (told["integration"]["paused"]["reason"] == "FAILING").then_some(())
        }
    })
    .await;
}

pub(super) async fn so_many_calls_are_made_before_others_wait() {
    let settings = [("DISPATCH__CIRCUIT_CALLS", "3"), ("DISPATCH__CIRCUIT_PAUSE", "1h")];
    let failing = &Failing::start(&settings, &[503; 100]).await;
    failing.create(0..8).await;
    eventually("the others wait", || async {
        let all = failing.acme.executions(&failing.out).await;
        let of = |status: &str| all.iter().filter(|e| e["status"] == status).count();
        (of("DEAD") == 3 && of("PENDING") == 5).then_some(())
    })
    .await;
    assert_eq!(failing.sink.calls("/erp").len(), 3);
}

pub(super) async fn with_fewer_failures_nobody_waits() {
    let settings =
        [("DISPATCH__CIRCUIT_CALLS", "3"), ("DISPATCH__CIRCUIT_FAILED", "90"), ("DISPATCH__CIRCUIT_PAUSE", "1h")];
    let failing = Failing::start(&settings, &[200, 503, 503, 503, 503, 503, 503, 503]).await;
    failing.create(0..8).await;
    assert_eq!(failing.acme.ended(&failing.out, 8).await.len(), 8);
}

pub(super) async fn what_is_longer_ago_does_not_count() {
    let settings =
        [("DISPATCH__CIRCUIT_CALLS", "2"), ("DISPATCH__CIRCUIT_WINDOW", "1ms"), ("DISPATCH__CIRCUIT_PAUSE", "1h")];
    let failing = Failing::start(&settings, &[503; 5]).await;
    for (id, count) in (0..5).zip(1..) {
        failing.create(id..id + 1).await;
        failing.acme.ended(&failing.out, count).await;
    }
    assert_eq!(failing.sink.calls("/erp").len(), 5);
}

pub(super) async fn after_it_one_call_is_tried() {
    let settings = [("DISPATCH__CIRCUIT_CALLS", "3"), ("DISPATCH__CIRCUIT_PAUSE", "200ms")];
    let failing = Failing::start(&settings, &[503; 3]).await;
    failing.create(0..8).await;
    let all = failing.acme.ended(&failing.out, 8).await;
    assert_eq!(all.iter().filter(|e| e["status"] == "SUCCESS").count(), 5, "{all:?}");
}

/// With the setting, an OUTGOING Integration with `most` is made, and one with `more` is refused.
async fn outgoing_bounds(setting: (&str, &str), field: &str, most: u32, more: u32) {
    let running = together(&[setting]).await;
    let acme = acme(&running).await;
    let url = "https://shop.example/in";
    acme.make_outgoing("within", "return {}", url, &CREATED, json!({ "outgoing": { field: most } })).await;
    let logic = acme.make_logic("core", "CORE", "return {}").await;
    let input = json!({ "name": "beyond", "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic, "url": url,
        "subscriptions": [{ "objectType": "Order", "eventType": "CREATE" }], "outgoing": { field: more } });
    let make = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id } }";
    assert_eq!(acme.refused(make, json!({ "in": input })).await, 22, "{field} of {more}");
}

pub(super) async fn an_integration_may_not_allow_its_calls_more_time() {
    outgoing_bounds(("DISPATCH__MAX_TIMEOUT", "2m"), "timeoutMs", 120_000, 120_001).await;
}

pub(super) async fn an_integration_may_not_ask_for_more_at_once() {
    outgoing_bounds(("DISPATCH__MAX_CONCURRENCY", "200"), "concurrency", 200, 201).await;
}
