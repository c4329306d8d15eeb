//! `/healthz`: the process answers. `/readyz`: what it depends on answers too, and it is not about to stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, join_all};
use http::StatusCode;
use tokio_util::sync::CancellationToken;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

type Ask = dyn Fn() -> BoxFuture<'static, bool> + Send + Sync;

/// The dependencies of this process, by name.
#[derive(Clone)]
pub(crate) struct Health {
    stopping: CancellationToken,
    dependencies: Vec<(&'static str, Arc<Ask>)>,
}

impl Health {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self { stopping, dependencies: Vec::new() }
    }

    /// Adds a dependency and how to ask it.
    pub(crate) fn depend<F>(&mut self, name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.dependencies.push((name, Arc::new(move || Box::pin(ask()))));
    }

    pub(crate) fn router(self) -> Router {
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readiness)).with_state(self)
    }
}

async fn readiness(State(health): State<Health>) -> (StatusCode, Json<BTreeMap<&'static str, &'static str>>) {
    let asked = health.dependencies.iter().map(|(name, ask)| async {
        let answered = tokio::time::timeout(PATIENCE, ask()).await.unwrap_or(false);
        (*name, if answered { "ok" } else { "away" })
    });
    let mut told: BTreeMap<_, _> = join_all(asked).await.into_iter().collect();
    told.insert("process", if health.stopping.is_cancelled() { "stopping" } else { "ok" });
    let ready = told.values().all(|state| *state == "ok");
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(told))
}
