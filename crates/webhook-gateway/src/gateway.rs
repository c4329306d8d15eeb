//! The gateway: options in, a running thing out.

use std::sync::Arc;

use axum::Router;
use tidegate_engine::Engine;
use tidegate_model::contract::{Recorder, Registry, Repeats, Vault};
use tidegate_model::schema::Schemas;
use tidegate_model::{Clock, Randomness};
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::away::Away;
use crate::options::Options;
use crate::rate::Rates;
use crate::router;

/// What the gateway is built of.
pub struct Parts {
    /// Tells what stands behind a key.
    pub registry: Arc<dyn Registry>,
    /// Opens the secrets that signatures are checked with.
    pub vault: Arc<dyn Vault>,
    /// Keeps what happened.
    pub recorder: Arc<dyn Recorder>,
    /// Tells which calls came before, to all gateways alike.
    pub repeats: Arc<dyn Repeats>,
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
    pub(crate) admission: Arc<Admission>,
    pub(crate) rates: Rates,
    /// What callers have to send, compiled.
    pub(crate) schemas: Schemas,
    pub(crate) away: Away,
    /// Runs that have begun, which a caller that hangs up must not cut off from their records.
    pub(crate) runs: TaskTracker,
}

impl Gateway {
    /// Builds the gateway; nothing happens before its routes are served.
    pub fn build(options: Options, parts: Parts) -> Self {
        let admission = Arc::new(Admission::new(options.max_calls, options.patience));
        let service = Service {
            options,
            parts,
            admission,
            rates: Rates::default(),
            schemas: Schemas::default(),
            away: Away::default(),
            runs: TaskTracker::new(),
        };
        Self { service: Arc::new(service) }
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
