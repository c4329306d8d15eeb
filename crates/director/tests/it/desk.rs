//! The harness: a director over a store of its own, with callers known by fixed tokens, asked through its router.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tidegate_director::{Director, Options, Parts};
use tidegate_engine::{Application, Egress, Engine, Policy};
use tidegate_model::contract::{
    EventLog, LogBounds, LogEntry, Notices, Position, Received, ScriptCheck, ScriptFault, ScriptRule, ScriptWarning,
    Verifier,
};
use tidegate_model::{
    CallBounds, Caller, ClientId, ClientOwner, Clock as _, Error, Event, ManualClock, RunBounds, Scope,
    SystemRandomness, TenantId,
};
use tidegate_storage::{DatabaseUrl, Sealer, Store};
use tower::ServiceExt as _;

/// The token of an administrator.
pub(crate) const ADMIN: &str = "admin-token";

pub(crate) struct Desk {
    pub(crate) director: Director,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) notices: Arc<Counted>,
    tokens: Arc<Tokens>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::at(DatabaseUrl::memory()).await
    }

    /// Over a store that is there.
    pub(crate) async fn at(url: DatabaseUrl) -> Self {
        tidegate_storage::migrate(&url).await.unwrap();
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let open = async |url: DatabaseUrl, max_connections: u32| {
            let options = tidegate_storage::Options { url, max_connections, clock: clock.clone() };
            tidegate_storage::open(&options).await.unwrap()
        };
        let opened = open(url, 2).await;
        // A server has no log of its own.
        let log = match opened.local_log {
            Some(log) => log,
            None => open(DatabaseUrl::memory(), 1).await.local_log.unwrap(),
        };
        let bus = Arc::new(Bus { log, away: AtomicBool::new(false), refused: AtomicU64::new(0) });
        let notices = Arc::new(Counted::default());
        let tokens = Arc::new(Tokens::default());
        let parts = Parts {
            store: opened.store.clone(),
            sealer: Sealer::new(&[7; 32], Arc::new(SystemRandomness)).unwrap(),
            events: bus.clone(),
            notices: notices.clone(),
            scripts: Arc::new(NoPercents),
            trials: Arc::new(engine(&opened.store, &clock)),
            verifier: tokens.clone(),
            clock: clock.clone(),
            randomness: Arc::new(SystemRandomness),
        };
        let options = Options {
            webhook_url: "https://gate.example/".into(),
            token_url: "https://gate.example/oauth2/token".into(),
            run_bounds: RunBounds::default(),
            call_bounds: CallBounds::default(),
            max_body: 1024 * 1024,
            record_retention: Duration::from_hours(24),
            event_retention: Duration::from_hours(24),
            audit_retention: Duration::from_hours(24),
            trusted_proxies: "10.0.0.0/8".parse().unwrap(),
            graphiql: false,
        };
        let director = Director::build(options, parts);
        let desk = Self { director, store: opened.store, clock, bus, notices, tokens };
        desk.grant(ADMIN, ClientOwner::Administrator, Scope::all());
        desk
    }

    /// With the tenants `acme` and `other`.
    pub(crate) async fn with_tenants() -> Self {
        let desk = Self::new().await;
        for id in ["acme", "other"] {
            desk.ok(None, "mutation($id: ID!) { createTenant(in: {id: $id, name: $id}) { id } }", json!({ "id": id }))
                .await;
        }
        desk
    }

    pub(crate) fn notices_so_far(&self) -> u64 {
        self.notices.revision()
    }

    /// Lets a token in from now on; answers its client.
    pub(crate) fn grant(&self, token: &str, owner: ClientOwner, scopes: BTreeSet<Scope>) -> ClientId {
        let client = ClientId::generate(&*self.clock, &SystemRandomness);
        let caller = Caller { client, owner, scopes };
        self.tokens.0.lock().unwrap().insert(token.to_owned(), caller);
        client
    }

    /// Lets in a token of an administrator with these scopes alone.
    pub(crate) fn grant_scopes(&self, token: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|s| s.parse().unwrap()).collect();
        self.grant(token, ClientOwner::Administrator, scopes);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.director.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// One GraphQL request under a token.
    pub(crate) async fn ask_as(&self, token: &str, tenant: Option<&str>, query: &str, variables: Value) -> Answer {
        let mut request = Request::post("/graphql").header("authorization", format!("Bearer {token}"));
        if let Some(tenant) = tenant {
            request = request.header("tenant", tenant);
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
    }

    /// One GraphQL request of the administrator, which succeeds; answers its data.
    pub(crate) async fn ok(&self, tenant: Option<&str>, query: &str, variables: Value) -> Value {
        let answer = self.ask_as(ADMIN, tenant, query, variables).await;
        answer.data()
    }

    /// One GraphQL request of the administrator, which is refused; answers the first error's code and message.
    pub(crate) async fn refused(&self, tenant: Option<&str>, query: &str, variables: Value) -> (i64, String) {
        self.ask_as(ADMIN, tenant, query, variables).await.refusal()
    }

    /// The events that the bus has, in order.
    pub(crate) async fn published(&self) -> Vec<Event> {
        let entries = self.bus.read(0, 1000).await.unwrap();
        entries
            .into_iter()
            .map(|e| match e.received {
                Received::Event(event) => event,
                Received::Incomprehensible(other) => panic!("published what is no event: {other:?}"),
            })
            .collect()
    }

    /// The places of what the bus has.
    pub(crate) async fn bus_entries(&self) -> Vec<Position> {
        self.bus.read(0, 1000).await.unwrap().into_iter().map(|entry| entry.position).collect()
    }

    /// The events that wait in the outbox, in order.
    pub(crate) async fn committed(&self) -> Vec<Event> {
        let holder = uuid::Uuid::from_u128(1);
        let entries = self.store.outbox_claim(holder, self.clock.now(), 1000).await.unwrap().unwrap();
        entries.into_iter().map(|(_, event)| event).collect()
    }

    pub(crate) async fn create_type(&self, tenant: &str, name: &str) {
        let create = "mutation($n: String!) { createObjectType(in: {name: $n}) { id } }";
        self.ok(Some(tenant), create, json!({ "n": name })).await;
    }

    /// Makes a Logic; answers its id.
    pub(crate) async fn create_logic(&self, tenant: &str, name: &str, kind: &str) -> String {
        let create = "mutation($n: String!, $k: LogicKind!) { createLogic(in: {name: $n, kind: $k, source: \"return {}\"}) { id } }";
        let data = self.ok(Some(tenant), create, json!({ "n": name, "k": kind })).await;
        text(&data["createLogic"]["id"])
    }

    /// Makes an INCOMING Integration with a Logic of its own; answers its id and URL.
    pub(crate) async fn create_incoming(&self, tenant: &str, name: &str) -> (String, String) {
        let core = self.create_logic(tenant, &format!("{name} core"), "CORE").await;
        let create = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id webhookUrl } }";
        let input = json!({ "in": { "name": name, "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core } });
        let made = &self.ok(Some(tenant), create, input).await["createIntegration"];
        (text(&made["id"]), text(&made["webhookUrl"]))
    }

    /// Makes an OUTGOING Integration with a Logic of its own; answers its id.
    pub(crate) async fn create_outgoing(&self, tenant: &str, name: &str, object_type: &str) -> String {
        let core = self.create_logic(tenant, &format!("{name} core"), "CORE").await;
        let create = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id } }";
        let input = json!({ "in": {
            "name": name, "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": core, "url": "http://sink.example/in",
            "subscriptions": [{ "objectType": object_type, "eventType": "CREATE" }],
        } });
        text(&self.ok(Some(tenant), create, input).await["createIntegration"]["id"])
    }
}

impl Answer {
    /// The data of a GraphQL answer without errors.
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert!(self.body.get("errors").is_none(), "{}", self.body);
        self.body["data"].clone()
    }

    /// Code and message of the first error of a GraphQL answer; the error carries the name that belongs to the code.
    pub(crate) fn refusal(&self) -> (i64, String) {
        let error = &self.body["errors"][0];
        let code = error["extensions"]["error_code"].as_i64().unwrap_or_else(|| panic!("no refusal: {}", self.body));
        let names = [
            (10, "InternalError"),
            (20, "NotFound"),
            (21, "NotUnique"),
            (22, "InvalidData"),
            (23, "InsufficientScopes"),
            (24, "TenantRequired"),
            (25, "TenantNotFound"),
            (26, "Unauthorized"),
            (27, "InvalidOperation"),
        ];
        let name = names.iter().find(|(c, _)| *c == code).map(|(_, n)| *n);
        assert_eq!(error["extensions"]["error"].as_str(), name, "{}", self.body);
        (code, text(&error["message"]))
    }
}

/// A JSON string's text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn tenant(id: &str) -> TenantId {
    id.parse().unwrap()
}

/// Waits until `done` answers true; a generous bound, so that only a hang fails.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut done: impl FnMut() -> F) {
    for _ in 0..3000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened");
}

/// An engine for trials, which may call this machine.
fn engine(store: &Arc<dyn Store>, clock: &Arc<ManualClock>) -> Engine {
    let parts = tidegate_engine::Parts {
        objects: tidegate_director::objects(store.clone(), clock.clone(), Arc::new(SystemRandomness)),
        clock: clock.clone(),
        randomness: Arc::new(SystemRandomness),
        egress: Egress::new(Policy::allowing_loopback()).unwrap(),
        attach: None,
        application: Application { name: "Tidegate".to_owned(), version: "1.2.3".to_owned() },
    };
    Engine::start(tidegate_engine::Options { threads: 1, ..Default::default() }, parts).unwrap()
}

/// Knows callers by their tokens.
#[derive(Default)]
struct Tokens(Mutex<HashMap<String, Caller>>);

#[async_trait]
impl Verifier for Tokens {
    async fn verify(&self, token: &str) -> Result<Caller, Error> {
        self.0.lock().unwrap().get(token).cloned().ok_or(Error::Unauthorized("the token is not known"))
    }
}

/// A script compiles unless it has `%%` in it, and is doubtful where it says so.
struct NoPercents;

#[async_trait]
impl ScriptCheck for NoPercents {
    fn check(&self, source: &str) -> Result<(), ScriptFault> {
        match (1..).zip(source.lines()).find(|(_, line)| line.contains("%%")) {
            Some((line, _)) => Err(ScriptFault { line, column: 8, message: "unexpected '%'".to_owned() }),
            None => Ok(()),
        }
    }

    async fn lint(&self, source: &str) -> Vec<ScriptWarning> {
        let lines = (1..).zip(source.lines()).filter(|(_, line)| line.contains("doubtful"));
        let warning =
            |(line, _)| ScriptWarning { line, column: 3, rule: ScriptRule::UnusedLocal, message: "is it?".to_owned() };
        lines.map(warning).collect()
    }
}

#[derive(Default)]
pub(crate) struct Counted(AtomicU64);

#[async_trait]
impl Notices for Counted {
    fn revision(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    async fn announce(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The store's own log, which can be made to be away.
pub(crate) struct Bus {
    log: Arc<dyn EventLog>,
    pub(crate) away: AtomicBool,
    /// How often it was asked while it was away.
    pub(crate) refused: AtomicU64,
}

#[async_trait]
impl EventLog for Bus {
    async fn publish(&self, event: &Event) -> Result<(), Error> {
        if self.away.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Error::Unavailable("the bus"));
        }
        self.log.publish(event).await
    }

    async fn republish(&self, event: &Event) -> Result<(), Error> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the bus"));
        }
        self.log.republish(event).await
    }

    async fn read(&self, after: Position, max: usize) -> Result<Vec<LogEntry>, Error> {
        self.log.read(after, max).await
    }

    async fn bounds(&self) -> Result<LogBounds, Error> {
        self.log.bounds().await
    }

    async fn wake(&self, after: Position) {
        self.log.wake(after).await;
    }
}
