//! A tenant with Integrations, a destination, and a dispatcher that can be stopped, killed and started again.

mod definitions;
mod list_log;
mod postgres;
mod raw;
mod sink;
mod vault;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tempfile::TempDir;
use tidegate_engine::{Application, Attach, Egress, Engine, Policy};
use tidegate_model::contract::{Actor, EventLog, Notices, ObjectChange, Objects, Registry, Resolved, WebhookKeyHash};
use tidegate_model::{
    Change, Clock, Error, Event, EventType, Execution, ExecutionFilter, IntegrationId, Json, ManualClock, Object,
    ObjectId, PageOf, Runnable, Status, SystemRandomness, TenantId, TypeName,
};
use tidegate_outgoing_dispatcher::{Dispatcher, InvalidOptions, Options, Parts};
use tidegate_storage::{DatabaseUrl, Store};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub(crate) use definitions::{Definition, definition_event};
pub(crate) use list_log::ListLog;
pub(crate) use raw::{Raw, Says};
pub(crate) use sink::{Answer, Got, Sink};
pub(crate) use vault::MemoryVault;

/// Everything but the dispatcher: what outlives it.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sink: Sink,
    pub(crate) registry: Arc<StoreRegistry>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) options: Options,
    pub(crate) policy: Policy,
    /// Where the store is.
    pub(crate) url: DatabaseUrl,
    /// Goes with the world.
    pub(crate) _directory: Arc<TempDir>,
}

/// A dispatcher in a runtime of its own, so that killing it leaves nothing running.
pub(crate) struct Running {
    runtime: Option<Runtime>,
    shutdown: CancellationToken,
    run: tokio::task::JoinHandle<()>,
    engine: Engine,
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        // A file: a killed dispatcher takes its connections with it, and with them a database in memory.
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::file(directory.path().join("tidegate.db"));
        Self::on(url, clock, directory).await
    }

    /// On a database of its own of the server that the environment names; none is a visible skip, and a failure in CI.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let url = postgres::fresh().await?;
        Some(Self::on(url, clock, tempfile::tempdir().unwrap()).await)
    }

    async fn on(url: DatabaseUrl, clock: Arc<ManualClock>, directory: TempDir) -> Self {
        tidegate_storage::migrate(&url).await.unwrap();
        let options = tidegate_storage::Options { url: url.clone(), max_connections: 4, clock: clock.clone() };
        let opened = tidegate_storage::open(&options).await.unwrap();
        let organization = tidegate_model::Tenant { id: tenant(), name: "Acme".to_owned(), created_at: clock.now() };
        opened.store.insert_tenant(&organization).await.unwrap();
        Self {
            registry: Arc::new(StoreRegistry {
                store: opened.store.clone(),
                away: AtomicBool::default(),
                asked: AtomicUsize::default(),
            }),
            vault: Arc::default(),
            store: opened.store,
            log: opened.local_log.unwrap_or_else(|| ListLog::new()),
            clock,
            sink: Sink::start().await,
            options: Options { poll: Duration::from_millis(20), ..Options::default() },
            policy: Policy::allowing_loopback(),
            url,
            _directory: directory.into(),
        }
    }

    /// Builds a dispatcher, with an engine of its own.
    pub(crate) fn build(&self) -> Result<(Dispatcher, Engine), InvalidOptions> {
        self.build_on(self.store.clone(), self.registry.clone())
    }

    fn build_on(
        &self,
        store: Arc<dyn Store>,
        registry: Arc<dyn Registry>,
    ) -> Result<(Dispatcher, Engine), InvalidOptions> {
        let egress = Egress::new(self.policy.clone()).unwrap();
        let parts = tidegate_engine::Parts {
            objects: Arc::new(NoObjects),
            clock: self.clock.clone(),
            randomness: Arc::new(SystemRandomness),
            egress: egress.clone(),
            attach: None,
            application: Application { name: "Tidegate".to_owned(), version: "1".to_owned() },
        };
        let engine = Engine::start(tidegate_engine::Options::default(), parts).unwrap();
        let parts = Parts {
            store,
            events: self.log.clone(),
            registry,
            engine: engine.clone(),
            attach: Attach::new(self.vault.clone(), egress.clone(), self.clock.clone()),
            egress,
            vault: self.vault.clone(),
            notices: Arc::new(NoNotices),
            clock: self.clock.clone(),
            randomness: Arc::new(SystemRandomness),
        };
        Ok((Dispatcher::build(self.options.clone(), parts)?, engine))
    }

    /// Starts a dispatcher; many may run at once.
    pub(crate) fn dispatch(&self) -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let inside = runtime.enter();
        let built = self.build().unwrap();
        drop(inside);
        Running::start(runtime, built)
    }

    /// As [`World::dispatch`], with connections of its own to the database: they end with it.
    pub(crate) async fn dispatch_apart(&self) -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options =
            tidegate_storage::Options { url: self.url.clone(), max_connections: 4, clock: self.clock.clone() };
        let store = runtime.spawn(async move { tidegate_storage::open(&options).await.unwrap().store }).await.unwrap();
        let registry =
            StoreRegistry { store: store.clone(), away: AtomicBool::default(), asked: AtomicUsize::default() };
        let inside = runtime.enter();
        let built = self.build_on(store, Arc::new(registry)).unwrap();
        drop(inside);
        Running::start(runtime, built)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Publishes an event about `Order` `object_id`.
    pub(crate) async fn publish(&self, id: &str, change: Change) {
        self.publish_about(id, "o-1", change).await;
    }

    pub(crate) async fn publish_about(&self, id: &str, object_id: &str, change: Change) {
        let event = Event {
            id: id.parse().unwrap(),
            tenant: tenant(),
            object_type: order(),
            object_id: object_id.parse().unwrap(),
            change,
            time: self.clock.now(),
        };
        self.log.publish(&event).await.unwrap();
    }

    /// All records and open deliveries, oldest first.
    pub(crate) async fn executions(&self) -> Vec<Execution> {
        let page = PageOf { first: 100, after: None };
        let mut all = self.store.executions(&tenant(), &ExecutionFilter::default(), page).await.unwrap().data;
        all.reverse();
        all
    }

    /// Waits until there are as many ended records as that, and answers all.
    pub(crate) async fn ended(&self, count: usize) -> Vec<Execution> {
        self.when(|all| all.iter().filter(|e| !e.status.is_open()).count() >= count).await
    }

    /// Waits for the one record to end.
    pub(crate) async fn one(&self) -> Execution {
        let mut all = self.ended(1).await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// Waits until the records are like this, and answers them.
    pub(crate) async fn when(&self, like: impl Fn(&[Execution]) -> bool) -> Vec<Execution> {
        let last = std::cell::RefCell::new(Vec::new());
        let seen = eventually(async || {
            let all = self.executions().await;
            let done = like(&all);
            *last.borrow_mut() = all;
            done
        });
        assert!(seen.await, "the records never became so: {:#?}", last.borrow());
        last.into_inner()
    }

    /// Waits until everything published was taken in.
    pub(crate) async fn taken_in(&self) {
        let done =
            eventually(async || self.store.intake_position().await.unwrap() == self.log.bounds().await.unwrap().last);
        assert!(done.await, "the intake never came to the end of the log");
    }
}

impl Running {
    fn start(runtime: Runtime, (dispatcher, engine): (Dispatcher, Engine)) -> Self {
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let run = runtime.spawn(async move { dispatcher.run(token).await.unwrap() });
        Self { runtime: Some(runtime), shutdown, run, engine }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.run).await.unwrap();
    }

    /// Ends it as a power failure would: nothing is finished, nothing given back.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Ends the engine alone: from now on no script can be run.
    pub(crate) async fn stop_engine(&self) {
        self.engine.stop().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Asks until it is so, for a generous while.
pub(crate) async fn eventually(is_so: impl AsyncFn() -> bool) -> bool {
    for _ in 0..3000 {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

pub(crate) fn order() -> TypeName {
    "Order".parse().unwrap()
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn created() -> Change {
    Change::Create { new: json(r#"{"qty":2,"sku":"A-1"}"#) }
}

pub(crate) fn statuses(all: &[Execution]) -> Vec<Status> {
    all.iter().map(|execution| execution.status).collect()
}

/// The definitions straight from the store; may be away.
pub(crate) struct StoreRegistry {
    store: Arc<dyn Store>,
    pub(crate) away: AtomicBool,
    /// How often it was asked.
    pub(crate) asked: AtomicUsize,
}

impl StoreRegistry {
    fn here(&self) -> Result<(), Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) { Err(Error::Unavailable("the registry")) } else { Ok(()) }
    }
}

#[async_trait]
impl Registry for StoreRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        self.store.resolve(key).await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        self.here()?;
        Ok(self.store.subscribers(tenant, object_type, event_type).await?.into())
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        self.here()?;
        self.store.runnable(tenant, id).await
    }
}

/// Here is nobody who would hear them.
struct NoNotices;

#[async_trait]
impl Notices for NoNotices {
    fn revision(&self) -> u64 {
        0
    }

    async fn announce(&self) {}
}

/// No test of the dispatcher needs objects.
struct NoObjects;

#[async_trait]
impl Objects for NoObjects {
    async fn get(&self, _: &Actor, _: &TypeName, _: &ObjectId) -> Result<Option<Object>, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn find(&self, _: &Actor, _: &TypeName, _: &Json, _: u32) -> Result<Vec<Object>, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn create(&self, _: &Actor, _: &TypeName, _: Option<ObjectId>, _: &Json) -> Result<Object, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn update(&self, _: &Actor, _: &TypeName, _: &ObjectId, _: &Json, _: Option<i32>) -> Result<Object, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn upsert(&self, _: &Actor, _: &TypeName, _: &ObjectId, _: &Json) -> Result<Object, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn delete(&self, _: &Actor, _: &TypeName, _: &ObjectId, _: Option<i32>) -> Result<Object, Error> {
        Err(Error::Unavailable("objects"))
    }

    async fn apply(&self, _: &Actor, _: &[ObjectChange]) -> Result<(), Error> {
        Err(Error::Unavailable("objects"))
    }
}
