//! Wiring: the only place that asks whether a role is here or in another process.
//!
//! A contract is built over the store if its role is here, else it is the other end of a wire; nothing that gets an `Arc<dyn ...>` can
//! tell. To add a role: a variant of `config::Role`, what it needs below, its routes and its background work into [`Composed`].

mod bus;
mod ground;
mod running;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tidegate_credentials::{Credentials, TokenVerifier};
use tidegate_director::Director;
use tidegate_engine::{Compiles, Egress, Engine};
use tidegate_model::contract::{Objects, Registry, TokenAuthority};
use tidegate_model::{Clock, Error, Randomness, Secret, SystemClock, SystemRandomness};
use tidegate_outgoing_dispatcher::Dispatcher;
use tidegate_webhook_gateway::Gateway;
use tidegate_wire::grpc::{self, Peer};
use tidegate_wire::{CacheOptions, CachedRegistry};
use tokio_util::sync::CancellationToken;

use crate::administrator;
use crate::config::{Config, Fault, Role, Roles};
use crate::data_dir::DataDir;
use crate::health::Health;
use ground::Ground;
pub(crate) use ground::migrate;
pub(crate) use running::Composed;

/// What is built of.
pub(crate) struct Site<'a> {
    pub(crate) config: &'a Config,
    pub(crate) roles: &'a Roles,
    /// Where the process listens.
    pub(crate) address: SocketAddr,
    /// The folder, where it remembers in one.
    pub(crate) data_dir: Option<&'a DataDir>,
    pub(crate) stop: CancellationToken,
}

/// The clock and the randomness of the process.
#[derive(Clone)]
struct Sources {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// Builds the roles of this process.
pub(crate) async fn compose(site: Site<'_>) -> anyhow::Result<Composed> {
    let Site { config, roles, .. } = site;
    let sources = Sources { clock: Arc::new(SystemClock), randomness: Arc::new(SystemRandomness) };
    let ground = Ground::lay(config, roles, site.data_dir, &sources).await?;
    let mut composed = Composed::new(Health::new(site.stop.clone()), &ground);
    let issuer = public_url(config.oauth2_url.as_ref(), site.address);

    let credentials = match ground.store() {
        Some(store) if roles.has(Role::Credentials) => {
            administrator::ensure(store, config, site.data_dir, &issuer, &sources.clock, &sources.randomness).await?;
            let parts = tidegate_credentials::Parts {
                store: store.clone(),
                sealer: ground.sealer()?,
                clock: sources.clock.clone(),
                randomness: sources.randomness.clone(),
            };
            let options = tidegate_credentials::Options::new(&issuer);
            let credentials = Credentials::build(options, parts).await.map_err(another_key)?;
            composed.routes(credentials.router());
            Some(credentials)
        }
        _ => None,
    };
    let authority: Option<Arc<dyn TokenAuthority>> = credentials.as_ref().map(Credentials::authority);

    let director = match ground.store() {
        Some(store) if roles.has(Role::Director) => {
            let asked = match &authority {
                Some(here) => here.clone(),
                None => peer(config, config.peers.credentials.as_deref(), "peers.credentials")?.authority(),
            };
            let verifier = TokenVerifier::new(asked, &issuer, &issuer, sources.clock.clone());
            let parts = tidegate_director::Parts {
                store: store.clone(),
                sealer: ground.sealer()?,
                events: ground.events()?,
                notices: ground.notices(),
                scripts: Arc::new(Compiles),
                verifier: Arc::new(verifier),
                clock: sources.clock.clone(),
                randomness: sources.randomness.clone(),
            };
            let director = Director::build(director_options(config, site.address, &issuer), parts);
            composed.routes(director.router());
            composed.direct(director.clone());
            Some(director)
        }
        _ => None,
    };

    let (registry, objects): (Arc<dyn Registry>, Arc<dyn Objects>) = match &director {
        Some(here) => (here.registry(), here.objects()),
        None if data_plane(roles) => {
            let there = peer(config, config.peers.director.as_deref(), "peers.director")?;
            (there.registry(), there.objects())
        }
        None => return finish(composed, config, None, authority, &sources).await,
    };
    let served = director.is_some().then(|| (registry.clone(), objects.clone()));
    if data_plane(roles) {
        plane(&mut composed, &site, &ground, &sources, registry, objects)?;
    }
    finish(composed, config, served, authority, &sources).await
}

/// The roles that run scripts.
fn plane(
    composed: &mut Composed,
    site: &Site<'_>,
    ground: &Ground,
    sources: &Sources,
    registry: Arc<dyn Registry>,
    objects: Arc<dyn Objects>,
) -> anyhow::Result<()> {
    let Site { config, roles, .. } = site;
    let Sources { clock, randomness } = sources.clone();
    let cached = CachedRegistry::new(registry, ground.notices(), clock.clone(), CacheOptions::default());
    let registry: Arc<dyn Registry> = Arc::new(cached);
    let egress = Egress::new(config.egress.clone())?;
    let parts = tidegate_engine::Parts {
        objects,
        clock: clock.clone(),
        randomness: randomness.clone(),
        egress: egress.clone(),
        application: application(),
    };
    let engine = Engine::start(engine_options(config), parts)?;
    composed.engine(engine.clone());
    if roles.has(Role::WebhookGateway) {
        let options = tidegate_webhook_gateway::Options {
            max_body: config.body_limit,
            public_url: config.webhook_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
            ..Default::default()
        };
        let recorder = ground.recorder()?;
        let (registry, engine, clock, randomness) =
            (registry.clone(), engine.clone(), clock.clone(), randomness.clone());
        let parts = tidegate_webhook_gateway::Parts { registry, recorder, engine, clock, randomness };
        composed.gate(Gateway::build(options, parts));
    }
    if let (true, Some(store)) = (roles.has(Role::OutgoingDispatcher), ground.store()) {
        let (store, events) = (store.clone(), ground.events()?);
        let parts = tidegate_outgoing_dispatcher::Parts { store, events, registry, engine, egress, clock, randomness };
        let options = dispatcher_options(config, ground.is_alone());
        composed.dispatch(Dispatcher::build(options, parts).context("the dispatcher's settings do not fit together")?);
    }
    Ok(())
}

/// What other processes may ask of this one, and gRPC's health and reflection.
async fn finish(
    mut composed: Composed,
    config: &Config,
    definitions: Option<(Arc<dyn Registry>, Arc<dyn Objects>)>,
    authority: Option<Arc<dyn TokenAuthority>>,
    sources: &Sources,
) -> anyhow::Result<Composed> {
    let (registry, objects) = definitions.unzip();
    // Without a secret of the operator's nobody is a peer.
    let peers = config.peers.secret.is_some();
    let server = grpc::Server {
        secret: config.peers.secret.clone().unwrap_or_else(|| Secret::generate("", &*sources.randomness)),
        registry: registry.filter(|_| peers),
        objects: objects.filter(|_| peers),
        authority: authority.filter(|_| peers),
    };
    let (routes, health) = server.routes().await?;
    composed.routes(routes);
    composed.grpc_health(health);
    Ok(composed)
}

fn data_plane(roles: &Roles) -> bool {
    roles.has(Role::WebhookGateway) || roles.has(Role::OutgoingDispatcher)
}

fn peer(config: &Config, url: Option<&str>, key: &str) -> anyhow::Result<Peer> {
    let missing = || Fault::new(key, "is missing", "the URL of that process, such as http://director:8080");
    let secret = config.peers.secret.as_ref().ok_or_else(missing)?;
    Ok(Peer::connect(url.ok_or_else(missing)?, secret)?)
}

/// What URLs begin with that others are given: as configured, or where this process listens.
pub(crate) fn public_url(configured: Option<&url::Url>, address: SocketAddr) -> String {
    let url = configured.map_or_else(|| format!("http://{address}"), ToString::to_string);
    url.trim_end_matches('/').to_owned()
}

fn application() -> tidegate_engine::Application {
    tidegate_engine::Application { name: "tidegate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn engine_options(config: &Config) -> tidegate_engine::Options {
    let mut options = tidegate_engine::Options::default();
    let limits = &mut options.limits;
    limits.incoming.wall = config.scripts.incoming;
    limits.outgoing.wall = config.scripts.outgoing;
    limits.enable.wall = limits.enable.wall.min(config.scripts.outgoing);
    options
}

fn dispatcher_options(config: &Config, alone: bool) -> tidegate_outgoing_dispatcher::Options {
    let limits = engine_options(config).limits;
    let script_limit = limits.enable.wall + limits.outgoing.wall;
    let mut options = tidegate_outgoing_dispatcher::Options {
        call_timeout: config.dispatch.timeout,
        script_limit,
        // A fifth more than the longest work: a stalled moment is not taken for death.
        lease: (script_limit + config.dispatch.timeout).mul_f32(1.2),
        grace: config.drain,
        alone,
        ..Default::default()
    };
    options.schedule.attempts = config.dispatch.attempts;
    options.schedule.first = config.dispatch.first_delay;
    options.schedule.cap = config.dispatch.max_delay;
    options
}

fn director_options(config: &Config, address: SocketAddr, issuer: &str) -> tidegate_director::Options {
    tidegate_director::Options {
        webhook_url: public_url(config.webhook_url.as_ref(), address),
        token_url: format!("{issuer}/oauth2/token"),
        max_body: config.body_limit,
        record_retention: config.retention,
        event_retention: EVENT_RETENTION,
    }
}

/// How long an event id is known: longer than a publisher repeats, and than the bus remembers.
const EVENT_RETENTION: std::time::Duration = std::time::Duration::from_hours(7 * 24);

/// What was sealed under another key is the operator's to mend, not ours.
fn another_key(error: Error) -> anyhow::Error {
    match error {
        Error::Internal { id } if id.starts_with("seal:") => Fault::new(
            "secrets.key",
            "does not open what this database holds",
            "the key that was in use when the database was made (with SQLite: in master.key)",
        )
        .into(),
        other => anyhow::Error::new(other).context("the credentials role cannot start"),
    }
}
