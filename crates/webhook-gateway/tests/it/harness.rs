//! A gateway over a registry and a recorder in memory, with a clock that is moved by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use chrono::{DateTime, TimeDelta};
use http::{HeaderMap, Request, StatusCode, request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tidegate_engine::{Application, Egress, Engine, Policy};
use tidegate_model::contract::{Actor, ObjectChange, Objects, Recorder, Registry, Resolved, Vault, WebhookKeyHash};
use tidegate_model::{
    Credential, CredentialId, Direction, Error, EventType, Execution, ExecutionUser, HttpMethod, Integration,
    IntegrationId, Json, LogicId, ManualClock, Material, Object, ObjectId, OpenCredential, Runnable, Script, Secret,
    Settings, SigningSecret, SigningSecretId, SystemRandomness, Tenant, TenantId, Timestamp, TypeName, UserId,
};
use tidegate_webhook_gateway::{Gateway, Options, Parts};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::memory_repeats::MemoryRepeats;

/// What a key looks like.
pub(crate) const KEY: &str = "3kX9vQ0mJt2LrY8sZbN5wPaEuHcGdF7iToVqRxKyMnA";

/// A call that is not answered fails its test instead of holding it up.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) repeats: Arc<MemoryRepeats>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub(crate) fn start() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// An active INCOMING POST Integration with this core logic.
pub(crate) fn integration(core: &str) -> Runnable {
    let script = |id: u128, version, source: &str| Script {
        logic: LogicId(Uuid::from_u128(id)),
        version,
        source: source.into(),
    };
    let tenant: TenantId = "acme".parse().unwrap();
    Runnable {
        integration: Integration {
            id: IntegrationId(Uuid::from_u128(1)),
            tenant: tenant.clone(),
            name: "shop-orders".to_owned(),
            description: None,
            direction: Direction::Incoming,
            http_method: HttpMethod::Post,
            active: true,
            effective_date: None,
            expiry_date: None,
            core_logic: LogicId(Uuid::from_u128(2)),
            enable_logic: None,
            core_version: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: ExecutionUser {
                id: UserId(Uuid::from_u128(4)),
                username: "integration/shop-orders".into(),
            },
            created_at: start(),
            updated_at: start(),
        },
        organization: Tenant { id: tenant, name: "Acme".to_owned(), created_at: start() },
        core: script(2, 7, core),
        enable: None,
    }
}

pub(crate) fn with_enable(mut runnable: Runnable, source: &str) -> Runnable {
    let logic = LogicId(Uuid::from_u128(3));
    runnable.integration.enable_logic = Some(logic);
    runnable.enable = Some(Script { logic, version: 3, source: source.into() });
    runnable
}

pub(crate) fn inactive(mut runnable: Runnable) -> Runnable {
    runnable.integration.active = false;
    runnable
}

/// In effect from `start() + from` until `start() + until`.
pub(crate) fn within(mut runnable: Runnable, from: TimeDelta, until: TimeDelta) -> Runnable {
    runnable.integration.effective_date = Some(start() + from);
    runnable.integration.expiry_date = Some(start() + until);
    runnable
}

/// Another tenant's Integration.
pub(crate) fn of_tenant(mut runnable: Runnable, tenant: &str) -> Runnable {
    let number = u128::from(tenant.bytes().fold(7, |number, byte| number * 31 + u64::from(byte)));
    runnable.integration.id = IntegrationId(Uuid::from_u128(number));
    runnable.integration.tenant = tenant.parse().unwrap();
    runnable.organization.id = tenant.parse().unwrap();
    runnable
}

pub(crate) fn taking(mut runnable: Runnable, method: HttpMethod) -> Runnable {
    runnable.integration.http_method = method;
    runnable
}

impl World {
    /// A world where [`KEY`] leads to this Integration.
    pub(crate) fn with(runnable: Runnable) -> Self {
        Self::of(Resolved::One(Arc::new(runnable)), Options::default())
    }

    pub(crate) fn of(resolved: Resolved, options: Options) -> Self {
        let clock = Arc::new(ManualClock::new(start()));
        let registry = Arc::new(MemoryRegistry::default());
        registry.put(KEY, resolved);
        let vault = Arc::new(MemoryVault::default());
        let recorder = Arc::new(MemoryRecorder::new());
        let repeats = Arc::new(MemoryRepeats::default());
        let engine = engine(clock.clone());
        let parts = Parts {
            registry: registry.clone(),
            vault: vault.clone(),
            recorder: recorder.clone(),
            repeats: repeats.clone(),
            engine,
            clock: clock.clone(),
            randomness: Arc::new(SystemRandomness),
        };
        Self { gateway: Gateway::build(options, parts), registry, vault, recorder, repeats, clock }
    }

    /// Another gateway, beside this one or after it: it shares what all gateways share, and has nothing else of this one.
    pub(crate) fn another(&self) -> Self {
        let mut other = Self::of(Resolved::None, Options::default());
        let parts = Parts {
            registry: self.registry.clone(),
            vault: self.vault.clone(),
            recorder: self.recorder.clone(),
            repeats: self.repeats.clone(),
            engine: engine(self.clock.clone()),
            clock: self.clock.clone(),
            randomness: Arc::new(SystemRandomness),
        };
        other.gateway = Gateway::build(Options::default(), parts);
        other
    }

    pub(crate) async fn call(&self, request: request::Builder, body: impl Into<Body>) -> Answer {
        let request = request.body(body.into()).unwrap();
        let answer = tokio::time::timeout(PATIENCE, self.gateway.router().oneshot(request));
        let (head, body) = answer.await.expect("no answer came").unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, body: &str) -> Answer {
        self.call(post().header("content-type", "application/json"), body.to_owned()).await
    }

    pub(crate) fn records(&self) -> Vec<Execution> {
        self.recorder.kept.lock().unwrap().clone()
    }
}

fn engine(clock: Arc<ManualClock>) -> Engine {
    let parts = tidegate_engine::Parts {
        objects: Arc::new(NoObjects),
        clock,
        randomness: Arc::new(SystemRandomness),
        egress: Egress::new(Policy::default()).unwrap(),
        attach: None,
        application: Application { name: "Tidegate".into(), version: "test".into() },
    };
    Engine::start(tidegate_engine::Options { threads: 1, ..Default::default() }, parts).unwrap()
}

pub(crate) fn post() -> request::Builder {
    Request::post(format!("/webhook/{KEY}")).header("host", "gate.example")
}

/// A POST to another key.
pub(crate) fn post_to(key: &str) -> request::Builder {
    Request::post(format!("/webhook/{key}")).header("host", "gate.example")
}

pub(crate) fn get(query: &str) -> request::Builder {
    Request::get(format!("/webhook/{KEY}?{query}")).header("host", "gate.example")
}

#[derive(Default)]
pub(crate) struct MemoryRegistry {
    behind: Mutex<HashMap<WebhookKeyHash, Resolved>>,
    fault: Mutex<Option<Error>>,
}

impl MemoryRegistry {
    pub(crate) fn put(&self, key: &str, resolved: Resolved) {
        self.behind.lock().unwrap().insert(WebhookKeyHash::of(key), resolved);
    }

    pub(crate) fn fail_with(&self, error: Error) {
        *self.fault.lock().unwrap() = Some(error);
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        if let Some(error) = self.fault.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(self.behind.lock().unwrap().get(&key).cloned().unwrap_or(Resolved::None))
    }

    async fn subscribers(&self, _: &TenantId, _: &TypeName, _: EventType) -> Result<Arc<[Arc<Runnable>]>, Error> {
        Ok(Arc::new([]))
    }

    async fn find(&self, _: &TenantId, _: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        Ok(None)
    }
}

/// Material with these secrets, the newest first.
pub(crate) fn signing(secrets: &[&str]) -> Material {
    let one = |text: &&str| SigningSecret {
        id: SigningSecretId(Uuid::nil()),
        secret: Secret::new(*text),
        created_at: start(),
    };
    Material::Signing { secrets: secrets.iter().map(one).collect() }
}

/// Credentials in memory.
#[derive(Default)]
pub(crate) struct MemoryVault {
    kept: Mutex<HashMap<(String, String), Arc<OpenCredential>>>,
    fault: Mutex<Option<Error>>,
    asked: AtomicUsize,
}

impl MemoryVault {
    pub(crate) fn put(&self, tenant: &str, name: &str, material: Material) {
        let credential = Credential {
            id: CredentialId(Uuid::nil()),
            tenant: tenant.parse().unwrap(),
            name: name.to_owned(),
            kind: material.kind(),
            description: None,
            allowed_hosts: Vec::new(),
            created_at: start(),
            updated_at: start(),
        };
        let open = Arc::new(OpenCredential { credential, material });
        self.kept.lock().unwrap().insert((tenant.to_owned(), name.to_owned()), open);
    }

    pub(crate) fn fail_with(&self, error: Error) {
        *self.fault.lock().unwrap() = Some(error);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(error) = self.fault.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(self.kept.lock().unwrap().get(&(tenant.as_str().to_owned(), name.to_owned())).cloned())
    }
}

pub(crate) struct MemoryRecorder {
    pub(crate) kept: Mutex<Vec<Execution>>,
    pub(crate) is_full: AtomicBool,
    /// One permit per append; plenty unless a test takes them away.
    pub(crate) gate: Semaphore,
    asked: AtomicUsize,
}

impl MemoryRecorder {
    fn new() -> Self {
        Self { kept: Mutex::default(), is_full: false.into(), gate: Semaphore::new(1000), asked: AtomicUsize::new(0) }
    }

    /// Whether a record has come to the gate.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked() > 0
    }

    /// How many records have come to the gate.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Recorder for MemoryRecorder {
    async fn append(&self, execution: Execution) -> Result<(), Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the recorder"));
        }
        self.kept.lock().unwrap().push(execution);
        Ok(())
    }
}

/// A tenant without object types.
struct NoObjects;

fn no_type<T>(object_type: &TypeName) -> Result<T, Error> {
    Err(Error::not_found("object type", object_type))
}

#[async_trait]
impl Objects for NoObjects {
    async fn get(&self, _: &Actor, object_type: &TypeName, _: &ObjectId) -> Result<Option<Object>, Error> {
        no_type(object_type)
    }

    async fn find(&self, _: &Actor, object_type: &TypeName, _: &Json, _: u32) -> Result<Vec<Object>, Error> {
        no_type(object_type)
    }

    async fn create(&self, _: &Actor, object_type: &TypeName, _: Option<ObjectId>, _: &Json) -> Result<Object, Error> {
        no_type(object_type)
    }

    async fn update(
        &self,
        _: &Actor,
        object_type: &TypeName,
        _: &ObjectId,
        _: &Json,
        _: Option<i32>,
    ) -> Result<Object, Error> {
        no_type(object_type)
    }

    async fn upsert(&self, _: &Actor, object_type: &TypeName, _: &ObjectId, _: &Json) -> Result<Object, Error> {
        no_type(object_type)
    }

    async fn delete(&self, _: &Actor, object_type: &TypeName, _: &ObjectId, _: Option<i32>) -> Result<Object, Error> {
        no_type(object_type)
    }

    async fn apply(&self, _: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        changes.first().map_or(Ok(()), |change| no_type(&change.object_type))
    }
}
