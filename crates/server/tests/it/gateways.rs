//! More than one gateway, and what stands in front of them.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::api::http;
use crate::harness::{Mode, Tidegate, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_gateway_stops_honouring_a_key_that_was_regenerated() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let bases = [tidegate.gateway(""), tidegate.another_gateway().await];
    let acme = tidegate.api().await.make_tenant("acme", &[]).await;
    let shop = acme.make_incoming("shop", "return {}", json!({})).await;
    let other = acme.make_incoming("other", "return {}", json!({})).await;
    let path = |url: &serde_json::Value| format!("/webhook/{}", url.as_str().unwrap().rsplit('/').next().unwrap());
    let status = |base: &str, path: &str| {
        let url = format!("{base}{path}");
        async move { http().post(url).send().await.unwrap().status().as_u16() }
    };
    let mut key = path(&shop["webhookUrl"]);
    let regenerate = "mutation($ids: [ID!]!) { regenerateWebhookUrls(ids: $ids) { webhookUrl } }";
    // Again and again: each time both gateways hold the old key in their caches.
    for _ in 0..3 {
        for base in &bases {
            assert_eq!(status(base, &key).await, 200);
        }
        let told = acme.ask(regenerate, json!({ "ids": [shop["id"]] })).await;
        let fresh = path(&told["regenerateWebhookUrls"][0]["webhookUrl"]);
        for base in &bases {
            // The notice travels; what holds where it is lost is tested where the caches are.
            eventually("the old key is dead", || async { (status(base, &key).await == 404).then_some(()) }).await;
            assert_eq!(status(base, &fresh).await, 200, "the new key is honoured");
            assert_eq!(status(base, &key).await, 404, "dead for good");
            assert_eq!(status(base, &path(&other["webhookUrl"])).await, 200, "another one's key lives");
        }
        key = fresh;
    }
}

#[tokio::test]
async fn a_proxy_is_told_that_a_connection_ends_whose_request_was_not_read() {
    let tidegate = Tidegate::start(Mode::Together).await.unwrap();
    let acme = tidegate.api().await.make_tenant("acme", &[]).await;
    let shop = acme.make_incoming("shop", "return {}", json!({})).await;
    let path = format!("/webhook/{}", shop["webhookUrl"].as_str().unwrap().rsplit('/').next().unwrap());
    let address = tidegate.gateway("").strip_prefix("http://").unwrap().to_owned();
    // A body that is not all there yet when there is an answer, and one that is waited for.
    for (path, status, ends) in [("/webhook/nobodys", "404", true), (path.as_str(), "200", false)] {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        if !ends {
            connection.write_all(b"{}").await.unwrap();
        }
        let mut told = Vec::new();
        while !told.windows(4).any(|end| end == b"\r\n\r\n") {
            assert!(connection.read_buf(&mut told).await.unwrap() > 0, "{}", String::from_utf8_lossy(&told));
        }
        let told = String::from_utf8_lossy(&told).to_lowercase();
        assert!(told.starts_with(&format!("http/1.1 {status}")), "{told}");
        assert_eq!(told.contains("connection: close"), ends, "{told}");
    }
}
