//! A connection to Tidegate that is kept, for requests of HTTP/1.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What goes with each request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) port: u16,
    /// Without those that say what the body is.
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

    /// Answers the body; the status is the one that is due.
    pub(crate) async fn ask(&mut self, due: u16, to: (&str, &str), content_type: &str, body: &str) -> Vec<u8> {
        let (method, path) = to;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.identity.port,
            self.identity.headers,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        let head = loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up on within an answer");
            if let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break head + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let length = length.unwrap_or_else(|| panic!("an answer says how long it is: {text}"));
        while self.buffer.len() < head + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up on within a body");
        }
        let body = self.buffer[head..head + length].to_vec();
        assert!(text.starts_with(&format!("http/1.1 {due} ")), "{text}{}", String::from_utf8_lossy(&body));
        body
    }

    /// GraphQL's data.
    pub(crate) async fn graphql(&mut self, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = self.ask(200, ("POST", "/graphql"), "application/json", &body).await;
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        answer["data"].take()
    }

    /// Makes one of these in the registry; answers these fields of it.
    pub(crate) async fn make(&mut self, kind: &str, fields: &str, input: &Value) -> Value {
        let make = format!("mutation($in: {kind}Input!) {{ made: create{kind}(in: $in) {{ {fields} }} }}");
        self.graphql(&make, &json!({ "in": input })).await["made"].take()
    }

    /// Makes a core logic; answers its id.
    pub(crate) async fn make_core(&mut self, name: &str, source: &str) -> Value {
        self.make("Logic", "id", &json!({ "name": name, "kind": "CORE", "source": source })).await["id"].take()
    }
}
