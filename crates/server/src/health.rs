//! `/healthz`: the process answers. `/readyz`: what it cannot do without answers too, and it is not about to stop.

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

#[derive(Clone)]
struct Dependency {
    name: &'static str,
    vital: bool,
    ask: Arc<Ask>,
}

/// The dependencies of this process, by name.
#[derive(Clone)]
pub(crate) struct Health {
    stopping: CancellationToken,
    dependencies: Vec<Dependency>,
}

impl Health {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self { stopping, dependencies: Vec::new() }
    }

    /// Adds a dependency and how to ask it. Without a vital one this process can answer nobody; another one is told and waited for.
    pub(crate) fn depend<F>(&mut self, name: &'static str, vital: bool, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.dependencies.push(Dependency { name, vital, ask: Arc::new(move || Box::pin(ask())) });
    }

    pub(crate) fn router(self) -> Router {
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readiness)).with_state(self)
    }
}

async fn readiness(State(health): State<Health>) -> (StatusCode, Json<BTreeMap<&'static str, &'static str>>) {
    let asked = health.dependencies.iter().map(|dependency| async move {
        let answered = tokio::time::timeout(PATIENCE, (dependency.ask)()).await.unwrap_or(false);
        (dependency, answered)
    });
    let stopping = health.stopping.is_cancelled();
    let mut ready = !stopping;
    let mut told = BTreeMap::from([("process", if stopping { "stopping" } else { "ok" })]);
    for (dependency, answered) in join_all(asked).await {
        ready &= answered || !dependency.vital;
        told.insert(dependency.name, if answered { "ok" } else { "away" });
    }
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(told))
}
