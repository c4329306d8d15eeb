//! A third party that takes every call, remembers it, and answers as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::sync::watch;

use super::eventually;

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Default)]
struct Taken {
    calls: Vec<Call>,
    answers: HashMap<String, Vec<u16>>,
    failing: HashMap<String, u64>,
    /// The status of each call, in their order.
    statuses: Vec<u16>,
    held: HashMap<String, watch::Sender<bool>>,
}

/// The third party.
pub(crate) struct Sink {
    port: u16,
    taken: Arc<Mutex<Taken>>,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let taken: Arc<Mutex<Taken>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(take).with_state(Arc::clone(&taken));
        let task = tokio::task::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, taken, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers calls of a path with these statuses, one after the other, and with 200 after that.
    pub(crate) fn answer(&self, path: &str, statuses: &[u16]) {
        self.taken.lock().unwrap().answers.insert(path.to_owned(), statuses.iter().rev().copied().collect());
    }

    /// Answers about so many of a hundred calls of a path with 503.
    pub(crate) fn fail_sometimes(&self, path: &str, percent: u64) {
        self.taken.lock().unwrap().failing.insert(path.to_owned(), percent);
    }

    /// Answers no call of a path until it is released.
    pub(crate) fn hold(&self, path: &str) {
        self.taken.lock().unwrap().held.insert(path.to_owned(), watch::channel(false).0);
    }

    pub(crate) fn release(&self, path: &str) {
        let held = self.taken.lock().unwrap().held.remove(path);
        held.unwrap().send_replace(true);
    }

    /// The calls of a path so far.
    pub(crate) fn calls(&self, path: &str) -> Vec<Call> {
        self.taken.lock().unwrap().calls.iter().filter(|call| call.path == path).cloned().collect()
    }

    /// The calls of a path so far, with what each was answered.
    pub(crate) fn answered(&self, path: &str) -> Vec<(Call, u16)> {
        let taken = self.taken.lock().unwrap();
        let all = taken.calls.iter().zip(&taken.statuses).filter(|(call, _)| call.path == path);
        all.map(|(call, status)| (call.clone(), *status)).collect()
    }

    /// Waits for that many calls of a path.
    pub(crate) async fn wait_for(&self, path: &str, count: usize) -> Vec<Call> {
        eventually(&format!("{count} calls of {path}"), || async {
            Some(self.calls(path)).filter(|calls| calls.len() >= count)
        })
        .await
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(taken): State<Arc<Mutex<Taken>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let path = uri.path().to_owned();
    let (status, held) = {
        let mut taken = taken.lock().unwrap();
        let fails = taken.failing.get(&path).is_some_and(|percent| random() % 100 < *percent);
        let otherwise = if fails { 503 } else { 200 };
        let status = taken.answers.get_mut(&path).and_then(Vec::pop).unwrap_or(otherwise);
        taken.statuses.push(status);
        let held = taken.held.get(&path).map(watch::Sender::subscribe);
        taken.calls.push(Call { method, path, query: uri.query().map(str::to_owned), headers, body });
        (status, held)
    };
    if let Some(mut held) = held {
        let _ = held.wait_for(|released| *released).await;
    }
    (StatusCode::from_u16(status).unwrap(), "taken")
}

fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}
