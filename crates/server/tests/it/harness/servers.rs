//! The servers that roles apart share: a database of its own on the tests' PostgreSQL, a nats-server of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::ports;
use super::postgres::Postgres;
use super::process::Process;
use super::proxy::{Line, Proxy};

/// The servers of one test.
pub(crate) struct Servers {
    pub(crate) database: String,
    pub(crate) nats_port: u16,
    pub(crate) nats: Process,
    folder: tempfile::TempDir,
    /// Where the test kills it: everybody else's is not its own.
    postgres: Option<Postgres>,
    /// In front of the database and the broker, where the test hurts them.
    proxies: Option<[Proxy; 2]>,
}

impl Servers {
    /// `None`, visibly, where there is no PostgreSQL or NATS to test with; in CI that is a failure.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::start_with(test, false).await
    }

    /// With `alone`, on a PostgreSQL that nobody else uses.
    pub(crate) async fn start_with(test: &str, alone: bool) -> Option<Self> {
        let Ok(postgres) = std::env::var("TIDEGATE_TEST_POSTGRES") else {
            return skipped(test, "TIDEGATE_TEST_POSTGRES");
        };
        if std::env::var("TIDEGATE_TEST_NATS").is_err() {
            return skipped(test, "TIDEGATE_TEST_NATS");
        }
        let own = if alone { Some(Postgres::start().await) } else { None };
        let postgres = own.as_ref().map_or(postgres, Postgres::url);
        let name = format!("server_{}_{}", std::process::id(), ports::free());
        let mut connection = PgConnection::connect(&postgres).await.unwrap();
        for statement in [PLAIN_ROLE.to_owned(), format!("CREATE DATABASE {name} OWNER tidegate_plain")] {
            connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        }
        let mut database = url::Url::parse(&postgres).unwrap();
        database.set_path(&name);
        database.set_username("tidegate_plain").unwrap();
        database.set_password(Some("plain")).unwrap();
        let (folder, nats_port) = (tempfile::tempdir().unwrap(), ports::free());
        let nats = start_nats(folder.path(), nats_port);
        Some(Self { database: database.into(), nats_port, nats, folder, postgres: own, proxies: None })
    }

    /// From now on, its URLs lead through proxies.
    pub(crate) async fn hide(&mut self) {
        let mut database: url::Url = self.database.parse().unwrap();
        let proxies = [Proxy::before(database.port().unwrap_or(5432)).await, Proxy::before(self.nats_port).await];
        database.set_port(Some(proxies[0].port)).unwrap();
        self.database = database.into();
        self.proxies = Some(proxies);
    }

    pub(crate) fn nats_url(&self) -> String {
        let port = self.proxies.as_ref().map_or(self.nats_port, |[_, nats]| nats.port);
        format!("nats://127.0.0.1:{port}")
    }

    /// The line to the database is like this for so long.
    pub(crate) async fn database_line(&self, line: Line, length: Duration) {
        self.line(0, line, length).await;
    }

    /// The line to the broker is like this for so long.
    pub(crate) async fn bus_line(&self, line: Line, length: Duration) {
        self.line(1, line, length).await;
    }

    async fn line(&self, which: usize, line: Line, length: Duration) {
        let proxy = &self.proxies.as_ref().unwrap()[which];
        proxy.set(line);
        tokio::time::sleep(length).await;
        proxy.set(Line::Open);
    }

    /// Kills PostgreSQL, and after some time starts it again on what it had stored.
    pub(crate) async fn restart_postgres(&self, length: Duration) {
        let postgres = self.postgres.as_ref().unwrap();
        postgres.kill().await;
        tokio::time::sleep(length).await;
        postgres.resume().await;
    }

    /// For so long the database answers and takes no changes, as a standby does until it is made the primary.
    pub(crate) async fn read_only(&self, length: Duration) {
        let mut database: url::Url = self.database.parse().unwrap();
        let name = database.path().trim_start_matches('/').to_owned();
        database.set_query(Some("options=-c%20default_transaction_read_only%3Doff"));
        let mut connection = PgConnection::connect(database.as_str()).await.unwrap();
        let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        for (value, length) in [("on", length), ("off", Duration::ZERO)] {
            let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
            connection.execute(sqlx::AssertSqlSafe(set)).await.unwrap();
            connection.execute(end_all).await.unwrap();
            tokio::time::sleep(length).await;
        }
    }

    /// Kills the broker and starts it again on what it had stored.
    pub(crate) fn restart_nats(&mut self) {
        self.nats.kill();
        self.nats = start_nats(self.folder.path(), self.nats_port);
    }
}

fn start_nats(folder: &std::path::Path, port: u16) -> Process {
    let mut command = Command::new(nats_server());
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder).stdin(Stdio::null());
    Process::start(&mut command)
}

/// The one that the environment names, where it does.
pub(crate) fn nats_server() -> PathBuf {
    let known = PathBuf::from("/usr/sbin/nats-server");
    let usual = || if known.exists() { known } else { "nats-server".into() };
    std::env::var_os("TIDEGATE_TEST_NATS_SERVER").map_or_else(usual, PathBuf::from)
}

fn skipped<T>(test: &str, variable: &str) -> Option<T> {
    assert!(std::env::var("CI").is_err(), "{variable} is not set; start the tests with scripts/test");
    eprintln!("skipped: {test}: {variable} is not set (scripts/services start)");
    None
}

/// What Tidegate is to be on a server: no wall holds a superuser. Several tests make it at once.
const PLAIN_ROLE: &str = "DO $$ BEGIN CREATE ROLE tidegate_plain LOGIN PASSWORD 'plain'; \
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
