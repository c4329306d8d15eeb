//! Tidegate under load, everything durable: in one process, or in one for each role.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::asked::{Tested, Way};
use super::client::{Client, Identity};
use super::free_ports;
use super::ground::{Ground, Servers};
use super::part::Part;
use super::process::Measured;

const CLIENT_ID: &str = "01890000-0000-7000-8000-000000000001";
const CLIENT_SECRET: &str = "the-secret-of-the-bench's-administrator";

/// A running Tidegate; its processes end when it is dropped, and what it stands on stays.
pub(crate) struct Tidegate {
    pub(crate) way: Way,
    pub(crate) ground: Ground,
    /// In the order of their start.
    parts: Vec<Part>,
    /// Where director, credentials and gateway listen.
    pub(crate) director: u16,
    pub(crate) credentials: u16,
    pub(crate) gateway: u16,
    /// The administrator's.
    pub(crate) token: String,
}

impl Tidegate {
    /// Starts one on ground of its own, and waits until it is ready; on SQLite that is this folder.
    pub(crate) async fn start(tested: &Tested, way: Way, folder: &Path) -> Self {
        let ground = tested.ground(way, folder).await;
        let [director, credentials, gateway, dispatcher] = free_ports();
        let [director, credentials, gateway] = match way {
            Way::Apart { .. } => [director, credentials, gateway],
            Way::Sqlite | Way::Servers => [director; 3],
        };
        let settings = settings(&ground, way, [director, credentials, gateway]);
        let part = |name, arguments: &[&str], port| Part {
            name,
            program: tested.tidegate.clone(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            settings: settings.clone(),
            port,
            process: None,
        };
        let parts = match (way, &ground) {
            (Way::Apart { dispatchers }, _) => {
                let role = |name: &'static str, port| part(name, &["serve", name], port);
                let mut parts = vec![
                    role("credentials", credentials),
                    role("director", director),
                    role("webhook-gateway", gateway),
                ];
                let more = (1..dispatchers).map(|_| free_ports::<1>()[0]);
                parts.extend(std::iter::once(dispatcher).chain(more).map(|port| role("outgoing-dispatcher", port)));
                parts
            }
            (_, Ground::Sqlite(folder)) => {
                vec![part("tidegate", &["dev", "--data-dir", folder.to_str().unwrap()], director)]
            }
            (_, Ground::Servers(_)) => vec![part("tidegate", &["serve"], director)],
        };
        let mut whole = Self { way, ground, parts, director, credentials, gateway, token: String::new() };
        if let Ground::Servers(_) = whole.ground {
            assert!(whole.parts[0].command(&["migrate"]).status().unwrap().success(), "tidegate migrate");
        }
        if let Way::Apart { .. } = way {
            whole.parts.iter_mut().for_each(Part::become_a_service);
        }
        whole.resume();
        whole.sign_in().await;
        whole
    }

    /// Starts what is stopped, and waits until it is ready.
    pub(crate) fn resume(&mut self) {
        self.parts.iter_mut().for_each(Part::start);
    }

    /// Asks all of it to stop, and waits.
    pub(crate) fn stop(&mut self) {
        self.parts.iter_mut().rev().for_each(|part| part.process = None);
    }

    /// Stops it, and leaves nothing on the servers.
    pub(crate) async fn end(&mut self) {
        self.stop();
        self.ground.end().await;
    }

    /// What all of its processes have used since they were started.
    pub(crate) fn processor_time(&self) -> Duration {
        self.processor_times().iter().map(|(_, used)| *used).sum()
    }

    /// What each of its processes has used, by its role.
    pub(crate) fn processor_times(&self) -> Vec<(&'static str, Duration)> {
        self.running().map(|(name, process)| (name, process.processor_time())).collect()
    }

    /// The most that each has held, of all together, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.running().map(|(_, process)| process.peak_memory()).sum()
    }

    fn running(&self) -> impl Iterator<Item = (&'static str, &Measured)> {
        self.parts.iter().filter_map(|part| Some((part.name, part.process.as_ref()?)))
    }

    /// Who issues its tokens.
    pub(crate) fn issuer(&self) -> String {
        here(self.credentials)
    }

    /// What a request for a token says.
    pub(crate) fn token_request() -> String {
        format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}")
    }

    async fn sign_in(&mut self) {
        let mut stranger = Client::connect(&Identity { port: self.credentials, headers: String::new() }).await;
        let form = "application/x-www-form-urlencoded";
        let told = stranger.ask(200, ("POST", "/oauth2/token"), form, &Self::token_request()).await;
        let told: Value = serde_json::from_slice(&told).unwrap();
        told["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// The administrator at the director, in this tenant.
    pub(crate) fn within(&self, tenant: &str) -> Identity {
        let headers = format!("Authorization: Bearer {}\r\nTenant: {tenant}\r\n", self.token);
        Identity { port: self.director, headers }
    }

    /// Makes a tenant, and goes there.
    pub(crate) async fn make_tenant(&self, id: &str) -> Client {
        // Who names a tenant that is not there is refused.
        let headers = format!("Authorization: Bearer {}\r\n", self.token);
        let mut admin = Client::connect(&Identity { port: self.director, headers }).await;
        admin.make("Tenant", "id", &json!({ "id": id, "name": id })).await;
        Client::connect(&self.within(id)).await
    }
}

fn settings(ground: &Ground, way: Way, ports: [u16; 3]) -> Vec<(&'static str, String)> {
    let [director, credentials, gateway] = ports;
    let mut settings = vec![
        // Nobody balances a load here.
        ("HTTP__LINGER", "0s".to_owned()),
        ("EGRESS__ALLOW", "127.0.0.1".to_owned()),
        ("OAUTH2__PUBLIC_URL", here(credentials)),
        ("OAUTH2__TOKEN_LIFETIME", "12h".to_owned()),
        ("WEBHOOK__PUBLIC_URL", here(gateway)),
        ("ADMIN__CLIENT_ID", CLIENT_ID.to_owned()),
        ("ADMIN__CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("LOG__LEVEL", "error".to_owned()),
    ];
    if let Ground::Servers(Servers { database, nats, name, .. }) = ground {
        settings.push(("DATABASE__URL", database.clone()));
        settings.extend(nats.iter().map(|nats| ("BUS__URL", nats.clone())));
        settings.push(("BUS__PREFIX", name.clone()));
        settings.push(("SECRETS__KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()));
    }
    if let Way::Apart { .. } = way {
        settings.push(("PEERS__DIRECTOR", here(director)));
        settings.push(("PEERS__CREDENTIALS", here(credentials)));
    }
    settings
}

fn here(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
