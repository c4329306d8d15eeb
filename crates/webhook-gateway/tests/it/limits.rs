//! Bodies that are too much, over a real socket.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::contract::Resolved;
use tidegate_webhook_gateway::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::harness::{KEY, World, integration};

async fn serve(options: Options) -> (World, SocketAddr) {
    let world = World::of(Resolved::One(Arc::new(integration("return { length = #rawBody }"))), options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.gateway.router();
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    (world, address)
}

/// Sends a head and a body, reads until the other side closes.
async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /webhook/{KEY} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let chunks =
        body.chunks(8192).flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    chunks.chain(*b"0\r\n\r\n").collect()
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_however_it_is_sent() {
    let (world, address) = serve(Options::default()).await;
    let exact = vec![b'x'; 1 << 20];
    let over = vec![b'x'; (1 << 20) + 1];
    let much = vec![b'x'; 3 << 20];
    for (body, status) in [(&exact, "200"), (&over, "413"), (&much, "413")] {
        let plain = exchange(address, &format!("Content-Length: {}", body.len()), body).await;
        assert!(plain.starts_with(&format!("HTTP/1.1 {status} ")), "{plain:.100}");
        let chunks = exchange(address, "Transfer-Encoding: chunked", &chunked(body)).await;
        assert!(chunks.starts_with(&format!("HTTP/1.1 {status} ")), "{chunks:.100}");
    }
    let results: Vec<_> = world.records().into_iter().map(|record| record.core_result.unwrap()).collect();
    assert_eq!(results.iter().map(tidegate_model::Json::as_str).collect::<Vec<_>>(), [r#"{"length":1048576}"#; 2]);
}

#[tokio::test]
async fn a_caller_that_asks_first_need_not_send_what_is_too_large() {
    let (_world, address) = serve(Options::default()).await;
    let answer = exchange(address, "Content-Length: 99999999\r\nExpect: 100-continue", b"").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:.100}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let (world, address) = serve(Options { body_timeout: Duration::from_millis(50), ..Options::default() }).await;
    let answer = exchange(address, "Content-Length: 10", b"12345").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:.100}");
    assert!(world.records().is_empty());
}

#[tokio::test]
async fn a_body_that_drips_is_408_long_before_its_time_is_over() {
    let options = Options {
        body_timeout: Duration::from_hours(1),
        body_grace: Duration::from_millis(50),
        body_rate: 1000,
        ..Options::default()
    };
    let (world, address) = serve(options).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /webhook/{KEY} HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    loop {
        tokio::select! {
            read = stream.read_exact(&mut answer) => break assert!(read.is_ok()),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        // Once it is answered, nobody reads on.
        let _ = stream.write_all(b"x").await;
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(world.records().is_empty());
}

#[tokio::test]
async fn a_body_that_comes_fast_enough_may_take_its_time() {
    let (_world, address) =
        serve(Options { body_grace: Duration::from_millis(500), body_rate: 1, ..Options::default() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /webhook/{KEY} HTTP/1.1\r\nHost: gate\r\nContent-Length: 60\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..60 {
        stream.write_all(b"x").await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_before_its_key_is_looked_at() {
    let (world, address) = serve(Options::default()).await;
    let ask = async |path: String, headers: String| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    };
    let url = |length: usize| format!("/webhook/{KEY}?{}", "x".repeat(length - 10 - KEY.len()));
    let many = |count: usize| "x-tag: 1\r\n".repeat(count - 2);
    let large = |bytes: usize| format!("x-tag: {}\r\n", "x".repeat(bytes - "hostgateconnectionclosex-tag".len()));
    let cases = [
        (url(8192), String::new(), "200"),
        (url(8193), String::new(), "414"),
        (format!("/webhook/{}", "x".repeat(9000)), String::new(), "414"),
        (url(100), many(100), "200"),
        (url(100), many(101), "431"),
        (url(100), large(16384), "200"),
        (url(100), large(16385), "431"),
    ];
    for (path, headers, status) in cases {
        let (length, bytes) = (path.len(), headers.len());
        let answer = ask(path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{length} {bytes}: {answer:.300}");
        assert!(!answer.contains(KEY), "{answer:.300}");
    }
    assert_eq!(world.records().len(), 3);
}

#[tokio::test]
async fn json_is_read_64_levels_deep() {
    let (world, address) = serve(Options::default()).await;
    for (depth, status) in [(64, "200"), (65, "500"), (100_000, "500")] {
        let body = "[".repeat(depth) + &"]".repeat(depth);
        let head = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
        let answer = exchange(address, &head, body.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{depth}: {answer:.300}");
    }
    let error = world.records().pop().unwrap().error.unwrap();
    assert!(error.contains("deeper than 64"), "{error}");
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn the_limit_holds_after_decompression_too() {
    let (_world, address) = serve(Options::default()).await;
    for (plain, status) in
        [(vec![b' '; 1 << 20], "200"), (vec![b' '; (1 << 20) + 1], "413"), (vec![b' '; 50 << 20], "413")]
    {
        let body = gzip(&plain);
        let head = format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len());
        let answer = exchange(address, &head, &body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer:.100}");
        assert_eq!(answer.ends_with(r#"{"length":1048576}"#), status == "200", "{answer}");
    }
}
