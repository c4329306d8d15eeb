//! A store per test, on each of the three.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use tempfile::TempDir;
use tidegate_model::contract::{EventLog, Recorder, Repeats};
use tidegate_model::{Clock as _, ManualClock, Timestamp};
use tidegate_storage::{DatabaseUrl, Options, Store};

/// An empty store with the clock that its test moves.
pub(crate) struct Kept {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) log: Option<Arc<dyn EventLog>>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) repeats: Arc<dyn Repeats>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) url: DatabaseUrl,
    _directory: Option<TempDir>,
}

impl Kept {
    pub(crate) async fn memory() -> Option<Self> {
        Some(Self::open(DatabaseUrl::memory(), None).await)
    }

    pub(crate) async fn file() -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let url = DatabaseUrl::file(directory.path().join("store.db"));
        Some(Self::open(url, Some(directory)).await)
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::open(fresh_postgres().await?, None).await)
    }

    async fn open(url: DatabaseUrl, directory: Option<TempDir>) -> Self {
        tidegate_storage::migrate(&url).await.unwrap();
        let clock = Arc::new(ManualClock::new(start()));
        let options = Options { url: url.clone(), max_connections: 8, clock: clock.clone() };
        let opened = tidegate_storage::open(&options).await.unwrap();
        let (store, log, recorder) = (opened.store, opened.local_log, opened.recorder);
        Self { store, log, recorder, repeats: opened.repeats, clock, url, _directory: directory }
    }

    /// What another process on the same database has; where nobody else can be, the same again.
    pub(crate) async fn another_handle(&self) -> Arc<dyn Repeats> {
        if !self.url.to_string().starts_with("postgres") {
            return self.repeats.clone();
        }
        let options = Options { url: self.url.clone(), max_connections: 8, clock: self.clock.clone() };
        tidegate_storage::open(&options).await.unwrap().repeats
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn after(&self, seconds: i64) -> Timestamp {
        self.clock.now() + TimeDelta::seconds(seconds)
    }
}

/// 2026-01-01T00:00:00.000001Z: the microsecond must come back.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_timestamp_micros(1_767_225_600_000_001).unwrap()
}

/// A database of its own on the server that the environment names; none is a visible skip, and a failure in CI.
pub(crate) async fn fresh_postgres() -> Option<DatabaseUrl> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = std::env::var_os("TIDEGATE_TEST_POSTGRES") else {
        assert!(std::env::var_os("CI").is_none(), "TIDEGATE_TEST_POSTGRES is not set");
        println!("skipped: TIDEGATE_TEST_POSTGRES is not set");
        return None;
    };
    let server = server.into_string().unwrap();
    let name = format!("tidegate_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    let drop = format!("DROP DATABASE IF EXISTS {name}");
    for statement in [PLAIN_ROLE.to_owned(), drop, format!("CREATE DATABASE {name} OWNER tidegate_plain")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&admin).await.unwrap();
    }
    admin.close().await;
    let (base, query) = server.split_once('?').unwrap_or((&server, ""));
    let (_, place) = base.split_once("://").unwrap();
    let host = place.split('/').next().unwrap().rsplit('@').next().unwrap();
    Some(format!("postgres://tidegate_plain:plain@{host}/{name}?{query}").parse().unwrap())
}

/// Somebody on the same database for whom no rule holds.
pub(crate) fn superuser(url: &DatabaseUrl) -> sqlx::postgres::PgConnectOptions {
    let server: sqlx::postgres::PgConnectOptions =
        std::env::var_os("TIDEGATE_TEST_POSTGRES").unwrap().to_str().unwrap().parse().unwrap();
    let place = url.to_string();
    let (place, _) = place.split_once('?').unwrap_or((&place, ""));
    server.database(place.rsplit('/').next().unwrap())
}

/// What Tidegate is to be on a server: no wall holds a superuser. Several tests make it at once.
const PLAIN_ROLE: &str = "DO $$ BEGIN CREATE ROLE tidegate_plain LOGIN PASSWORD 'plain'; \
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";

/// Runs each test on each store.
macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        on_every_store!(@ memory $($test)*);
        on_every_store!(@ file $($test)*);
        on_every_store!(@ postgres $($test)*);
    };
    (@ $store:ident $($test:ident)*) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(kept) = $crate::harness::Kept::$store().await {
                    super::$test(&kept).await;
                }
            })*
        }
    };
}
pub(crate) use on_every_store;
