//! What no library sends: messages whose headers are none, or say what only the broker may say. Whoever may publish can publish one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Speaks the protocol by hand, for what no library sends.
pub(crate) struct Publisher(TcpStream);

impl Publisher {
    pub(crate) async fn connect(url: &str) -> Self {
        let mut stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).await.unwrap();
        stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n").await.unwrap();
        Self(stream)
    }

    /// Returns when the broker has read it.
    pub(crate) async fn publish(&mut self, subject: &[u8], headers: &[u8], payload: &[u8]) {
        let lengths = format!(" {} {}\r\n", headers.len(), headers.len() + payload.len());
        let message = [b"HPUB ", subject, lengths.as_bytes(), headers, payload, b"\r\nPING\r\n"].concat();
        self.0.write_all(&message).await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"PONG\r\n") {
            assert_ne!(self.0.read_buf(&mut said).await.unwrap(), 0, "{}", said.escape_ascii());
        }
    }
}

/// As they are written.
pub(crate) const PLAIN: &[u8] = b"NATS/1.0\r\n\r\n";

/// What no client can take, on any broker.
pub(crate) const BROKEN: [&[u8]; 8] = [
    b"NATS/1.0\r\nce-subject: M\xfcller\r\n\r\n",
    b"NATS/1.0\r\n\xffX: a\r\n\r\n",
    b"NATS/1.0\r\nno colon\r\n\r\n",
    b"NATS/1.0\r\nX Y: a\r\n\r\n",
    b" NATS/1.0\r\nX: a\r\n\r\n",
    b"NATS/1.0\r\n folded\r\n\r\n",
    b"NATS/2.0\r\nX: y\r\n\r\n",
    b"HELLO\r\n\r\n",
];

/// What an older broker delivers as if it were its own word.
pub(crate) const STATUSES: [&[u8]; 7] = [
    b"NATS/1.0 404 No Messages\r\n\r\n",
    b"NATS/1.0 408 Request Timeout\r\n\r\n",
    b"NATS/1.0 409 Consumer Deleted\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"NATS/1.0 200 OK\r\n\r\n",
    b"NATS/1.0 9x9\r\n\r\n",
];
