//! `/healthz`: the process answers. `/readyz`: what it cannot do without answers too, and it is not about to stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    need: Need,
    ask: Arc<Ask>,
}

#[derive(Clone)]
enum Need {
    /// Nobody can be answered without it.
    Vital,
    /// It is told, and waited for.
    Soft,
    /// It must have answered once; then it is not asked any longer.
    Once(Arc<AtomicBool>),
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
        let need = if vital { Need::Vital } else { Need::Soft };
        self.dependencies.push(Dependency { name, need, ask: Arc::new(move || Box::pin(ask())) });
    }

    /// Adds what must answer once before this process can do anything, and may be away later: what it said is remembered for a while, and a
    /// process that never was let in takes no other one's place.
    pub(crate) fn meet<F>(&mut self, name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let need = Need::Once(Arc::default());
        self.dependencies.push(Dependency { name, need, ask: Arc::new(move || Box::pin(ask())) });
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.look().await.0
    }

    /// Whether it is ready, and how each dependency is.
    async fn look(&self) -> (bool, BTreeMap<&'static str, &'static str>) {
        let stopping = self.stopping.is_cancelled();
        let mut ready = !stopping;
        let mut told = BTreeMap::from([("process", if stopping { "stopping" } else { "ok" })]);
        let looks =
            self.dependencies.iter().map(|dependency| async move { (dependency.name, dependency.look().await) });
        for (name, (enough, how)) in join_all(looks).await {
            ready &= enough;
            told.insert(name, how);
        }
        (ready, told)
    }

    pub(crate) fn router(self) -> Router {
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readiness)).with_state(self)
    }
}

impl Dependency {
    /// Whether it is no reason not to be ready, and how it is.
    async fn look(&self) -> (bool, &'static str) {
        if let Need::Once(met) = &self.need
            && met.load(Ordering::Relaxed)
        {
            return (true, "met");
        }
        let answered = tokio::time::timeout(PATIENCE, (self.ask)()).await.unwrap_or(false);
        if let Need::Once(met) = &self.need
            && answered
        {
            met.store(true, Ordering::Relaxed);
        }
        (answered || matches!(self.need, Need::Soft), if answered { "ok" } else { "away" })
    }
}

async fn readiness(State(health): State<Health>) -> (StatusCode, Json<BTreeMap<&'static str, &'static str>>) {
    let (ready, told) = health.look().await;
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(told))
}

/// What is answered while what this process needs is waited for.
pub(crate) fn not_yet() -> Router {
    let told = || async { (StatusCode::SERVICE_UNAVAILABLE, Json(BTreeMap::from([("process", "waiting")]))) };
    let later = || async { (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]) };
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(told)).fallback(later)
}
