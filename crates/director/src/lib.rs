//! The director: the registry of tenants, systems, Logics and Integrations, the tenants' objects, and the records of runs.
//!
//! Every rule stands in `service`, one file per noun; the faces only translate. GraphQL (`graphql`), gRPC (`grpc`) and CloudEvents over
//! HTTP (`http`) are the faces there are; the first two say the same, and `tests/it/faces.rs` keeps them so. A caller may rely on CONTRACT section 2: who may do what is one table (`access`), what an input must be is
//! told with the field that breaks it (`rules`), a cursor works in its own list and tenant alone (`paging`).
//!
//! Beside the faces, [`Director::run`] works in the background: it relays the outbox to the bus and deletes what is past its time.
//!
//! To add a noun: its store contract, `service/<noun>.rs` with the operations (each begins by asking `access` for the right),
//! `graphql/<noun>.rs` with types and resolvers, the two rows in `graphql/mod.rs`, the messages and the service in `proto/tidegate/v1`, and
//! `grpc/<noun>.rs`, which carries the service out. `tests/it/schema.rs` tells when `schema.graphql` has to be written anew.
//!
//! ```no_run
//! # async fn example(parts: tidegate_director::Parts, shutdown: tokio_util::sync::CancellationToken) {
//! use std::time::Duration;
//! use tidegate_director::{Director, Options};
//!
//! let director = Director::build(
//!     Options {
//!         webhook_url: "https://gate.example.com".into(),
//!         token_url: "https://gate.example.com/oauth2/token".into(),
//!         run_bounds: tidegate_model::RunBounds::default(),
//!         call_bounds: tidegate_model::CallBounds::default(),
//!         max_body: 1024 * 1024,
//!         record_retention: Duration::from_hours(30 * 24),
//!         event_retention: Duration::from_hours(7 * 24),
//!         audit_retention: Duration::from_hours(365 * 24),
//!         trusted_proxies: tidegate_model::Proxies::default(),
//!         graphiql: false,
//!     },
//!     parts,
//! );
//! let router = director.router();
//! director.run(shutdown).await;
//! # }
//! ```

mod access;
mod door;
mod graphql;
mod grpc;
mod http;
mod openapi;
mod paging;
mod refusals;
mod relay;
mod replays;
mod retention;
mod rules;
mod service;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tidegate_model::contract::{EventLog, Notices, Objects, Registry, ScriptCheck, Trials, Vault, Verifier};
use tidegate_model::{CallBounds, Clock, Proxies, Randomness, RunBounds};
use tidegate_storage::{Safe, Sealer, Store};
use tidegate_wire::api::Public;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::door::Door;
use crate::refusals::Refusals;
use crate::relay::Relay;
use crate::replays::Replays;
use crate::retention::Retention;
use crate::service::{ObjectsService, Services, Stored, StoredRegistry};

pub use crate::graphql::sdl;

/// What the director stands on.
#[derive(Clone)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Seals webhook keys and cursors.
    pub sealer: Sealer,
    /// Where events go.
    pub events: Arc<dyn EventLog>,
    /// Tells caches of changed definitions.
    pub notices: Arc<dyn Notices>,
    /// Says whether a script may be saved.
    pub scripts: Arc<dyn ScriptCheck>,
    /// Tries scripts.
    pub trials: Arc<dyn Trials>,
    /// Says who presents a token.
    pub verifier: Arc<dyn Verifier>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws ids, keys and secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// How the director works.
#[derive(Clone, Debug)]
pub struct Options {
    /// What stands before `/webhook/<key>` in the URLs that third parties get.
    pub webhook_url: String,
    /// Where clients get their tokens.
    pub token_url: String,
    /// How far an Integration may go with the limits of its scripts.
    pub run_bounds: RunBounds,
    /// How far an Integration may go with how its calls are made.
    pub call_bounds: CallBounds,
    /// How many bytes a request may have.
    pub max_body: usize,
    /// How long records of runs are kept.
    pub record_retention: Duration,
    /// How long events are remembered: as long as one may come again.
    pub event_retention: Duration,
    /// How long entries of the audit log are kept.
    pub audit_retention: Duration,
    /// The proxies that are believed when they say who called.
    pub trusted_proxies: Proxies,
    /// Whether `/graphql` shows GraphiQL to browsers.
    pub graphiql: bool,
}

/// The objects of a store, under the director's rules: for whoever needs them before there is a director.
pub fn objects(store: Arc<dyn Store>, clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Arc<dyn Objects> {
    let schemas = Arc::default();
    Arc::new(ObjectsService { store: Arc::new(Stored(store)), schemas, clock, randomness, caller: None })
}

/// The director, built. Cheap to clone.
#[derive(Clone)]
pub struct Director {
    router: Router,
    grpc: Public,
    registry: Arc<dyn Registry>,
    safe: Safe,
    objects: Arc<ObjectsService>,
    relay: Arc<Relay>,
    retention: Arc<Retention>,
    replays: Arc<Replays>,
    refusals: Arc<Refusals>,
}

impl Director {
    /// Puts the parts together; nothing runs yet.
    pub fn build(options: Options, parts: Parts) -> Self {
        let Parts { store, sealer, events, notices, scripts, trials, verifier, clock, randomness } = parts;
        let shelf = Arc::new(Stored(store.clone()));
        let objects = Arc::new(ObjectsService {
            store: shelf,
            schemas: Arc::default(),
            clock: clock.clone(),
            randomness: randomness.clone(),
            caller: None,
        });
        let relay =
            Relay { store: store.clone(), events: events.clone(), clock: clock.clone(), holder: randomness.uuid() };
        let retention = Retention {
            store: store.clone(),
            clock: clock.clone(),
            records: options.record_retention,
            events: options.event_retention,
            audit: options.audit_retention,
        };
        let replay_begun = Arc::new(Notify::new());
        let replays = Replays {
            store: store.clone(),
            clock: clock.clone(),
            randomness: randomness.clone(),
            begun: replay_begun.clone(),
        };
        let registry = Arc::new(StoredRegistry(store.clone()));
        let safe = Safe::new(store.clone(), sealer.clone(), clock.clone(), randomness.clone());
        let graphiql = options.graphiql.then(|| options.token_url.clone());
        let refusals = Arc::new(Refusals::new(store.clone(), clock.clone(), randomness.clone()));
        let door =
            Door { verifier, store: store.clone(), proxies: options.trusted_proxies, refusals: refusals.clone() };
        let services = Services {
            // What callers change is told of; what is not, is not made.
            store: store.accountable(),
            safe: safe.clone(),
            sealer,
            events,
            notices,
            scripts,
            trials,
            objects: objects.clone(),
            replay_begun,
            clock,
            randomness,
            run_bounds: options.run_bounds,
            call_bounds: options.call_bounds,
            webhook_url: options.webhook_url.trim_end_matches('/').to_owned(),
            token_url: options.token_url,
        };
        let (services, door) = (Arc::new(services), Arc::new(door));
        let grpc = grpc::public(services.clone(), door.clone(), options.max_body);
        let router = http::router(services, door, options.max_body, graphiql.as_deref());
        let (relay, retention, replays) = (Arc::new(relay), Arc::new(retention), Arc::new(replays));
        Self { router, grpc, registry, safe, objects, relay, retention, replays, refusals }
    }

    /// `POST /graphql`, `POST /v1/events`, and the documents of Integrations; GraphiQL, where it is on.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The services of `tidegate.v1`.
    pub fn grpc(&self) -> Public {
        self.grpc.clone()
    }

    /// The definitions, for the data plane.
    pub fn registry(&self) -> Arc<dyn Registry> {
        self.registry.clone()
    }

    /// Third parties' secrets, for the data plane.
    pub fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(self.safe.clone())
    }

    /// The objects, for scripts.
    pub fn objects(&self) -> Arc<dyn Objects> {
        self.objects.clone()
    }

    /// Relays the outbox, works replays off, writes down what was refused and prunes what is old, until shutdown. Several processes may do so at once: one of them relays.
    pub async fn run(&self, shutdown: CancellationToken) {
        let (relay, replays) = (self.relay.run(shutdown.clone()), self.replays.run(shutdown.clone()));
        tokio::join!(relay, replays, self.refusals.run(shutdown.clone()), self.retention.run(shutdown));
    }
}
