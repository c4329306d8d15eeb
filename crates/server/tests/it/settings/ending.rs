//! How a process, and a connection, comes to its end.

use std::time::Duration;

use super::*;

pub(super) async fn calls_are_still_taken_for_so_long() {
    let running = together(&[("HTTP__LINGER", "10m")]).await;
    let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
    running.ask_to_stop(0);
    let readyz = running.gateway("/readyz");
    eventually("it is not ready any more", || async {
        (http().get(&readyz).send().await.unwrap().status() == 503).then_some(())
    })
    .await;
    let answer = http().post(incoming["webhookUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "it is served");
    assert_eq!(answer.headers()["connection"], "close", "and sent away");
}

/// The connections, over HTTP/1 or HTTP/2, that a caller needs who would keep one, and calls as often as it takes for another one.
async fn connections(settings: &[(&str, &str)], multiplexed: bool, calls: usize) -> usize {
    let running = together(settings).await;
    let server = running.gateway("").rsplit(':').next().unwrap().parse().unwrap();
    let proxy = crate::harness::proxy::Proxy::before(server).await;
    let client = reqwest::Client::builder().no_proxy();
    let client = if multiplexed { client.http2_prior_knowledge() } else { client.http1_only() }.build().unwrap();
    for _ in 0..calls {
        let answer = client.get(format!("http://127.0.0.1:{}/healthz", proxy.port)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "ok\n"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proxy.connections()
}

pub(super) async fn an_older_connection_ends_with_its_next_call() {
    for multiplexed in [false, true] {
        assert_eq!(connections(&[], multiplexed, 10).await, 1, "{multiplexed}");
        // No call fails by it. A connection takes two calls, or one where the first one came late.
        let made = connections(&[("LIMITS__CONNECTION_AGE", "1ms")], multiplexed, 10).await;
        assert!(made > 2, "{made}, {multiplexed}");
    }
}
