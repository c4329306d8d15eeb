//! Tidegate with everything in one process: on a SQLite file, or on PostgreSQL and NATS.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::Asked;
use crate::client::{Client, Identity};
use crate::load::CORE;
use crate::shared::{Measured, eventually, free_port};
use crate::sink::Sink;

/// What it stands on.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A file, and a bus that is a table.
    Sqlite(PathBuf),
    /// A database of its own on a server, and a server of its own.
    Servers { database: String, nats: String },
}

/// Tidegate under load.
pub(crate) struct Subject {
    pub(crate) ground: Ground,
    program: PathBuf,
    pub(crate) identity: Identity,
    /// The Integrations' ids, by their numbers.
    pub(crate) integrations: Vec<String>,
    /// None while it is stopped.
    process: Option<Measured>,
}

const CLIENT_ID: &str = "01890000-0000-7000-8000-000000000001";
const CLIENT_SECRET: &str = "the-secret-of-the-bench's-administrator";

impl Subject {
    /// Starts it with so many Integrations, each of which listens to a type of its own and makes so many calls at once.
    pub(crate) async fn start(asked: &Asked, ground: Ground, sink: &Sink, integrations: usize) -> Self {
        let program = asked.tidegate.clone();
        let mut subject =
            Self { ground, program, identity: Identity::default(), integrations: Vec::new(), process: None };
        if let Ground::Servers { .. } = subject.ground {
            assert!(subject.command(&["migrate"], 0).status().unwrap().success());
        }
        subject.resume().await;
        subject.integrations = subject.make(sink, integrations, asked.concurrency).await;
        subject
    }

    /// Starts it again.
    pub(crate) async fn resume(&mut self) {
        let port = free_port();
        let arguments: &[&str] = match &self.ground {
            Ground::Sqlite(folder) => &["dev", "--data-dir", folder.to_str().unwrap()],
            Ground::Servers { .. } => &["serve"],
        };
        let process = self.command(arguments, port).spawn().unwrap();
        self.process = Some(Measured::new(process));
        eventually("Tidegate is ready", || ready(port));
        let form = format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}");
        let mut stranger = Client::connect(&Identity { port, headers: String::new() }).await;
        let kind = "application/x-www-form-urlencoded";
        let told = stranger.ask(200, ("POST", "/oauth2/token"), kind, &form).await;
        let told: Value = serde_json::from_slice(&told).unwrap();
        let headers = format!("Authorization: Bearer {}\r\nTenant: acme\r\n", told["access_token"].as_str().unwrap());
        self.identity = Identity { port, headers };
    }

    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    pub(crate) fn process(&self) -> &Measured {
        self.process.as_ref().unwrap()
    }

    fn command(&self, arguments: &[&str], port: u16) -> Command {
        let mut command = Command::new(&self.program);
        let settings = [
            ("HTTP__LISTEN", format!("127.0.0.1:{port}")),
            ("EGRESS__ALLOW", "127.0.0.1".to_owned()),
            ("OAUTH2__TOKEN_LIFETIME", "12h".to_owned()),
            ("ADMIN__CLIENT_ID", CLIENT_ID.to_owned()),
            ("ADMIN__CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("LOG__LEVEL", "error".to_owned()),
        ];
        command.args(arguments).envs(settings.map(|(name, value)| (format!("TIDEGATE_{name}"), value)));
        if let Ground::Servers { database, nats } = &self.ground {
            command.env("TIDEGATE_DATABASE__URL", database).env("TIDEGATE_BUS__URL", nats);
            command.env("TIDEGATE_SECRETS__KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        }
        command.stdout(Stdio::null());
        command
    }

    /// Makes the tenant and its Integrations; answers their ids.
    async fn make(&self, sink: &Sink, count: usize, concurrency: u32) -> Vec<String> {
        // Who names a tenant that is not there is refused.
        let headers = self.identity.headers.replace("Tenant: acme\r\n", "");
        let mut stranger = Client::connect(&Identity { headers, ..self.identity }).await;
        let tenant = "mutation($in: TenantInput!) { createTenant(in: $in) { id } }";
        stranger.graphql(tenant, &json!({ "in": { "id": "acme", "name": "acme" } })).await;
        let mut client = Client::connect(&self.identity).await;
        let logic = "mutation($in: LogicInput!) { createLogic(in: $in) { id } }";
        let logic = client.graphql(logic, &json!({ "in": { "name": "map", "kind": "CORE", "source": CORE } })).await;
        let logic = logic["createLogic"]["id"].clone();
        let mut ids = Vec::new();
        for number in 0..count {
            let make = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id } }";
            let input = json!({
                "name": format!("sink-{number}"), "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic,
                "url": sink.url(number), "outgoing": { "concurrency": concurrency },
                "subscriptions": [{ "objectType": format!("T{number}"), "eventType": "CREATE" }],
            });
            let told = client.graphql(make, &json!({ "in": input })).await;
            ids.push(told["createIntegration"]["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// How many bytes its database has.
    pub(crate) async fn size(&self) -> u64 {
        match &self.ground {
            Ground::Sqlite(folder) => {
                ["tidegate.db", "tidegate.db-wal"].iter().map(|name| length(&folder.join(name))).sum()
            }
            Ground::Servers { database, .. } => {
                let pool = sqlx::PgPool::connect(database).await.unwrap();
                let size: i64 =
                    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&pool).await.unwrap();
                pool.close().await;
                u64::try_from(size).unwrap_or_default()
            }
        }
    }
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

fn ready(port: u16) -> Option<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(())
}
