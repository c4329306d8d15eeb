//! An engine with everything around it, and definitions to run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_engine::{Application, Attach, Egress, Engine, Options, Parts, Policy, Run};
use tidegate_model::contract::{Actor, ObjectAction, ObjectChange, Objects};
use tidegate_model::{
    Change, Direction, Error, Event, ExecutionUser, Failure, HttpMethod, IncomingCall, Integration, IntegrationId,
    Json, LogicId, ManualClock, Object, ObjectId, Outcome, Runnable, Script, Settings, SystemRandomness, Tenant,
    Timestamp, TypeName, UserId,
};
use uuid::Uuid;

use crate::vault::Kept;

/// Noon.
pub(crate) fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// An engine that may call this machine.
pub(crate) fn engine() -> Engine {
    engine_with(Options { threads: 2, ..Options::default() }, Arc::new(Memory::default()))
}

pub(crate) fn engine_with(options: Options, objects: Arc<Memory>) -> Engine {
    engine_of(options, objects, None)
}

/// An engine whose scripts may name what is kept here.
pub(crate) fn engine_naming(vault: Arc<Kept>) -> Engine {
    engine_of(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()), Some(vault))
}

pub(crate) fn engine_of(options: Options, objects: Arc<Memory>, vault: Option<Arc<Kept>>) -> Engine {
    let clock = Arc::new(ManualClock::new(noon()));
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let parts = Parts {
        objects,
        randomness: Arc::new(SystemRandomness),
        attach: vault.map(|vault| Attach::new(vault, egress.clone(), clock.clone())),
        clock,
        egress,
        application: Application { name: "Tidegate".to_owned(), version: "1.2.3".to_owned() },
    };
    Engine::start(options, parts).unwrap()
}

fn script(source: &str) -> Script {
    Script { logic: LogicId(Uuid::from_u128(rand())), version: 1, source: source.into() }
}

fn rand() -> u128 {
    use tidegate_model::Randomness;
    let mut bytes = [0; 16];
    SystemRandomness.fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

/// An INCOMING Integration named `shop-orders` of the tenant `acme`.
pub(crate) fn incoming(core: &str) -> Runnable {
    runnable(Direction::Incoming, core)
}

/// An OUTGOING Integration named `shop-orders` of the tenant `acme`.
pub(crate) fn outgoing(core: &str) -> Runnable {
    runnable(Direction::Outgoing { url: "https://third.example/hook".to_owned(), subscriptions: Vec::new() }, core)
}

fn runnable(direction: Direction, core: &str) -> Runnable {
    let core = script(core);
    Runnable {
        integration: Integration {
            id: IntegrationId(Uuid::from_u128(7)),
            tenant: "acme".parse().unwrap(),
            name: "shop-orders".to_owned(),
            description: Some("orders of the shop".to_owned()),
            direction,
            http_method: HttpMethod::Post,
            active: true,
            effective_date: None,
            expiry_date: None,
            core_logic: core.logic,
            enable_logic: None,
            core_version: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: ExecutionUser {
                id: UserId(Uuid::from_u128(8)),
                username: "integration/shop-orders".to_owned(),
            },
            created_at: noon(),
            updated_at: noon(),
        },
        organization: Tenant { id: "acme".parse().unwrap(), name: "Acme Inc.".to_owned(), created_at: noon() },
        core,
        enable: None,
    }
}

pub(crate) trait Definition {
    fn enabled_by(self, source: &str) -> Self;
    fn of(self, tenant: &str) -> Self;
}

impl Definition for Runnable {
    fn enabled_by(mut self, source: &str) -> Self {
        let enable = script(source);
        self.integration.enable_logic = Some(enable.logic);
        self.enable = Some(enable);
        self
    }

    fn of(mut self, tenant: &str) -> Self {
        self.integration.tenant = tenant.parse().unwrap();
        self.organization.id = tenant.parse().unwrap();
        self
    }
}

/// A POST with this JSON.
pub(crate) fn call(body: &str) -> IncomingCall {
    IncomingCall {
        method: HttpMethod::Post,
        url: "https://gate.example/webhook/key".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-shop".to_owned(), "north, south".to_owned()),
        ],
        parameters: Json::parse(body).unwrap(),
        raw_body: body.as_bytes().into(),
        time: noon(),
    }
}

pub(crate) fn event(change: Change) -> Event {
    Event {
        id: "event-1".parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        object_type: "Order".parse().unwrap(),
        object_id: "o-1".parse().unwrap(),
        change,
        time: noon(),
    }
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) async fn run(engine: &Engine, runnable: Runnable, body: &str) -> Run {
    engine.run_incoming(&Arc::new(runnable), &call(body)).await
}

/// Runs core logic and answers what it returned.
pub(crate) async fn result(engine: &Engine, core: &str) -> serde_json::Value {
    succeeded(&run(engine, incoming(core), "{}").await)
}

pub(crate) fn succeeded(run: &Run) -> serde_json::Value {
    match &run.outcome {
        Outcome::Succeeded(json) => {
            Json::parse(json.as_str()).expect("results are valid JSON");
            json.to_value()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn failed(run: &Run) -> &Failure {
    match &run.outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// Finds what stands in the folder `shared` beside the workspace, or further up; says so where there is none.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|folder| folder.join("shared").join(path)).find(|p| p.exists());
    if found.is_none() {
        eprintln!("SKIPPED: there is no shared/{path} above {}", here.display());
    }
    found
}

/// Objects in memory.
#[derive(Default)]
pub(crate) struct Memory {
    objects: Mutex<BTreeMap<(TypeName, ObjectId), Object>>,
    /// How often several changes were asked for.
    pub(crate) applied: AtomicUsize,
}

impl Memory {
    pub(crate) fn all(&self) -> Vec<Object> {
        self.objects.lock().unwrap().values().cloned().collect()
    }

    fn put(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: Json) -> Object {
        let key = (object_type.clone(), id.clone());
        let version = self.objects.lock().unwrap().get(&key).map_or(1, |before| before.version + 1);
        let object = Object {
            tenant: actor.tenant.clone(),
            object_type: object_type.clone(),
            id: id.clone(),
            data,
            version,
            created_at: noon(),
            updated_at: noon(),
            created_by: actor.attribution.clone(),
            updated_by: actor.attribution.clone(),
        };
        self.objects.lock().unwrap().insert(key, object.clone());
        object
    }
}

#[async_trait]
impl Objects for Memory {
    async fn get(&self, _: &Actor, t: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        match t.as_str() {
            "Unknown" => return Err(Error::not_found("object type", t)),
            "Away" => return Err(Error::Unavailable("the database")),
            _ => {}
        }
        let mut all = self.objects.lock().unwrap();
        let found = all.get(&(t.clone(), id.clone())).cloned();
        if let (true, Some(object)) = (t.as_str() == "Busy", all.get_mut(&(t.clone(), id.clone()))) {
            // Somebody else changes it as soon as it was read.
            object.version += 1;
        }
        Ok(found)
    }

    async fn find(&self, _: &Actor, t: &TypeName, matching: &Json, limit: u32) -> Result<Vec<Object>, Error> {
        let wanted: Vec<_> = matching.attributes().unwrap().into_iter().map(|(k, v)| (k, v.to_value())).collect();
        let all = self.objects.lock().unwrap();
        Ok(all.values().filter(|o| o.object_type == *t && o.matches(&wanted)).take(limit as usize).cloned().collect())
    }

    async fn create(&self, actor: &Actor, t: &TypeName, id: Option<ObjectId>, data: &Json) -> Result<Object, Error> {
        let id = id.unwrap_or_else(|| "generated".parse().unwrap());
        if self.get(actor, t, &id).await?.is_some() {
            return Err(Error::not_unique("object", &id));
        }
        Ok(self.put(actor, t, &id, data.clone()))
    }

    async fn update(
        &self,
        actor: &Actor,
        t: &TypeName,
        id: &ObjectId,
        data: &Json,
        _: Option<i32>,
    ) -> Result<Object, Error> {
        let Some(found) = self.get(actor, t, id).await? else { return Err(Error::not_found("object", id)) };
        let mut all = found.data.attributes().unwrap();
        for (key, value) in data.attributes().unwrap() {
            all.retain(|(k, _)| *k != key);
            all.push((key, value));
        }
        Ok(self.put(actor, t, id, Json::object(all.iter().map(|(k, v)| (k.as_str(), v)))))
    }

    async fn upsert(&self, actor: &Actor, t: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error> {
        match self.get(actor, t, id).await? {
            Some(_) => self.update(actor, t, id, data, None).await,
            None => Ok(self.put(actor, t, id, data.clone())),
        }
    }

    async fn delete(&self, actor: &Actor, t: &TypeName, id: &ObjectId, _: Option<i32>) -> Result<Object, Error> {
        self.get(actor, t, id).await?;
        let gone = self.objects.lock().unwrap().remove(&(t.clone(), id.clone()));
        gone.ok_or_else(|| Error::not_found("object", id))
    }

    async fn apply(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        self.applied.fetch_add(1, Ordering::SeqCst);
        for change in changes {
            let now = self.objects.lock().unwrap().get(&(change.object_type.clone(), change.id.clone())).cloned();
            if now.map(|object| object.version) != change.base {
                let what = format!("{} {} was changed by somebody else meanwhile", change.object_type, change.id);
                return Err(Error::InvalidOperation(what));
            }
        }
        for change in changes {
            let (object_type, id) = (&change.object_type, &change.id);
            match &change.action {
                ObjectAction::Assign(data) => drop(self.upsert(actor, object_type, id, data).await?),
                ObjectAction::Delete => drop(self.delete(actor, object_type, id, None).await?),
            }
        }
        Ok(())
    }
}
