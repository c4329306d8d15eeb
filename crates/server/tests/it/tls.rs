//! Roles that are apart, over TLS, each with a certificate.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::authority::Authority;
use crate::harness::{Mode, Sink, Tidegate};
use crate::settings::secured;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_apart_do_all_that_they_do_over_tls() {
    let authority = Authority::new("ours");
    let settings = secured(&authority);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let Some(mut tidegate) = Tidegate::start_with(Mode::Apart, &settings).await else { return };
    let sink = Sink::start().await;
    // Callers who are no peers show no certificate: they have tokens and keys.
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let core = "objects.create('Order', { n = 1 }, parameters.id) return { id = parameters.id }";
    let shop = acme.make_incoming("shop", core, json!({})).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    for id in ["1", "2", "3"] {
        let answer = http().post(shop["webhookUrl"].as_str().unwrap()).json(&json!({ "id": id })).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "id": id }));
    }
    sink.wait_for("/erp", 3).await;
    assert!(acme.ended(&out, 3).await.iter().all(|record| record["status"] == "SUCCESS"));

    // The director is a peer of the credentials role in the same way.
    assert_eq!(http().post(tidegate.director("/graphql")).bearer_auth("x.y.z").send().await.unwrap().status(), 401);
    tidegate.replace(1, &[("PEERS__CERTIFICATE", ""), ("PEERS__KEY", "")]).await;
    let status = acme.post("/v1/events").body("{}").send().await.unwrap().status();
    assert!(status.is_server_error(), "{status}");
}
