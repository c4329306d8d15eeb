//! The gateway: options in, a running thing out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tidegate_engine::Engine;
use tidegate_model::contract::{Recorder, Registry};
use tidegate_model::{Clock, Randomness};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::router;

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the largest body.
    pub max_body: usize,
    /// How long a caller may take to send its body.
    pub body_timeout: Duration,
    /// Calls in hand at once, each with a body in memory.
    pub max_calls: usize,
    /// How long a call waits for its turn when there are that many, before it is told to come again.
    pub patience: Duration,
    /// What callers see before `/webhook/`, for `requestUrl`; `None` is `http://` and the `Host` they name.
    pub public_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 1 << 20,
            body_timeout: Duration::from_secs(30),
            max_calls: 512,
            patience: Duration::from_secs(1),
            public_url: None,
        }
    }
}

/// What the gateway is built of.
pub struct Parts {
    /// Tells what stands behind a key.
    pub registry: Arc<dyn Registry>,
    /// Keeps what happened.
    pub recorder: Arc<dyn Recorder>,
    /// Runs the scripts.
    pub engine: Engine,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws ids.
    pub randomness: Arc<dyn Randomness>,
}

/// The webhook gateway, cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    service: Arc<Service>,
}

pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) parts: Parts,
    pub(crate) turns: Arc<Semaphore>,
    /// Runs that have begun, which a caller that hangs up must not cut off from their records.
    pub(crate) runs: TaskTracker,
}

impl Gateway {
    /// Builds the gateway; nothing happens before its routes are served.
    pub fn build(options: Options, parts: Parts) -> Self {
        let turns = Arc::new(Semaphore::new(options.max_calls));
        Self { service: Arc::new(Service { options, parts, turns, runs: TaskTracker::new() }) }
    }

    /// The public endpoint.
    pub fn router(&self) -> Router {
        router::routes(self.service.clone())
    }

    /// Waits for the runs that have begun, and their records. To be called once no new calls come in, before the engine is stopped.
    pub async fn drain(&self) {
        self.service.runs.close();
        self.service.runs.wait().await;
    }
}
