//! Peers on loopback sockets, brokers, and things to send.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{
    Clock, Direction, EventType, Execution, ExecutionId, ExecutionUser, HttpMethod, Integration, IntegrationId, Json,
    LogicId, Pause, PauseReason, Randomness, ReceivedRequest, RunLimits, Runnable, Script, Secret, Settings, Status,
    Subscription, SystemClock, SystemRandomness, Tenant, TenantId, Timestamp, Trigger, UserId,
};
use tidegate_wire::grpc::{Health, Peer, Server};
use tidegate_wire::nats::{Nats, NatsOptions};
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

/// A role that serves others, until it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    runtime: Option<Runtime>,
}

pub(crate) fn secret() -> Secret {
    Secret::new("correct horse battery staple")
}

/// Nothing but the secret.
pub(crate) fn nothing() -> Server {
    Server {
        secret: Some(secret()),
        verifier: None,
        certified: false,
        registry: None,
        objects: None,
        vault: None,
        authority: None,
        public: None,
    }
}

pub(crate) async fn serve(server: Server) -> Served {
    serve_at(server, "127.0.0.1:0".parse().unwrap()).await
}

pub(crate) async fn serve_at(server: Server, address: SocketAddr) -> Served {
    let (routes, health) = server.routes().await.unwrap();
    let listener =
        eventually("the port to be free", || async { tokio::net::TcpListener::bind(address).await.ok() }).await;
    let address = listener.local_addr().unwrap();
    // With a runtime of its own, so that its connections end with it, as those of a killed process do.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = listener.into_std().unwrap();
    TaskTracker::new().spawn_on(
        async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        },
        runtime.handle(),
    );
    Served { address, health, runtime: Some(runtime) }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Served {
    pub(crate) fn peer(&self) -> Peer {
        Peer::connect(&format!("http://{}", self.address), &secret(), None).unwrap()
    }
}

/// Polls until there is something, for up to half a minute.
pub(crate) async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = poll().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain for {what}");
}

/// The broker that the environment names; `None`, said aloud, where there is none.
#[expect(clippy::disallowed_methods, reason = "tests learn of services from the environment")]
pub(crate) fn nats_url() -> Option<String> {
    let url = std::env::var("TIDEGATE_TEST_NATS").ok();
    if url.is_none() {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_NATS must be set where CI is");
        eprintln!("SKIPPED: TIDEGATE_TEST_NATS is not set");
    }
    url
}

/// A connection with streams of its own.
pub(crate) async fn nats() -> Option<Nats> {
    let options = options(nats_url()?);
    Some(Nats::connect(options).await.unwrap())
}

/// Streams of its own, on the broker at `url`.
pub(crate) fn options(url: String) -> NatsOptions {
    let mut random = [0; 8];
    SystemRandomness.fill(&mut random);
    NatsOptions { prefix: format!("test_{:x}", u64::from_be_bytes(random)), ..NatsOptions::at(url) }
}

/// A broker that the test may kill.
pub(crate) struct Broker {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::configured("")
    }

    /// With these lines in its configuration.
    pub(crate) fn configured(lines: &str) -> Self {
        Self::launched(lines, true)
    }

    /// As somebody starts it who has not heard of JetStream.
    pub(crate) fn without_jetstream() -> Self {
        Self::launched("", false)
    }

    fn launched(lines: &str, jetstream: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("nats.conf"), lines).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { child: launch(port, directory.path(), jetstream), port, directory }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Without what it had stored.
    pub(crate) fn restart_empty(&mut self) {
        let stored = self.directory.path().join("jetstream");
        std::fs::remove_dir_all(stored).unwrap();
        self.restart();
    }

    pub(crate) fn restart(&mut self) {
        self.child = launch(self.port, self.directory.path(), true);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one that the environment names, where it does.
#[expect(clippy::disallowed_methods, reason = "tests learn of services from the environment")]
fn nats_server() -> String {
    std::env::var("TIDEGATE_TEST_NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned())
}

fn launch(port: u16, directory: &Path, jetstream: bool) -> Child {
    let mut command = Command::new(nats_server());
    command.args(jetstream.then_some("-js"));
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(directory);
    command.arg("-c").arg(directory.join("nats.conf"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn acme() -> TenantId {
    "acme".parse().unwrap()
}

/// An incoming Integration with every optional part there is.
pub(crate) fn incoming(name: &str) -> Runnable {
    let core =
        Script { logic: LogicId::generate(&SystemClock, &SystemRandomness), version: 7, source: "return {}".into() };
    let enable = Script { version: 1, source: "return { result = true } -- \u{1f30a}".into(), ..core.clone() };
    let integration = Integration {
        id: IntegrationId::generate(&SystemClock, &SystemRandomness),
        tenant: acme(),
        name: name.to_owned(),
        description: Some(String::new()),
        direction: Direction::Incoming,
        http_method: HttpMethod::Post,
        active: true,
        effective_date: Some(now()),
        expiry_date: Some(Timestamp::UNIX_EPOCH - chrono::TimeDelta::microseconds(1)),
        core_logic: core.logic,
        enable_logic: Some(enable.logic),
        core_version: Some(3),
        enable_version: None,
        settings: Settings { limits: RunLimits { core_cpu_ms: Some(9), ..Default::default() }, ..Default::default() },
        paused: Some(Pause { reason: PauseReason::Gone, since: Timestamp::UNIX_EPOCH }),
        execution_user: ExecutionUser {
            id: UserId::generate(&SystemClock, &SystemRandomness),
            username: format!("integration/{name}"),
        },
        created_at: now(),
        updated_at: now(),
    };
    let organization = Tenant { id: acme(), name: "Acme, Inc.".into(), created_at: now() };
    Runnable { integration, organization, core, enable: Some(enable) }
}

/// An outgoing Integration with no optional part, inactive.
pub(crate) fn outgoing(name: &str, object_type: &str, event_types: &[EventType]) -> Runnable {
    let mut runnable = incoming(name);
    let subscriptions =
        event_types.iter().map(|e| Subscription { object_type: object_type.parse().unwrap(), event_type: *e });
    runnable.enable = None;
    runnable.integration = Integration {
        description: None,
        direction: Direction::Outgoing {
            url: "https://example.org/x?y=1#z".into(),
            subscriptions: subscriptions.collect(),
        },
        http_method: HttpMethod::Get,
        active: false,
        effective_date: None,
        expiry_date: None,
        enable_logic: None,
        ..runnable.integration
    };
    runnable
}

/// The record of a webhook that succeeded.
pub(crate) fn record() -> Execution {
    let runnable = incoming("orders");
    Execution {
        id: ExecutionId::generate(&SystemClock, &SystemRandomness),
        tenant: acme(),
        integration: runnable.integration.id,
        trigger: Trigger::Webhook,
        status: Status::Success,
        skip_reason: None,
        started_at: now(),
        finished_at: Some(now()),
        request: Some(ReceivedRequest {
            method: HttpMethod::Post,
            url: "http://localhost/webhook/".into(),
            headers: Json::trusted(r#"{"content-type":"application/json"}"#),
            parameters: Json::trusted(r#"{"n": 9007199254740993}"#),
            caller_address: Some([203, 0, 113, 7].into()),
        }),
        event: None,
        attempts: vec![],
        next_attempt_at: None,
        calls: Vec::new(),
        enable_result: Some(Json::trusted("true")),
        core_result: Some(Json::trusted(r#"{"ok":true}"#)),
        log: vec![],
        error: None,
        core_logic_version: Some(7),
        enable_logic_version: Some(1),
        execution_user: runnable.integration.execution_user,
        replay_of: None,
    }
}

/// A contract at both ends: as it is, and over a socket. What holds for one holds for the other.
pub(crate) struct Ends<T: ?Sized> {
    pub(crate) ends: [(&'static str, Arc<T>); 2],
    _served: Served,
}

impl<T: ?Sized> Ends<T> {
    pub(crate) async fn of(local: Arc<T>, server: Server, remote: impl FnOnce(&Peer) -> Arc<T>) -> Self {
        let role = serve(server).await;
        Self { ends: [("local", local), ("remote", remote(&role.peer()))], _served: role }
    }
}
