//! What one caller may send, and how slowly.

use super::*;

pub(super) async fn a_larger_body_is_refused() {
    let running = together(&[("LIMITS__BODY", "1KiB")]).await;
    let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
    let url = incoming["webhookUrl"].as_str().unwrap();
    for (size, status) in [(1000, 200), (1100, 413)] {
        assert_eq!(http().post(url).body("x".repeat(size)).send().await.unwrap().status(), status, "{size}");
    }
}

/// Sends these parts with pauses between them; answers what comes back, which is nothing when the other side hung up.
async fn sent_slowly(running: &Tidegate, parts: &[&str], pause: u64) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(running.gateway("").replace("http://", "")).await.unwrap();
    for part in parts {
        let _ = stream.write_all(part.as_bytes()).await;
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
    let (mut answer, mut taken) = (Vec::new(), [0; 1024]);
    // One that hung up resets what still comes.
    while let Ok(count @ 1..) = stream.read(&mut taken).await {
        answer.extend_from_slice(&taken[..count]);
    }
    String::from_utf8(answer).unwrap()
}

pub(super) async fn a_body_that_takes_longer_is_refused() {
    for (limit, status) in [("100ms", "408"), ("60s", "200")] {
        let running = together(&[("LIMITS__BODY_TIMEOUT", limit)]).await;
        let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
        let path = incoming["webhookUrl"].as_str().unwrap().replace(&running.gateway(""), "");
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n");
        let answer = sent_slowly(&running, &[&head, "{ ", "} "], 500).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{limit}: {answer}");
    }
}

pub(super) async fn a_body_that_comes_more_slowly_is_refused() {
    for (rate, status) in [("10MiB", "408"), ("1KiB", "200")] {
        let running = together(&[("LIMITS__BODY_RATE", rate), ("LIMITS__BODY_TIMEOUT", "60s")]).await;
        let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
        let path = incoming["webhookUrl"].as_str().unwrap().replace(&running.gateway(""), "");
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n");
        let half = " ".repeat(1 << 15);
        let answer = sent_slowly(&running, &[&head, &half, &half], 3000).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{rate}: {answer}");
    }
}

pub(super) async fn a_head_that_takes_longer_is_hung_up_on() {
    for (limit, answered) in [("100ms", false), ("60s", true)] {
        let running = together(&[("LIMITS__HEAD_TIMEOUT", limit)]).await;
        let parts = ["GET /healthz HTTP/1.1\r\n", "Host: x\r\nConnection: close\r\n\r\n"];
        let answer = sent_slowly(&running, &parts, 500).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200 "), answered, "{limit}: {answer}");
    }
}

pub(super) async fn one_more_connection_waits() {
    let running = together(&[("LIMITS__CONNECTIONS", "1"), ("LIMITS__HEAD_TIMEOUT", "60s")]).await;
    let address = running.gateway("").replace("http://", "");
    let only = eventually("the only connection", || async {
        // The one that was asked for readiness may not have ended yet.
        let stream = tokio::net::TcpStream::connect(&address).await.ok()?;
        Some(stream)
    })
    .await;
    let mut asked = tokio::task::spawn(http().get(running.gateway("/healthz")).send());
    let soon = tokio::time::timeout(std::time::Duration::from_millis(500), &mut asked).await;
    assert!(soon.is_err(), "answered beside the only connection there may be");
    drop(only);
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
}
