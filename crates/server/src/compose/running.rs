//! The composed roles at work, and their end: first nobody is invited any more, then no new calls, then what is under way, then the ground.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tidegate_director::Director;
use tidegate_engine::Engine;
use tidegate_outgoing_dispatcher::Dispatcher;
use tidegate_storage::Store;
use tidegate_webhook_gateway::Gateway;
use tidegate_wire::api::Public;
use tidegate_wire::grpc;
use tidegate_wire::nats::Nats;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bus::Kept;
use super::clock::SharedClock;
use super::ground::Ground;
use super::{Sources, options};
use crate::config::Config;
use crate::health::Health;
use crate::listen::{Farewell, Listener};

/// How long the last steps may take after `http.drain`.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// Between two looks at what gRPC's health is to say.
const LOOK: Duration = Duration::from_secs(2);

/// The roles of this process, built.
pub(crate) struct Composed {
    router: Router,
    health: Health,
    grpc_health: Option<grpc::Health>,
    director: Option<Director>,
    gateway: Option<Gateway>,
    dispatcher: Option<Dispatcher>,
    engine: Option<Engine>,
    trials: Option<Engine>,
    store: Option<Arc<dyn Store>>,
    clock: Arc<SharedClock>,
    nats: Option<Arc<Nats>>,
}

impl Composed {
    pub(super) fn new(mut health: Health, ground: &Ground, sources: &Sources) -> Self {
        if let Some(store) = ground.store() {
            let store = store.clone();
            health.depend("database", true, move || {
                let store = store.clone();
                async move { store.ping().await.is_ok() }
            });
        }
        // Where there is a store, what the bus does not take waits there; without one the bus keeps the records.
        match (&ground.bus().nats, &ground.bus().events) {
            (Some(nats), _) if ground.store().is_none() => {
                let nats = nats.clone();
                health.depend("bus", true, move || {
                    let nats = nats.clone();
                    async move { nats.can_record().await }
                });
            }
            (_, Some(events)) => {
                let events = events.clone();
                health.depend("bus", false, move || {
                    let events = events.clone();
                    async move { events.bounds().await.is_ok() }
                });
            }
            (_, None) => {}
        }
        Self {
            router: Router::new(),
            health,
            grpc_health: None,
            director: None,
            gateway: None,
            dispatcher: None,
            engine: None,
            trials: None,
            store: ground.store().cloned(),
            clock: sources.clock.clone(),
            nats: ground.bus().nats.clone(),
        }
    }

    /// Another role without which this process begins nothing; once met, it may be away for a while.
    pub(super) fn meet<F>(&mut self, role: &'static str, ask: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.health.meet(role, ask);
    }

    pub(super) fn routes(&mut self, routes: Router) {
        self.router = std::mem::take(&mut self.router).merge(routes);
    }

    pub(super) fn grpc_health(&mut self, health: grpc::Health) {
        self.grpc_health = Some(health);
    }

    pub(super) fn direct(&mut self, director: Director) {
        self.routes(director.router());
        self.director = Some(director);
    }

    /// The director's services, where it is here.
    pub(super) fn public(&self) -> Option<Public> {
        self.director.as_ref().map(Director::grpc)
    }

    pub(super) fn engine(&mut self, engine: Engine) {
        self.engine = Some(engine);
    }

    pub(super) fn trials(&mut self, engine: Engine) {
        self.trials = Some(engine);
    }

    pub(super) fn gate(&mut self, gateway: Gateway) {
        self.routes(gateway.router());
        self.gateway = Some(gateway);
    }

    pub(super) fn dispatch(&mut self, dispatcher: Dispatcher) {
        self.dispatcher = Some(dispatcher);
    }

    /// Works until `stop`, then ends in order. Fails when a part of it ended by itself.
    pub(crate) async fn run(self, listener: Listener, config: &Config, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { router, health, grpc_health, director, gateway, dispatcher, engine, trials, store, clock, nats } =
            self;
        // What calls under way still need goes on until they are through.
        let late = CancellationToken::new();
        let mut work: JoinSet<&'static str> = JoinSet::new();
        if let Some(store) = store.clone() {
            let late = late.clone();
            work.spawn(async move {
                clock.follow(&*store, &late).await;
                "clock"
            });
        }
        if let (Some(_), Some(nats), Some(store)) = (&director, &nats, &store) {
            let (nats, kept, late) = (nats.clone(), Arc::new(Kept(store.clone())), late.clone());
            work.spawn(async move {
                nats.drain_records(kept, late).await;
                "records from the bus"
            });
        }
        if let Some(director) = director {
            let late = late.clone();
            work.spawn(async move {
                director.run(late).await;
                "director"
            });
        }
        if let Some(dispatcher) = dispatcher {
            let stop = stop.clone();
            work.spawn(async move {
                if let Err(unsettled) = dispatcher.run(stop).await {
                    tracing::warn!("{unsettled}");
                }
                "outgoing-dispatcher"
            });
        }
        let watched = async {
            match work.join_next().await {
                Some(ended) if !stop.is_cancelled() => Some(ended),
                Some(_) | None => std::future::pending().await,
            }
        };
        let end = Farewell { asked: stop.clone(), closed: CancellationToken::new() };
        let (closed, router) = (end.closed.clone(), router.merge(health.clone().router()));
        let lingering = async {
            if let Some(told) = grpc_health {
                // gRPC's health says what /readyz does.
                stop.run_until_cancelled(async {
                    loop {
                        told.set_serving(health.is_ready().await).await;
                        tokio::time::sleep(LOOK).await;
                    }
                })
                .await;
                told.set_serving(false).await;
            }
            stop.cancelled().await;
            closed.run_until_cancelled(tokio::time::sleep(config.linger)).await;
            closed.cancel();
        };
        let serving = async {
            tokio::join!(listener.serve(router, options::listener(config), end, config.drain), lingering);
        };
        tokio::pin!(serving);
        let broken = tokio::select! {
            () = &mut serving => None,
            ended = watched => ended,
        };
        if let Some(ended) = &broken {
            tracing::error!(part = ?ended, "a part of the process ended by itself");
            stop.cancel();
            closed.cancel();
            serving.await;
        }
        let ended = tokio::time::timeout(LAST_STEPS, async {
            if let Some(gateway) = gateway {
                gateway.drain().await;
            }
            late.cancel();
            while work.join_next().await.is_some() {}
            for engine in [engine, trials].into_iter().flatten() {
                engine.stop().await;
            }
            if let Some(nats) = nats {
                nats.close().await;
            }
            if let Some(store) = store {
                store.close().await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!("not everything came to its end in time");
        }
        anyhow::ensure!(broken.is_none(), "a part of the process ended by itself");
        Ok(())
    }
}
