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

/// What was answered with success, by the id of the object that it is about.
#[derive(Clone, Default)]
pub(super) struct Accepted(Arc<Mutex<BTreeSet<String>>>);

impl Accepted {
    pub(super) fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The load.
pub(super) struct Load {
    pub(super) webhooks: Accepted,
    pub(super) events: Accepted,
    /// How everything else ended.
    refused: Arc<Mutex<Vec<String>>>,
    patience: Duration,
    asked: Arc<AtomicU32>,
    done: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins with webhooks and events, each of which is given up after some time.
    pub(super) fn begin(webhook: &str, api: &Api, patience: Duration) -> Self {
        let mut load = Self {
            webhooks: Accepted::default(),
            events: Accepted::default(),
            refused: Arc::default(),
            patience,
            asked: Arc::default(),
            done: Arc::default(),
            tasks: Vec::new(),
        };
        for _ in 0..TASKS {
            let url = webhook.to_owned();
            load.also("w", load.webhooks.clone(), move |id| http().post(&url).json(&json!({ "id": id })));
            let api = api.clone();
            load.also("e", load.events.clone(), move |id| {
                api.post("/v1/events").header("Content-Type", "application/cloudevents+json").body(event(id))
            });
        }
        load
    }

    /// One more caller, whose calls are as `request` makes them.
    pub(super) fn also(
        &mut self,
        kind: &'static str,
        accepted: Accepted,
        request: impl Fn(&str) -> reqwest::RequestBuilder + Send + 'static,
    ) {
        self.calls(move |asked, _| format!("{kind}-{asked}"), accepted, request);
    }

    /// One more caller, whose next id comes from how many calls there were, and from whether its last one was accepted.
    pub(super) fn calls(
        &mut self,
        mut next: impl FnMut(u32, bool) -> String + Send + 'static,
        accepted: Accepted,
        request: impl Fn(&str) -> reqwest::RequestBuilder + Send + 'static,
    ) {
        let (asked, done) = (Arc::clone(&self.asked), Arc::clone(&self.done));
        let (refused, patience) = (Arc::clone(&self.refused), self.patience);
        self.tasks.push(tokio::task::spawn(async move {
            let mut well = false;
            while !done.load(Ordering::Relaxed) {
                let id = next(asked.fetch_add(1, Ordering::Relaxed), well);
                let answered = answer(request(&id).timeout(patience)).await;
                well = answered.is_ok();
                match answered {
                    Ok(()) => drop(accepted.0.lock().unwrap().insert(id)),
                    Err(why) => refused.lock().unwrap().push(format!("{id}: {why}")),
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

    /// What was not answered with success so far, and how it ended.
    pub(super) fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap().clone()
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

/// Where the test has failed, it is told how the last calls did.
impl Drop for Load {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let refused = self.refused();
            eprintln!(
                "{} calls were refused, at last {:#?}",
                refused.len(),
                &refused[refused.len().saturating_sub(10)..]
            );
        }
    }
}

/// A success is one once all of its answer is here.
async fn answer(request: reqwest::RequestBuilder) -> Result<(), String> {
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| format!("{status}, then {error:?}"))?;
    if status.is_success() && !text.contains("\"errors\"") { Ok(()) } else { Err(format!("{status}: {text}")) }
}

fn event(id: &str) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "/legacy", "type": "tidegate.Order.create",
        "subject": format!("acme/Order/{id}"), "datacontenttype": "application/json",
        "data": { "objectId": id, "new": { "qty": 5 } },
    })
    .to_string()
}
