//! A line to PostgreSQL on which each statement is a step: it is seen, and can be stopped at. The tests of several crates include this file.
#![allow(clippy::disallowed_methods, reason = "what it spawns ends with the test")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A statement that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its text, behind those of its transaction before it.
    pub(crate) path: String,
    /// What the server said that it did, such as `INSERT 0 1`.
    pub(crate) done: String,
}

/// Where a line stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server never hears of this step.
    Before(String),
    /// The server takes this step, and nobody hears of that.
    After(String),
}

/// The line: a port of its own in front of a server.
pub(crate) struct Steps {
    port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    seen: Mutex<Vec<(String, Arc<OnceLock<String>>)>>,
    stop: Mutex<Option<Stop>>,
    is_stopped: watch::Sender<bool>,
    /// Whoever was connected before the last cut is connected no longer.
    cuts: watch::Sender<u32>,
}

impl Steps {
    /// In front of the server of this URL.
    pub(crate) async fn before(database: &str) -> Self {
        let server = place(database).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            stop: Mutex::default(),
            is_stopped: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
        });
        let line = Arc::clone(&shared);
        let task = tokio::task::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::task::spawn(connect(near, server.clone(), Arc::clone(&line)));
            }
        });
        Self { port, shared, task }
    }

    /// The same database, through the line.
    pub(crate) fn url(&self, database: &str) -> String {
        let through = database.replacen(place(database), &format!("127.0.0.1:{}", self.port), 1);
        let (through, _) = through.split_once('?').unwrap_or((&through, ""));
        // What is encrypted cannot be seen.
        format!("{through}?sslmode=disable")
    }

    /// The steps since this was asked last; what was begun has ended by then. That a transaction is given up is no step.
    pub(crate) async fn seen(&self) -> Vec<Step> {
        let mut seen = std::mem::take(&mut *self.shared.seen.lock().unwrap());
        seen.retain(|(path, _)| !path.ends_with("ROLLBACK"));
        for _ in 0..60_000 {
            if seen.iter().all(|(_, done)| done.get().is_some()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let step = |(path, done): (String, Arc<OnceLock<String>>)| Step {
            path,
            done: done.get().cloned().unwrap_or_default(),
        };
        seen.into_iter().map(step).collect()
    }

    /// Stops there, once.
    pub(crate) fn stop_at(&self, stop: Stop) {
        self.shared.is_stopped.send_replace(false);
        *self.shared.stop.lock().unwrap() = Some(stop);
    }

    /// Waits until it has stopped there.
    pub(crate) async fn stopped(&self) {
        self.shared.is_stopped.subscribe().wait_for(|is_stopped| *is_stopped).await.unwrap();
    }

    /// Cuts every connection, and stops nowhere any longer.
    pub(crate) fn cut(&self) {
        *self.shared.stop.lock().unwrap() = None;
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

/// Host and port of a URL.
fn place(database: &str) -> &str {
    let (_, rest) = database.split_once("://").unwrap();
    rest.split('/').next().unwrap().rsplit('@').next().unwrap()
}

/// The steps that were sent on one connection and not answered yet.
#[derive(Default)]
struct Sent {
    waiting: VecDeque<Arc<OnceLock<String>>>,
    /// The answer to this one is kept back.
    kept_back: Option<Arc<OnceLock<String>>>,
}

async fn connect(near: TcpStream, server: String, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    let Ok(far) = TcpStream::connect(server).await else { return };
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    let sent = Arc::new(Mutex::new(Sent::default()));
    tokio::select! {
        _ = requests(from_near, to_far, &shared, &sent) => {}
        _ = answers(from_far, to_near, &shared, &sent) => {}
        _ = cuts.changed() => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, sent: &Mutex<Sent>) -> Option<()> {
    let mut buffer = Vec::new();
    let (mut texts, mut transaction) = (HashMap::new(), Vec::new());
    // The first message of a connection has no kind.
    let mut kinds = 0;
    loop {
        let message = loop {
            match split(&mut buffer, kinds) {
                Some(message) => break message,
                None if from.read_buf(&mut buffer).await.ok()? == 0 => return None,
                None => {}
            }
        };
        let statement = if kinds == 0 { None } else { statement(&message, &mut texts) };
        kinds = 1;
        if let Some(text) = statement {
            let done = Arc::new(OnceLock::new());
            let path = follow(&mut transaction, &text);
            let stop = shared
                .stop
                .lock()
                .unwrap()
                .take_if(|stop| matches!(stop, Stop::Before(at) | Stop::After(at) if *at == path));
            if let Some(Stop::Before(_)) = stop {
                shared.is_stopped.send_replace(true);
                std::future::pending::<()>().await;
            }
            shared.seen.lock().unwrap().push((path, Arc::clone(&done)));
            let mut sent = sent.lock().unwrap();
            sent.kept_back = stop.map(|_| Arc::clone(&done));
            sent.waiting.push_back(done);
        }
        to.write_all(&message).await.ok()?;
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, sent: &Mutex<Sent>) -> Option<()> {
    let (mut buffer, mut done) = (Vec::new(), Vec::new());
    loop {
        while let Some(message) = split(&mut buffer, 1) {
            match message[0] {
                b'C' => done.push(text(&message[5..]).0),
                b'E' => done.push("refused".to_owned()),
                b'Z' => {
                    let (said, mut sent) = (std::mem::take(&mut done), sent.lock().unwrap());
                    // Preparing a statement is answered too, and does nothing.
                    if !said.is_empty()
                        && let Some(step) = sent.waiting.pop_front()
                    {
                        let _ = step.set(said.join(", "));
                        if sent.kept_back.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, &step)) {
                            shared.is_stopped.send_replace(true);
                        }
                    }
                }
                _ => {}
            }
            let keeps_back = sent.lock().unwrap().kept_back.is_some();
            if !keeps_back {
                to.write_all(&message).await.ok()?;
            }
        }
        if from.read_buf(&mut buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Takes the first message, once all of it is there; so many bytes tell its kind, and four how long the rest is.
fn split(buffer: &mut Vec<u8>, kinds: usize) -> Option<Vec<u8>> {
    let length = buffer.get(kinds..kinds + 4)?.try_into().ok().map(u32::from_be_bytes)?;
    let whole = kinds + usize::try_from(length).unwrap();
    (buffer.len() >= whole).then(|| buffer.drain(..whole).collect())
}

/// The statement that this message has executed. What it prepares is remembered by its name.
fn statement(message: &[u8], texts: &mut HashMap<String, String>) -> Option<String> {
    let body = &message[5..];
    match message[0] {
        b'Q' => Some(text(body).0),
        b'P' => {
            let (name, rest) = text(body);
            texts.insert(name, text(rest).0);
            None
        }
        b'B' => {
            let (_, rest) = text(body);
            Some(texts[&text(rest).0].clone())
        }
        _ => None,
    }
}

/// A text that ends with a zero, and what is behind it.
fn text(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 1..])
}

/// The place of a statement within its transaction.
fn follow(transaction: &mut Vec<String>, text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let begins = text.starts_with("BEGIN");
    if begins {
        transaction.clear();
    }
    let is_within = begins || !transaction.is_empty();
    transaction.push(text);
    let path = transaction.join(" > ");
    if !is_within || ["COMMIT", "ROLLBACK"].contains(&transaction.last().map_or("", String::as_str)) {
        transaction.clear();
    }
    path
}
