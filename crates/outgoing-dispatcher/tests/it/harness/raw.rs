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
    /// Of each call, its headers line by line.
    heads: Vec<Vec<String>>,
}

impl Raw {
    /// Answers so, one connection after another; afterwards 200.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Mutex::new(Memory { answers: answers.into_iter().collect(), heads: Vec::new() }));
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
        self.memory.lock().unwrap().heads.len()
    }

    /// The headers of a call, each as it came, in lower case.
    pub(crate) fn head(&self, call: usize) -> Vec<String> {
        self.memory.lock().unwrap().heads[call].clone()
    }
}

async fn answer(stream: TcpStream, memory: Arc<Mutex<Memory>>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length, mut head) = (String::new(), 0, Vec::new());
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        head.push(line.trim().to_ascii_lowercase());
        line.clear();
    }
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let says = {
        let mut memory = memory.lock().unwrap();
        memory.heads.push(head);
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
