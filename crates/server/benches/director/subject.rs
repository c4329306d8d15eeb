//! Tidegate with everything in one process: on a SQLite file, or on PostgreSQL and NATS.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::Asked;
use crate::client::{Client, Identity};
use crate::shared::{Measured, eventually, free_port};

/// What it stands on.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A file, and a bus that is a table.
    Sqlite(PathBuf),
    /// A database of its own on a server, for a role that is held to row-level security; and a nats-server.
    Servers { database: String, superuser: String, nats: String },
}

impl Ground {
    /// A database that is made there, and streams that are empty.
    pub(crate) async fn servers(postgres: &str, nats: &str) -> Self {
        let streams = async_nats::jetstream::new(async_nats::connect(nats).await.unwrap());
        let mut names = streams.stream_names();
        while let Some(name) = futures::StreamExt::next(&mut names).await {
            streams.delete_stream(name.unwrap()).await.unwrap();
        }
        let name = format!("bench_director_{}", std::process::id());
        let admin = sqlx::PgPool::connect(postgres).await.unwrap();
        let role = "DO $$ BEGIN CREATE ROLE bench_plain LOGIN PASSWORD 'plain'; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
        for statement in [role.to_owned(), format!("CREATE DATABASE {name} OWNER bench_plain")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&admin).await.unwrap();
        }
        admin.close().await;
        let mut url = url::Url::parse(postgres).unwrap();
        url.set_path(&name);
        let superuser = url.to_string();
        url.set_username("bench_plain").unwrap();
        url.set_password(Some("plain")).unwrap();
        Self::Servers { database: url.to_string(), superuser, nats: nats.to_owned() }
    }

    /// Leaves nothing on the server.
    pub(crate) async fn end(&self) {
        let Self::Servers { superuser, .. } = self else { return };
        let mut url = url::Url::parse(superuser).unwrap();
        let name = url.path().trim_start_matches('/').to_owned();
        url.set_path("/postgres");
        let admin = sqlx::PgPool::connect(url.as_str()).await.unwrap();
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&admin).await.unwrap();
    }
}

/// Tidegate under load, with a tenant that has an Application for each connection and one Integration.
pub(crate) struct Subject {
    pub(crate) ground: Ground,
    pub(crate) port: u16,
    /// The administrator's.
    pub(crate) token: String,
    pub(crate) applications: Vec<String>,
    /// None once it is stopped.
    process: Option<Measured>,
}

pub(crate) const CLIENT_ID: &str = "01890000-0000-7000-8000-000000000001";
pub(crate) const CLIENT_SECRET: &str = "the-secret-of-the-bench's-administrator";

impl Subject {
    pub(crate) async fn start(asked: &Asked, ground: Ground) -> Self {
        let port = free_port();
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&asked.tidegate);
            let settings = [
                ("HTTP__LISTEN", format!("127.0.0.1:{port}")),
                ("OAUTH2__PUBLIC_URL", issuer(port)),
                ("OAUTH2__TOKEN_LIFETIME", "12h".to_owned()),
                ("ADMIN__CLIENT_ID", CLIENT_ID.to_owned()),
                ("ADMIN__CLIENT_SECRET", CLIENT_SECRET.to_owned()),
                ("LOG__LEVEL", "error".to_owned()),
            ];
            command.args(arguments).envs(settings.map(|(name, value)| (format!("TIDEGATE_{name}"), value)));
            if let Ground::Servers { database, nats, .. } = &ground {
                command.env("TIDEGATE_DATABASE__URL", database).env("TIDEGATE_BUS__URL", nats);
                command.env("TIDEGATE_SECRETS__KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
                command.env("TIDEGATE_WEBHOOK__PUBLIC_URL", issuer(port));
            }
            command.stdout(Stdio::null());
            command
        };
        let process = match &ground {
            Ground::Sqlite(folder) => command(&["dev", "--data-dir", folder.to_str().unwrap()]).spawn(),
            Ground::Servers { .. } => {
                assert!(command(&["migrate"]).status().unwrap().success());
                command(&["serve"]).spawn()
            }
        };
        let process = Some(Measured::new(process.unwrap()));
        eventually("Tidegate is ready", || ready(port));
        let mut subject = Self { ground, port, token: String::new(), applications: Vec::new(), process };
        subject.furnish(asked.connections).await;
        subject
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    pub(crate) fn process(&self) -> &Measured {
        self.process.as_ref().unwrap()
    }

    /// What a request for a token says.
    pub(crate) fn token_request() -> String {
        format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}")
    }

    pub(crate) fn identity(&self) -> Identity {
        let headers = format!("Authorization: Bearer {}\r\nTenant: acme\r\n", self.token);
        Identity { port: self.port, headers }
    }

    async fn furnish(&mut self, applications: usize) {
        let mut stranger = Client::connect(&Identity { port: self.port, headers: String::new() }).await;
        let form = "application/x-www-form-urlencoded";
        let told = stranger.ask(200, ("POST", "/oauth2/token"), form, &Self::token_request()).await;
        let told: Value = serde_json::from_slice(&told).unwrap();
        told["access_token"].as_str().unwrap().clone_into(&mut self.token);
        let headers = format!("Authorization: Bearer {}\r\n", self.token);
        let mut admin = Client::connect(&Identity { port: self.port, headers }).await;
        let tenant = "mutation($in: TenantInput!) { made: createTenant(in: $in) { id } }";
        admin.graphql(tenant, &json!({ "in": { "id": "acme", "name": "acme" } })).await;
        let mut client = Client::connect(&self.identity()).await;
        for number in 0..applications {
            let register = "mutation($in: ApplicationInput!) { made: registerApplication(in: $in) { id } }";
            let made = client.graphql(register, &json!({ "in": { "name": format!("app-{number}") } })).await;
            self.applications.push(made["made"]["id"].as_str().unwrap().to_owned());
        }
        let logic = "mutation($in: LogicInput!) { made: createLogic(in: $in) { id } }";
        let input = json!({ "in": { "name": "core", "kind": "CORE", "source": "return {}" } });
        let logic = client.graphql(logic, &input).await;
        let integration = "mutation($in: IntegrationInput!) { made: createIntegration(in: $in) { id } }";
        let input =
            json!({ "name": "hook", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic["made"]["id"] });
        client.graphql(integration, &json!({ "in": input })).await;
    }
}

/// Who issues its tokens.
pub(crate) fn issuer(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn ready(port: u16) -> Option<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(())
}
