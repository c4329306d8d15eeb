//! A destination behind a socket: it keeps what it got and answers what it was told to.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::eventually;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// A status, headers, and a body.
    Full(u16, Vec<(&'static str, &'static str)>, Vec<u8>),
    /// Never.
    Hang,
    /// 200, once somebody says so.
    When(Arc<Notify>),
}

#[derive(Default)]
struct Memory {
    got: Vec<Got>,
    /// What comes next, by path; then 200.
    answers: HashMap<String, VecDeque<Answer>>,
    hanging: Vec<String>,
}

pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(memory.clone());
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        Self { address, memory }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers on a path; afterwards 200.
    pub(crate) fn will(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.memory.lock().unwrap().answers.entry(path.to_owned()).or_default().extend(answers);
    }

    /// No call of this path is ever answered.
    pub(crate) fn hang(&self, path: &str) {
        self.memory.lock().unwrap().hanging.push(path.to_owned());
    }

    pub(crate) fn got(&self, path: &str) -> Vec<Got> {
        self.memory.lock().unwrap().got.iter().filter(|got| got.path == path).cloned().collect()
    }

    /// Waits for as many calls of a path, and answers them.
    pub(crate) async fn calls(&self, path: &str, count: usize) -> Vec<Got> {
        let seen = eventually(async || self.got(path).len() >= count).await;
        let got = self.got(path);
        assert!(seen, "{path} was called {} times, not {count}", got.len());
        got
    }
}

async fn receive(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let answer = {
        let mut memory = memory.lock().unwrap();
        let query = uri.query().map(str::to_owned);
        memory.got.push(Got { method, path: path.clone(), query, headers, body: body.to_vec() });
        if memory.hanging.contains(&path) {
            Answer::Hang
        } else {
            memory.answers.get_mut(&path).and_then(VecDeque::pop_front).unwrap_or(Answer::Status(200))
        }
    };
    match answer {
        Answer::Status(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
        Answer::Full(status, headers, body) => {
            let response = Response::builder().status(status);
            let response = headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
            response.body(body.into()).unwrap()
        }
        Answer::Hang => std::future::pending().await,
        Answer::When(said) => {
            said.notified().await;
            Response::new(Body::empty())
        }
    }
}
