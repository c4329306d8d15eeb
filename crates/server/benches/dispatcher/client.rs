//! A connection to Tidegate that is kept.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::sink::{find, number_after};

/// What goes with each request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) port: u16,
    /// `Authorization` and `Tenant`.
    pub(crate) headers: String,
}

pub(crate) struct Client {
    stream: TcpStream,
    identity: Identity,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(identity: &Identity) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", identity.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, identity: identity.clone(), buffer: Vec::new() }
    }

    /// Answers the status and the body.
    pub(crate) async fn post(&mut self, path: &str, content_type: &str, body: &str) -> (usize, Vec<u8>) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.identity.port,
            self.identity.headers,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        let head = loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up on within an answer");
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                break head + 4;
            }
        };
        let text = self.buffer[..head].to_ascii_lowercase();
        let status = number_after(&text, b"http/1.1 ").unwrap();
        let length = number_after(&text, b"content-length: ").expect("an answer says how long it is");
        while self.buffer.len() < head + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up on within a body");
        }
        (status, self.buffer[head..head + length].to_vec())
    }

    /// GraphQL's data.
    pub(crate) async fn ask(&mut self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (_, answer) = self.post("/graphql", "application/json", &body).await;
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        answer["data"].take()
    }
}
