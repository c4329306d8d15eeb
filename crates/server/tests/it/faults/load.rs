//! Callers and publishers that go on whatever happens, and remember what they were promised.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::harness::api::http;
use crate::harness::{Api, eventually};

/// So many of each, each with a pause after a call: enough to have work in every place at any moment, few enough to count all of it.
const TASKS: usize = 3;
const PAUSE: Duration = Duration::from_millis(40);
const PATIENCE: Duration = Duration::from_secs(5);

/// What was answered with success, by the id of the object that it is about.
#[derive(Clone, Default)]
pub(super) struct Accepted(Arc<Mutex<BTreeSet<String>>>);

impl Accepted {
    pub(super) fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The load.
pub(super) struct Load {
    pub(super) webhooks: Accepted,
    pub(super) events: Accepted,
    asked: Arc<AtomicU32>,
    done: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub(super) fn begin(webhook: &str, api: &Api) -> Self {
        let mut load = Self {
            webhooks: Accepted::default(),
            events: Accepted::default(),
            asked: Arc::default(),
            done: Arc::default(),
            tasks: Vec::new(),
        };
        for _ in 0..TASKS {
            let url = webhook.to_owned();
            load.go_on("w", load.webhooks.clone(), move |id| http().post(&url).json(&json!({ "id": id })));
            let api = api.clone();
            load.go_on("e", load.events.clone(), move |id| {
                api.post("/v1/events").header("Content-Type", "application/cloudevents+json").body(event(id))
            });
        }
        load
    }

    fn go_on(
        &mut self,
        kind: &'static str,
        accepted: Accepted,
        request: impl Fn(&str) -> reqwest::RequestBuilder + Send + 'static,
    ) {
        let (asked, done) = (Arc::clone(&self.asked), Arc::clone(&self.done));
        self.tasks.push(tokio::task::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let id = format!("{kind}-{}", asked.fetch_add(1, Ordering::Relaxed));
                let answer = request(&id).timeout(PATIENCE).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    accepted.0.lock().unwrap().insert(id);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }

    /// Waits until so many more of each kind are accepted.
    pub(super) async fn goes_on(&self, more: usize) {
        let (webhooks, events) = (self.webhooks.len() + more, self.events.len() + more);
        eventually("webhooks and events are accepted", || async {
            (self.webhooks.len() >= webhooks && self.events.len() >= events).then_some(())
        })
        .await;
    }

    /// Ends it; answers how much was asked for.
    pub(super) async fn end(&mut self) -> u32 {
        self.done.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
        self.asked.load(Ordering::Relaxed)
    }
}

fn event(id: &str) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "/legacy", "type": "tidegate.Order.create",
        "subject": format!("acme/Order/{id}"), "datacontenttype": "application/json",
        "data": { "objectId": id, "new": { "qty": 5 } },
    })
    .to_string()
}
