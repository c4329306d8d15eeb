//! A destination that writes its answers byte by byte, as no server would.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// What a connection says.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// This, and then it is closed.
    Then(String),
    /// This, and then nothing any more.
    AndWaits(String),
}

pub(crate) struct Raw {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

struct Memory {
    answers: VecDeque<Says>,
    calls: usize,
}

impl Raw {
    /// Answers so, one connection after another; afterwards 200.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Mutex::new(Memory { answers: answers.into_iter().collect(), calls: 0 }));
        let (known, tracker) = (memory.clone(), TaskTracker::new());
        tracker.clone().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tracker.spawn(answer(stream, known.clone()));
            }
        });
        Self { address, memory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.memory.lock().unwrap().calls
    }
}

async fn answer(stream: TcpStream, memory: Arc<Mutex<Memory>>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let says = {
        let mut memory = memory.lock().unwrap();
        memory.calls += 1;
        memory.answers.pop_front().unwrap_or_else(|| Says::Then("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()))
    };
    let (Says::Then(text) | Says::AndWaits(text)) = &says;
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.flush().await;
    match says {
        Says::Then(_) => drop(stream.shutdown().await),
        Says::AndWaits(_) => std::future::pending().await,
    }
}
