//! What is run: a handler that maps 946 bytes with 20 items to about 2.2 KB, enable logic that says no, and many different scripts.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use tidegate_engine::{Application, Counts, Egress, Engine, Options, Parts, Policy};
use tidegate_model::contract::{Actor, ObjectChange, Objects};
use tidegate_model::{
    Direction, Error, ExecutionUser, HttpMethod, IncomingCall, Integration, IntegrationId, Json, LogicId, Object,
    ObjectId, Outcome, Runnable, Script, Settings, SystemClock, SystemRandomness, Tenant, Timestamp, TypeName, UserId,
};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub(crate) const HANDLER: &str = r#"
local lines, total = {}, 0
for place, item in ipairs(parameters.items) do
    local amount = item.qty * item.price
    total = total + amount
    lines[place] = {
        position = place, article = string.upper(item.sku), quantity = item.qty, unitPrice = item.price,
        amount = amount, currency = "EUR", backorder = item.qty > 5,
    }
end
return { order = parameters.id, customer = parameters.customer.name, lines = lines, total = total, state = "accepted" }
"#;

/// The body that comes.
pub(crate) fn body() -> &'static str {
    static BODY: LazyLock<String> = LazyLock::new(|| {
        let mut text =
            r#"{"id":"order-1001","customer":{"id":"c-17","name":"Ada & Co., Harbour Street 12"},"items":["#.to_owned();
        for item in 0..20 {
            let comma = if item == 0 { "" } else { "," };
            write!(text, r#"{comma}{{"sku":"art-{item:04}","qty":{},"price":{}.25}}"#, item % 9 + 1, item + 10)
                .unwrap();
        }
        text.push_str("]}");
        let missing = 946 - text.len();
        text.replace("order-1001", &format!("order-1001{}", "0".repeat(missing)))
    });
    &BODY
}

/// An engine, and what runs in it.
pub(crate) struct Workload {
    runtime: Runtime,
    engine: Engine,
    call: Arc<IncomingCall>,
}

impl Workload {
    pub(crate) fn new(threads: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let entered = runtime.enter();
        let parts = Parts {
            objects: Arc::new(NoObjects),
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            egress: Egress::new(Policy::default()).unwrap(),
            attach: None,
            application: Application { name: "Tidegate".to_owned(), version: "0".to_owned() },
        };
        let engine = Engine::start(Options { threads, ..Options::default() }, parts).unwrap();
        drop(entered);
        let call = IncomingCall {
            method: HttpMethod::Post,
            url: "https://gate.example/webhook/key".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            parameters: Json::parse(body()).unwrap(),
            raw_body: body().as_bytes().into(),
            time: noon(),
        };
        Self { runtime, engine, call: Arc::new(call) }
    }

    /// The handler as the script of this number; each number has a text of its own.
    pub(crate) fn handler(tenant: &str, number: u32) -> Arc<Runnable> {
        definition(tenant, number, &format!("-- script {number}\n{HANDLER}"), None)
    }

    /// The script of a tenant of its own.
    pub(crate) fn script(tenant: &str, source: &str) -> Arc<Runnable> {
        definition(tenant, 0, source, None)
    }

    /// An Integration whose enable logic says no.
    pub(crate) fn disabled() -> Arc<Runnable> {
        definition("acme", 1, HANDLER, Some(r#"return { result = headers["x-event"] == "order" }"#))
    }

    /// One run; the caller waits for it.
    pub(crate) fn run(&self, definition: &Arc<Runnable>) -> Outcome {
        self.runtime.block_on(self.engine.run_incoming(definition, &self.call)).outcome
    }

    /// Runs each of these, 32 of them in flight at a time.
    pub(crate) fn run_all(&self, definitions: impl IntoIterator<Item = Arc<Runnable>>) {
        let one = |definition| async move { self.engine.run_incoming(&definition, &self.call).await.outcome };
        self.runtime.block_on(async {
            let mut outcomes = futures::stream::iter(definitions).map(one).buffer_unordered(32);
            while let Some(outcome) = outcomes.next().await {
                assert!(!matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
            }
        });
    }

    /// As [`Self::run_all`], without an engine: what asking for runs costs whoever asks.
    pub(crate) fn ask_nobody(&self, definitions: impl IntoIterator<Item = Arc<Runnable>>) {
        self.runtime.block_on(async {
            let one = |definition| async move { std::future::ready(divan::black_box(definition)).await };
            let mut asked = futures::stream::iter(definitions).map(one).buffer_unordered(32);
            while let Some(definition) = asked.next().await {
                drop(definition);
            }
        });
    }

    /// As [`Self::run_all`], of a thread that answers at once: what the ways there and back cost.
    pub(crate) fn ask_echo(&self, echo: &Echo, definitions: impl IntoIterator<Item = Arc<Runnable>>) {
        self.runtime.block_on(async {
            let mut asked = futures::stream::iter(definitions).map(|one| echo.ask(one)).buffer_unordered(32);
            while let Some(definition) = asked.next().await {
                drop(definition);
            }
        });
    }

    /// How long each of so many runs took by the clock while as many hogs as there are here go on.
    pub(crate) fn beside(&self, hogs: &[Arc<Runnable>], honest: &Arc<Runnable>, runs: usize) -> Vec<Duration> {
        let one = |definition| async move { self.engine.run_incoming(&definition, &self.call).await };
        self.runtime.block_on(async {
            let others = async {
                let endless = futures::stream::iter(hogs.iter().cycle().cloned());
                endless.map(one).buffer_unordered(hogs.len().max(1)).for_each(|_| std::future::ready(())).await;
                // Only without hogs.
                std::future::pending::<()>().await;
            };
            let ours = async {
                let mut took = Vec::with_capacity(runs);
                for _ in 0..runs {
                    let began = Instant::now();
                    let outcome = one(Arc::clone(honest)).await.outcome;
                    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
                    took.push(began.elapsed());
                }
                took
            };
            tokio::select! {
                took = ours => took,
                () = others => unreachable!("hogs come again and again"),
            }
        })
    }

    pub(crate) fn counts(&self) -> Counts {
        self.engine.counts()
    }
}

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn definition(tenant: &str, number: u32, core: &str, enable: Option<&str>) -> Arc<Runnable> {
    let script = |part: u64, source: &str| Script {
        logic: LogicId(Uuid::from_u64_pair(part, u64::from(number))),
        version: 1,
        source: source.into(),
    };
    let core = script(1, core);
    let enable = enable.map(|source| script(2, source));
    Arc::new(Runnable {
        integration: Integration {
            id: IntegrationId(Uuid::from_u128(u128::from(number))),
            tenant: tenant.parse().unwrap(),
            name: format!("orders-{number}"),
            description: None,
            direction: Direction::Incoming,
            http_method: HttpMethod::Post,
            active: true,
            effective_date: None,
            expiry_date: None,
            core_logic: core.logic,
            enable_logic: enable.as_ref().map(|script| script.logic),
            core_version: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: ExecutionUser { id: UserId(Uuid::from_u128(8)), username: "integration/orders".to_owned() },
            created_at: noon(),
            updated_at: noon(),
        },
        organization: Tenant { id: tenant.parse().unwrap(), name: "Acme".to_owned(), created_at: noon() },
        core,
        enable,
    })
}

/// A thread that gives back what it gets.
pub(crate) struct Echo(mpsc::Sender<(Arc<Runnable>, oneshot::Sender<Arc<Runnable>>)>);

impl Echo {
    pub(crate) fn new() -> Self {
        let (queue, mut asked) = mpsc::channel::<(Arc<Runnable>, oneshot::Sender<Arc<Runnable>>)>(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let serve = async move {
            while let Some((definition, reply)) = asked.recv().await {
                let _ = reply.send(definition);
            }
        };
        std::thread::spawn(move || runtime.block_on(serve));
        Self(queue)
    }

    async fn ask(&self, definition: Arc<Runnable>) -> Arc<Runnable> {
        let (reply, answer) = oneshot::channel();
        self.0.send((definition, reply)).await.unwrap();
        answer.await.unwrap()
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
        Err(Error::InvalidOperation("there are no objects".to_owned()))
    }
}
