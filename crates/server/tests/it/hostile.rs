//! Callers that mean harm: their connections end, and others never notice.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::api::http;
use crate::harness::{Mode, Tidegate};

/// What an HTTP/2 connection begins with, and settings that are empty.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn who_sends_no_whole_request_is_hung_up_on() {
    let running = Tidegate::start_with(Mode::Together, &[("LIMITS__HEAD_TIMEOUT", "300ms")]).await.unwrap();
    let half = b"POST /webhook/x HTTP/1.1\r\nHost: x\r\n";
    let cases: [(&str, &[u8], &[u8]); 6] = [
        ("says nothing", b"", b""),
        ("stops half-way", half, b""),
        ("drips", half, b"X-Drip: x\r\n"),
        ("drips a line without an end", half, b"x"),
        ("stops within what HTTP/2 begins with", &PREFACE[..9], b""),
        ("speaks HTTP/2 and asks nothing", PREFACE, b""),
    ];
    for (name, first, again) in cases {
        let mut stream = TcpStream::connect(running.gateway("").replace("http://", "")).await.unwrap();
        stream.write_all(first).await.unwrap();
        let ended = async {
            let mut taken = [0; 1024];
            loop {
                tokio::select! {
                    // Settings of HTTP/2, 408, or the end.
                    read = stream.read(&mut taken) => match read {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    },
                    () = tokio::time::sleep(Duration::from_millis(20)) => {
                        if stream.write_all(again).await.is_err() {
                            break;
                        }
                    }
                }
            }
        };
        assert!(tokio::time::timeout(Duration::from_mins(1), ended).await.is_ok(), "still open: {name}");
    }
    assert_eq!(http().get(running.gateway("/healthz")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_connection_that_asks_again_is_kept() {
    let running = Tidegate::start_with(Mode::Together, &[("LIMITS__HEAD_TIMEOUT", "2s")]).await.unwrap();
    let mut stream = TcpStream::connect(running.gateway("").replace("http://", "")).await.unwrap();
    for _ in 0..20 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = [0; 1024];
        let _ = stream.read(&mut rest).await.unwrap();
    }
}

#[tokio::test]
async fn who_does_not_take_its_answer_is_hung_up_on() {
    let running = Tidegate::start_with(Mode::Together, &[("LIMITS__BODY_TIMEOUT", "300ms")]).await.unwrap();
    let acme = running.api().await.make_tenant("acme", &[]).await;
    let large = "return { text = string.rep('x', 900000) }";
    let incoming = acme.make_incoming("large", large, json!({})).await;
    let path = incoming["webhookUrl"].as_str().unwrap().replace(&running.gateway(""), "");
    let mut stream = TcpStream::connect(running.gateway("").replace("http://", "")).await.unwrap();
    let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}");
    // More answers than both sides' buffers hold; none is read before the other side has given up.
    let refused = async {
        loop {
            if stream.write_all(request.as_bytes()).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_mins(1), refused).await.is_ok(), "still open");
}

#[tokio::test]
async fn a_head_without_end_is_refused_and_the_rest_of_it_not_read() {
    let running = Tidegate::start(Mode::Together).await.unwrap();
    let answer = |head: String| {
        let address = running.gateway("").replace("http://", "");
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // The other side may hang up before everything is sent.
            let _ = stream.write_all(head.as_bytes()).await;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.map(|_| String::from_utf8_lossy(&answer).into_owned())
        }
    };
    let line = format!("X-Long: {}\r\n", "x".repeat(8000));
    let large = format!("POST /webhook/x HTTP/1.1\r\nHost: x\r\n{}", line.repeat(1000));
    let many = format!("POST /webhook/x HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Tag: 1\r\n".repeat(101));
    let long = format!("POST /webhook/{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(9000));
    // Hung up on while it still sends, a caller may read a reset instead of the answer.
    if let Ok(said) = answer(large).await {
        assert_eq!(said, "HTTP/1.1 431");
    }
    assert_eq!(answer(many).await.unwrap(), "HTTP/1.1 431");
    assert_eq!(answer(long).await.unwrap(), "HTTP/1.1 414");
}
