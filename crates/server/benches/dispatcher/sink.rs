//! The third party: as little HTTP as will do, because the load must cost less than what it measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::ledger::Ledger;

/// How the destination of the first Integration behaves. All others answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Well = 0,
    /// Takes the call and never answers.
    Hangs = 1,
    /// Answers just before the caller gives up.
    Slow = 2,
    /// Hangs up.
    Down = 3,
}

const MANNERS: [Manner; 4] = [Manner::Well, Manner::Hangs, Manner::Slow, Manner::Down];

#[derive(Clone)]
pub(crate) struct Sink {
    port: u16,
    manner: Arc<AtomicU8>,
}

impl Sink {
    /// One that takes so long to answer.
    pub(crate) async fn start(ledger: Ledger, answers_after: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), manner: Arc::default() };
        let manner = sink.manner.clone();
        let calls = TaskTracker::new();
        let accepting = calls.clone();
        calls.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.spawn(serve(stream, ledger.clone(), manner.clone(), answers_after));
            }
        });
        sink
    }

    /// Where the Integration of this number calls.
    pub(crate) fn url(&self, integration: usize) -> String {
        format!("http://127.0.0.1:{}/{integration}", self.port)
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.manner.store(manner as u8, Relaxed);
    }
}

/// Takes calls until the caller hangs up.
async fn serve(mut stream: TcpStream, ledger: Ledger, manner: Arc<AtomicU8>, answers_after: Duration) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(4 << 10);
    loop {
        let head = loop {
            if let Some(head) = find(&buffer, b"\r\n\r\n") {
                break head + 4;
            }
            (stream.read_buf(&mut buffer).await.ok()? > 0).then_some(())?;
        };
        let length = number_after(&buffer[..head].to_ascii_lowercase(), b"content-length: ").unwrap_or(0);
        while buffer.len() < head + length {
            (stream.read_buf(&mut buffer).await.ok()? > 0).then_some(())?;
        }
        let first = buffer.starts_with(b"POST /0 ");
        let manner = if first { MANNERS[usize::from(manner.load(Relaxed))] } else { Manner::Well };
        match manner {
            Manner::Well => {}
            Manner::Hangs => std::future::pending().await,
            Manner::Slow => tokio::time::sleep(Duration::from_millis(14_900)).await,
            Manner::Down => return None,
        }
        if let Some(number) = number_after(&buffer[head..head + length], br#""number":"#) {
            ledger.arrive(number);
        }
        buffer.drain(..head + length);
        if !answers_after.is_zero() {
            tokio::time::sleep(answers_after).await;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.ok()?;
    }
}

pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|part| part == what)
}

/// The number behind these letters.
pub(crate) fn number_after(text: &[u8], what: &[u8]) -> Option<usize> {
    let from = find(text, what)? + what.len();
    let digits = text[from..].iter().take_while(|letter| letter.is_ascii_digit()).count();
    std::str::from_utf8(&text[from..from + digits]).ok()?.parse().ok()
}
