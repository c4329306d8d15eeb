//! Calls go where they are meant to go, whatever proxies the environment names: behind one, nobody would look at the address that is called.

use serde_json::json;

use crate::harness::alone::Alone;
use crate::harness::command::tidegate;
use crate::harness::proxy::Proxy;
use crate::harness::{Sink, eventually, ports};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outgoing_calls_pass_by_the_proxies_that_the_environment_names() {
    let sink = Sink::start().await;
    let (named, secured) = (Proxy::before(sink.port()).await, Proxy::before(ports::free()).await);
    let proxy = format!("http://127.0.0.1:{}", named.port);
    let mut command = tidegate();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    // What would turn the others off.
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    let folder = tempfile::tempdir().unwrap();
    let alone = Alone::start(&mut command, &folder.path().join("data")).await;
    let acme = alone.api().await.make_tenant("acme", &["Order"]).await;
    let script = format!(
        "http.request({{ url = '{}' }}) pcall(http.request, {{ url = 'https://127.0.0.1:{}/' }}) return {{}}",
        sink.url("/script"),
        secured.port
    );
    let out = acme.make_outgoing("out", &script, &sink.url("/delivery"), &[("Order", "CREATE")], json!({})).await;
    acme.create_object("Order", "1", json!({})).await;

    assert_eq!(acme.ended(&out, 1).await[0]["status"], "SUCCESS");
    sink.wait_for("/delivery", 1).await;
    sink.wait_for("/script", 1).await;
    eventually("the call over TLS is at its own door", || async { (secured.connections() > 0).then_some(()) }).await;
    assert_eq!(named.connections(), 0, "the proxy was asked");
}
