//! Wiring: the only place that asks whether a role is here or in another process.
//!
//! A contract is built over the store if its role is here, else it is the other end of a wire; nothing that gets an `Arc<dyn ...>` can
//! tell. To add a role: a variant of `config::Role`, how it is built below, its routes and its background work into [`Composed`].

mod bus;
mod clock;
mod ground;
mod operators;
mod options;
mod peers;
mod running;
mod waiting;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tidegate_credentials::{Credentials, TokenVerifier};
use tidegate_director::Director;
use tidegate_engine::{Attach, Compiles, Egress, Engine};
use tidegate_model::contract::{Objects, Registry, TokenAuthority, Vault, Verifier, WebhookKeyHash};
use tidegate_model::{Clock, Randomness, SystemRandomness};
use tidegate_outgoing_dispatcher::Dispatcher;
use tidegate_storage::{Safe, Store};
use tidegate_webhook_gateway::Gateway;
use tidegate_wire::grpc::{self, Peer, Proof};
use tidegate_wire::{CacheOptions, CachedRegistry, CachedVault};
use tokio_util::sync::CancellationToken;

use crate::administrator;
use crate::config::{Config, Role, Roles};
use crate::data_dir::DataDir;
use crate::health::Health;
use clock::SharedClock;
use ground::Ground;
pub(crate) use ground::{migrate, renew, rotate};
pub(crate) use operators::{
    add_administrator, add_service, administrators, remove_administrator, remove_service, services,
};
pub(crate) use options::listener;
use peers::KnownHere;
pub(crate) use running::Composed;
pub(crate) use waiting::Waiting;

/// Where and as what a process lives.
pub(crate) struct Site<'a> {
    pub(crate) config: &'a Config,
    pub(crate) roles: &'a Roles,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The folder, where it remembers in one.
    pub(crate) data_dir: Option<&'a DataDir>,
    pub(crate) stop: CancellationToken,
    pub(crate) waiting: &'a Waiting,
}

/// The clock and the randomness of the process.
#[derive(Clone)]
struct Sources {
    clock: Arc<SharedClock>,
    randomness: Arc<dyn Randomness>,
}

/// What the data plane asks for, here or elsewhere.
#[derive(Clone)]
struct Definitions {
    registry: Arc<dyn Registry>,
    objects: Arc<dyn Objects>,
    vault: Arc<dyn Vault>,
}

/// Builds the roles of this process.
pub(crate) async fn compose(site: Site<'_>) -> anyhow::Result<Composed> {
    let Site { config, .. } = site;
    let sources = Sources { clock: Arc::default(), randomness: Arc::new(SystemRandomness) };
    let proof = peers::proof(config, sources.clock.clone())?;
    // What cannot be called at all is said before anything is waited for.
    for (url, key) in [(&config.peers.director, "peers.director"), (&config.peers.credentials, "peers.credentials")] {
        if url.is_some() && proof.is_some() {
            peers::connect(config, proof.as_ref(), url.as_deref(), key)?;
        }
    }
    let ground = Ground::lay(config, site.roles, site.data_dir, &sources, site.waiting).await?;
    let issuer = options::public_url(config.oauth2.public_url.as_ref(), config, site.address);
    let building = Building { site, sources, ground, issuer, proof };
    let mut composed = Composed::new(Health::new(building.site.stop.clone()), &building.ground, &building.sources);

    let store = building.ground.store();
    let authority = match store.filter(|_| building.has(Role::Credentials)) {
        Some(store) => Some(building.credentials(store, &mut composed).await?),
        None => None,
    };
    let own = match store.filter(|_| building.has(Role::Director)) {
        Some(store) => Some(building.director(store, authority.clone(), &mut composed)?),
        None => None,
    };
    if building.has(Role::WebhookGateway) || building.has(Role::OutgoingDispatcher) {
        let definitions = match own.clone() {
            Some(here) => here,
            None => building.definitions_elsewhere(&mut composed)?,
        };
        building.data_plane(definitions, &mut composed)?;
    }
    building.grpc(own, authority, &mut composed).await?;
    Ok(composed)
}

struct Building<'a> {
    site: Site<'a>,
    sources: Sources,
    ground: Ground,
    issuer: String,
    /// How this process is known to others.
    proof: Option<Proof>,
}

impl Building<'_> {
    fn has(&self, role: Role) -> bool {
        self.site.roles.has(role)
    }

    async fn credentials(
        &self,
        store: &Arc<dyn Store>,
        composed: &mut Composed,
    ) -> anyhow::Result<Arc<dyn TokenAuthority>> {
        let Sources { clock, randomness } = self.sources.clone();
        let clock: Arc<dyn Clock> = clock;
        let Site { config, data_dir, .. } = self.site;
        administrator::ensure(store, config, data_dir, &self.issuer, &clock, &randomness).await?;
        let sealer = self.ground.sealer()?;
        let parts = tidegate_credentials::Parts { store: store.clone(), sealer, clock, randomness };
        let options = options::credentials(config, &self.issuer);
        let credentials = Credentials::build(options, parts).await;
        let credentials = credentials.map_err(|e| ground::another_key(e, "the credentials role cannot start"))?;
        composed.routes(credentials.router());
        Ok(credentials.authority())
    }

    fn director(
        &self,
        store: &Arc<dyn Store>,
        authority: Option<Arc<dyn TokenAuthority>>,
        composed: &mut Composed,
    ) -> anyhow::Result<Definitions> {
        let Sources { clock, randomness } = self.sources.clone();
        let Site { config, address, .. } = self.site;
        let authority = if let Some(here) = authority {
            here
        } else {
            let there = self.peer(config.peers.credentials.as_deref(), "peers.credentials")?.authority();
            let asked = there.clone();
            composed.meet("credentials", move || {
                let asked = asked.clone();
                async move { asked.key_set().await.is_ok() }
            });
            there
        };
        let trials = self.trials(store)?;
        composed.trials(trials.clone());
        let parts = tidegate_director::Parts {
            store: store.clone(),
            sealer: self.ground.sealer()?,
            events: self.ground.events()?,
            notices: self.ground.notices(),
            scripts: Arc::new(Compiles::default()),
            trials: Arc::new(trials),
            verifier: Arc::new(TokenVerifier::new(authority, &self.issuer, &self.issuer, clock.clone())),
            clock,
            randomness,
        };
        let director = Director::build(options::director(config, address, &self.issuer), parts);
        let definitions =
            Definitions { registry: director.registry(), objects: director.objects(), vault: director.vault() };
        composed.direct(director);
        Ok(definitions)
    }

    /// An engine for trials alone: what people try takes no thread from what runs.
    fn trials(&self, store: &Arc<dyn Store>) -> anyhow::Result<Engine> {
        let Sources { clock, randomness } = self.sources.clone();
        let config = self.site.config;
        let egress = Egress::new(config.egress.clone())?;
        let vault = Safe::new(store.clone(), self.ground.sealer()?, clock.clone(), randomness.clone());
        let parts = tidegate_engine::Parts {
            objects: tidegate_director::objects(store.clone(), clock.clone(), randomness.clone()),
            attach: Some(Attach::new(Arc::new(vault), egress.clone(), clock.clone())),
            clock,
            randomness,
            egress,
            application: application(),
        };
        Ok(Engine::start(options::trials(config), parts)?)
    }

    fn definitions_elsewhere(&self, composed: &mut Composed) -> anyhow::Result<Definitions> {
        let config = self.site.config;
        let director = self.peer(config.peers.director.as_deref(), "peers.director")?;
        let asked = director.registry();
        composed.meet("director", move || {
            let asked = asked.clone();
            async move { asked.resolve(WebhookKeyHash::of("")).await.is_ok() }
        });
        Ok(Definitions { registry: director.registry(), objects: director.objects(), vault: director.vault() })
    }

    /// The roles that run scripts.
    fn data_plane(&self, definitions: Definitions, composed: &mut Composed) -> anyhow::Result<()> {
        let Sources { clock, randomness } = self.sources.clone();
        let (config, ground) = (self.site.config, &self.ground);
        let Definitions { registry, objects, vault } = definitions;
        let cached = CachedRegistry::new(registry, ground.notices(), clock.clone(), CacheOptions::default());
        let registry: Arc<dyn Registry> = Arc::new(cached);
        let vault = CachedVault::new(vault, ground.notices(), clock.clone(), CacheOptions::default());
        let vault: Arc<dyn Vault> = Arc::new(vault);
        let egress = Egress::new(config.egress.clone())?;
        let attach = Attach::new(vault.clone(), egress.clone(), clock.clone());
        let parts = tidegate_engine::Parts {
            objects,
            clock: clock.clone(),
            randomness: randomness.clone(),
            egress: egress.clone(),
            attach: Some(attach.clone()),
            application: application(),
        };
        let engine = Engine::start(options::engine(config), parts)?;
        composed.engine(engine.clone());
        if self.has(Role::WebhookGateway) {
            let parts = tidegate_webhook_gateway::Parts {
                registry: registry.clone(),
                vault: vault.clone(),
                recorder: ground.recorder()?,
                repeats: ground.repeats()?,
                engine: engine.clone(),
                clock: clock.clone(),
                randomness: randomness.clone(),
            };
            composed.gate(Gateway::build(options::gateway(config), parts));
        }
        if let Some(store) = ground.store().filter(|_| self.has(Role::OutgoingDispatcher)) {
            let parts = tidegate_outgoing_dispatcher::Parts {
                store: store.clone(),
                events: ground.events()?,
                registry,
                engine,
                attach,
                egress,
                vault,
                notices: ground.notices(),
                clock,
                randomness,
            };
            let dispatcher = Dispatcher::build(options::dispatcher(config, ground.is_alone()), parts);
            composed.dispatch(dispatcher.context("the dispatcher's settings do not fit together")?);
        }
        Ok(())
    }

    /// What other processes may ask of this one, what strangers may, and gRPC's health and reflection.
    async fn grpc(
        &self,
        definitions: Option<Definitions>,
        authority: Option<Arc<dyn TokenAuthority>>,
        composed: &mut Composed,
    ) -> anyhow::Result<()> {
        let Site { config, roles, .. } = self.site;
        let secret = config.peers.secret.clone();
        // One process that is all of Tidegate has no peers, unless its operator says so.
        let has_peers = !roles.together() || secret.is_some();
        let definitions = definitions.filter(|_| has_peers);
        let authority = authority.filter(|_| has_peers);
        let verifier = self.verifier_of_peers(authority.as_ref())?;
        let vault = definitions.as_ref().map(|d| d.vault.clone());
        let (registry, objects) = definitions.map(|d| (d.registry, d.objects)).unzip();
        let public = composed.public();
        let certified = self.site.config.served.as_ref().is_some_and(|served| served.client_ca.is_some());
        let server = grpc::Server { secret, verifier, certified, registry, objects, vault, authority, public };
        let (routes, health) = server.routes().await?;
        composed.routes(routes);
        composed.grpc_health(health);
        Ok(())
    }

    /// Who checks the tokens of other services. Whoever remembers knows by itself which of them still count, so that a director lets its
    /// peers in while the credentials role is away.
    fn verifier_of_peers(&self, here: Option<&Arc<dyn TokenAuthority>>) -> anyhow::Result<Option<Arc<dyn Verifier>>> {
        let authority = match (here, self.ground.store()) {
            (Some(here), _) => here.clone(),
            (None, Some(store)) if self.has(Role::Director) && self.proof.is_some() => {
                let keys = self.peer(self.site.config.peers.credentials.as_deref(), "peers.credentials")?.authority();
                Arc::new(KnownHere { keys, store: store.clone() })
            }
            _ => return Ok(None),
        };
        let clock = self.sources.clock.clone();
        Ok(Some(Arc::new(TokenVerifier::new(authority, &self.issuer, &self.issuer, clock))))
    }

    fn peer(&self, url: Option<&str>, key: &'static str) -> anyhow::Result<Peer> {
        Ok(peers::connect(self.site.config, self.proof.as_ref(), url, key)?)
    }
}

fn application() -> tidegate_engine::Application {
    tidegate_engine::Application { name: "tidegate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
