//! What the fuzz targets share: an engine, and a run in it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_engine::{Application, Egress, Engine, Limits, Options, Parts, Policy, Run, Time};
use tidegate_model::contract::{Actor, ObjectChange, Objects};
use tidegate_model::{
    Direction, Error, ExecutionUser, HttpMethod, IncomingCall, Integration, IntegrationId, Json, LogicId, Object,
    ObjectId, Outcome, Runnable, Script, Settings, SystemClock, SystemRandomness, Tenant, Timestamp, TypeName, UserId,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Bytes that a result may have.
pub const RESULT: usize = 64 << 10;

/// Runs core logic with these bytes as `rawBody`, in the same engine each time.
pub fn run(core: &str, raw_body: &[u8]) -> Run {
    static ENGINE: LazyLock<(Runtime, Engine)> = LazyLock::new(start);
    let (runtime, engine) = &*ENGINE;
    let call = IncomingCall {
        method: HttpMethod::Post,
        url: "https://gate.example/webhook/key".to_owned(),
        headers: Vec::new(),
        parameters: Json::empty_object(),
        raw_body: raw_body.into(),
        time: noon(),
    };
    runtime.block_on(engine.run_incoming(&Arc::new(runnable(core)), &call))
}

/// The result of a run that must not fail.
pub fn succeeded(run: &Run) -> &Json {
    match &run.outcome {
        Outcome::Succeeded(json) => json,
        other => panic!("{other:?}"),
    }
}

fn start() -> (Runtime, Engine) {
    let runtime = Runtime::new().expect("a runtime");
    let entered = runtime.enter();
    // Instrumented code is slow: what is looked for here is not a matter of time.
    let time = Time { cpu: Duration::from_secs(2), wall: Duration::from_secs(60) };
    let limits = Limits { incoming: time, result: RESULT, memory: 16 << 20, ..Limits::default() };
    let parts = Parts {
        objects: Arc::new(NoObjects),
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        egress: Egress::new(Policy::default()).expect("a client"),
        attach: None,
        application: Application { name: "Tidegate".to_owned(), version: "0".to_owned() },
    };
    let engine = Engine::start(Options { threads: 1, limits, ..Options::default() }, parts).expect("an engine");
    drop(entered);
    (runtime, engine)
}

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

/// An INCOMING Integration; the same script has the same id, so that it is compiled once.
fn runnable(core: &str) -> Runnable {
    let mut hasher = DefaultHasher::new();
    core.hash(&mut hasher);
    let logic = LogicId(Uuid::from_u64_pair(core.len() as u64, hasher.finish()));
    Runnable {
        integration: Integration {
            id: IntegrationId(Uuid::from_u128(7)),
            tenant: "acme".parse().expect("a tenant"),
            name: "fuzz".to_owned(),
            description: None,
            direction: Direction::Incoming,
            http_method: HttpMethod::Post,
            active: true,
            effective_date: None,
            expiry_date: None,
            core_logic: logic,
            core_version: None,
            enable_logic: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: ExecutionUser { id: UserId(Uuid::from_u128(8)), username: "integration/fuzz".to_owned() },
            created_at: noon(),
            updated_at: noon(),
        },
        organization: Tenant { id: "acme".parse().expect("a tenant"), name: "Acme".to_owned(), created_at: noon() },
        core: Script { logic, version: 1, source: core.into() },
        enable: None,
    }
}

struct NoObjects;

#[async_trait]
impl Objects for NoObjects {
    async fn get(&self, _: &Actor, _: &TypeName, _: &ObjectId) -> Result<Option<Object>, Error> {
        Ok(None)
    }

    async fn find(&self, _: &Actor, _: &TypeName, _: &Json, _: u32) -> Result<Vec<Object>, Error> {
        Ok(Vec::new())
    }

    async fn create(&self, _: &Actor, t: &TypeName, _: Option<ObjectId>, _: &Json) -> Result<Object, Error> {
        Err(Error::not_found("object type", t))
    }

    async fn update(&self, _: &Actor, _: &TypeName, id: &ObjectId, _: &Json, _: Option<i32>) -> Result<Object, Error> {
        Err(Error::not_found("object", id))
    }

    async fn upsert(&self, _: &Actor, t: &TypeName, _: &ObjectId, _: &Json) -> Result<Object, Error> {
        Err(Error::not_found("object type", t))
    }

    async fn delete(&self, _: &Actor, _: &TypeName, id: &ObjectId, _: Option<i32>) -> Result<Object, Error> {
        Err(Error::not_found("object", id))
    }

    async fn apply(&self, _: &Actor, _: &[ObjectChange]) -> Result<(), Error> {
        Ok(())
    }
}
