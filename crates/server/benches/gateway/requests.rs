//! What is asked of all of them.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::load::{Target, asked_once};

/// What a shop sends: 1 KB, nested.
fn body() -> String {
    let mut text = r#"{"id":"order-1001","customer":{"id":"c-17","name":"Ada & Co.","address":{"street":"Harbour Street 12","city":"Gdansk","zip":"80-001"}},"items":["#.to_owned();
    for item in 0..18 {
        let comma = if item == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"sku":"art-{item:04}","qty":{},"price":{}.25}}"#, item % 9 + 1, item + 10).unwrap();
    }
    text.push_str(r#"],"note":""#);
    text.push_str(&"x".repeat(1024 - text.len() - 2));
    text + r#""}"#
}

fn request(address: &str, path: &str, more: &str) -> Vec<u8> {
    let body = body();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// What is asked for at these paths, and what the first one answers.
pub(crate) fn target(address: &str, paths: &[String]) -> (Target, String) {
    let (status, answer) = asked_once(address, &request(address, &paths[0], "Connection: close\r\n"));
    let requests: Arc<_> = paths.iter().map(|path| request(address, path, "")).collect();
    (Target { address: address.to_owned(), requests, status, length: answer.len() }, answer)
}

/// As [`target`], where the order is mapped.
pub(crate) fn mapping(port: u16, paths: &[String]) -> Target {
    let (target, answer) = target(&format!("127.0.0.1:{port}"), paths);
    let told: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&told["order"], &told["lines"][1]["amount"]), (&"order-1001".into(), &22.5.into()), "{answer}");
    target
}
