//! Which roles run in this process, and what they need.

use std::fmt;

use clap::ValueEnum;

use super::{Bus, Config, Database, Fault};

/// A part of Tidegate that can live in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Registry, objects, events, records: GraphQL and gRPC.
    Director,
    /// OAuth 2.0 clients and tokens.
    Credentials,
    /// Third parties' calls.
    WebhookGateway,
    /// Calls of third parties.
    OutgoingDispatcher,
}

/// The roles of this process.
#[derive(Clone, Debug)]
pub(crate) struct Roles(Vec<Role>);

impl Roles {
    /// Every role, when none is named.
    pub(crate) fn of(named: Vec<Role>) -> Self {
        if named.is_empty() { Self(Role::value_variants().to_vec()) } else { Self(named) }
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether every role is here.
    pub(crate) fn together(&self) -> bool {
        Role::value_variants().iter().all(|role| self.has(*role))
    }

    /// Whether any role here hears or says something on the bus; credentials alone do not.
    pub(crate) fn communicate(&self) -> bool {
        self.0.iter().any(|role| *role != Role::Credentials)
    }

    /// Whether any role here remembers; the gateway alone does not.
    pub(crate) fn remember(&self) -> bool {
        self.0.iter().any(|role| *role != Role::WebhookGateway)
    }
}

/// `tidegate`, and what it is where it is not everything.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tidegate")?;
        let named = self.0.iter().filter(|_| !self.together()).filter_map(Role::to_possible_value);
        named.into_iter().try_for_each(|role| write!(f, " {}", role.get_name()))
    }
}

impl Config {
    /// Refuses what these roles cannot live with.
    pub(crate) fn check(&self, roles: &Roles) -> Result<(), Fault> {
        let sqlite = matches!(self.database, Database::Sqlite(_));
        let local = matches!(self.bus, Bus::Local);
        if !roles.together() {
            if sqlite && roles.remember() {
                return Err(needs(
                    "database.url",
                    "a SQLite file serves one process that has every role",
                    "postgres://..., or start every role in one process: tidegate serve",
                ));
            }
            if local && roles.communicate() {
                return Err(needs(
                    "bus.url",
                    "the local bus serves one process that has every role",
                    "nats://HOST:4222, or start every role in one process: tidegate serve",
                ));
            }
            self.check_peers(roles)?;
        } else if sqlite != local {
            return Err(needs(
                "bus.url",
                "the local bus is a table of the SQLite file: these two go together",
                "nats://HOST:4222 with PostgreSQL, local with SQLite",
            ));
        }
        if !sqlite && roles.remember() && self.master_keys.is_none() {
            return Err(needs(
                "secrets.key",
                "is missing",
                "32 random bytes in base64 (openssl rand -base64 32), the same in every process",
            ));
        }
        Ok(())
    }

    fn check_peers(&self, roles: &Roles) -> Result<(), Fault> {
        let uses_director = roles.has(Role::WebhookGateway) || roles.has(Role::OutgoingDispatcher);
        if uses_director && !roles.has(Role::Director) && self.peers.director.is_none() {
            return Err(needs(
                "peers.director",
                "is missing: the director is another process",
                "its URL, such as http://director:8080",
            ));
        }
        if roles.has(Role::Director) && !roles.has(Role::Credentials) && self.peers.credentials.is_none() {
            return Err(needs(
                "peers.credentials",
                "is missing: the credentials role is another process",
                "its URL, such as http://credentials:8080",
            ));
        }
        let called = [("peers.director", &self.peers.director), ("peers.credentials", &self.peers.credentials)];
        for (key, url) in called {
            if self.peers.tls.is_none() && url.as_ref().is_some_and(|url| url.starts_with("https:")) {
                let fault = format!("is missing: {key} is an https URL");
                return Err(needs("peers.ca", &fault, "the path of a PEM file with who signs the roles' certificates"));
            }
        }
        if roles.has(Role::Director) && self.webhook_url.is_none() {
            return Err(needs(
                "webhook.public_url",
                "is missing: only a director together with its gateway knows it",
                "what third parties' calls begin with, such as https://hooks.example.com",
            ));
        }
        if (roles.has(Role::Director) || roles.has(Role::Credentials)) && self.oauth2.public_url.is_none() {
            return Err(needs(
                "oauth2.public_url",
                "is missing: director and credentials must agree on it",
                "what the token endpoint's URL begins with, the same in both processes",
            ));
        }
        if self.peers.client.is_some() && self.peers.credentials.is_none() {
            return Err(needs(
                "peers.credentials",
                "is missing: peers.client_id gets its tokens there",
                "the URL of the credentials role, such as http://credentials:8080",
            ));
        }
        // Credentials alone call nobody.
        if self.peers.client.is_none() && self.peers.secret.is_none() && roles.communicate() {
            return Err(needs(
                "peers.client_id",
                "is missing: roles are apart",
                "what `tidegate services add NAME` prints, with peers.client_secret",
            ));
        }
        Ok(())
    }
}

fn needs(key: &str, fault: &str, instead: &str) -> Fault {
    Fault::new(key, fault, instead)
}
