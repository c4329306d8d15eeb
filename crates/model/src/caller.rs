//! Who is calling, and what that caller may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ApplicationId, ClientId, Error, IntegrationSystemId, RuntimeId, TenantId};

/// What a scope is about (CONTRACT section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// `integration_system`
    IntegrationSystem,
    /// `integration_system.auths`; read only: the credentials of Integration Systems.
    IntegrationSystemAuths,
    /// `application`
    Application,
    /// `runtime`
    Runtime,
    /// `tenant`
    Tenant,
    /// `integration`
    Integration,
    /// `logic`
    Logic,
    /// `object`
    Object,
    /// `event`
    Event,
    /// `execution`
    Execution,
    /// `credential`
    Credential,
    /// `audit_log`; read only.
    AuditLog,
}

/// A permission: `<resource>:read` or `<resource>:write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// May see.
    Read(Resource),
    /// May change; does not include seeing.
    Write(Resource),
}

const RESOURCES: [(Resource, &str); 12] = [
    (Resource::IntegrationSystem, "integration_system"),
    (Resource::IntegrationSystemAuths, "integration_system.auths"),
    (Resource::Application, "application"),
    (Resource::Runtime, "runtime"),
    (Resource::Tenant, "tenant"),
    (Resource::Integration, "integration"),
    (Resource::Logic, "logic"),
    (Resource::Object, "object"),
    (Resource::Event, "event"),
    (Resource::Execution, "execution"),
    (Resource::Credential, "credential"),
    (Resource::AuditLog, "audit_log"),
];

impl Scope {
    /// Every scope there is: what an administrator has.
    pub fn all() -> BTreeSet<Scope> {
        RESOURCES
            .iter()
            .flat_map(|(r, _)| [Scope::Read(*r), Scope::Write(*r)])
            .filter(|s| !matches!(s, Scope::Write(Resource::IntegrationSystemAuths | Resource::AuditLog)))
            .collect()
    }

    /// What a client of an Integration System gets: all but what could mint credentials (CONTRACT section 2).
    pub fn of_integration_system() -> BTreeSet<Scope> {
        let denied = [Resource::IntegrationSystem, Resource::Tenant, Resource::Credential].map(Scope::Write);
        let mut scopes = Self::all();
        scopes.retain(|s| !denied.contains(s) && *s != Scope::Read(Resource::IntegrationSystemAuths));
        scopes
    }

    /// What a client of a service gets: nothing, for it is known by whose it is.
    pub fn of_service() -> BTreeSet<Scope> {
        BTreeSet::new()
    }

    /// What a client of an Application or Runtime gets: to see its tenant's definitions, and to work with objects and events.
    pub fn of_tenant_client() -> BTreeSet<Scope> {
        [
            Scope::Read(Resource::Application),
            Scope::Read(Resource::Runtime),
            Scope::Read(Resource::Integration),
            Scope::Read(Resource::Logic),
            Scope::Read(Resource::Object),
            Scope::Write(Resource::Object),
            Scope::Read(Resource::Event),
            Scope::Write(Resource::Event),
            Scope::Read(Resource::Execution),
        ]
        .into()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, verb) = match self {
            Scope::Read(r) => (r, "read"),
            Scope::Write(r) => (r, "write"),
        };
        let name = RESOURCES.iter().find(|(r, _)| r == resource).map_or("", |(_, name)| name);
        write!(f, "{name}:{verb}")
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = UnknownScope;

    fn try_from(text: String) -> Result<Self, UnknownScope> {
        text.parse()
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Scope::all().into_iter().find(|s| s.to_string() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The text names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope {0:?}")]
pub struct UnknownScope(pub String);

/// Whose client it is; decides in which tenants it may act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientOwner {
    /// The operator's own; acts in any tenant.
    Administrator,
    /// An Integration System's; acts in any tenant by naming it.
    IntegrationSystem(IntegrationSystemId),
    /// An Application's; bound to its tenant.
    Application(TenantId, ApplicationId),
    /// A Runtime's; bound to its tenant.
    Runtime(TenantId, RuntimeId),
    /// One of Tidegate's own services, by the name that the operator gave it: it may ask its peers, and none of what others ask for.
    Service(String),
}

impl ClientOwner {
    /// The one tenant that this client is bound to; `None` is any.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Administrator | Self::IntegrationSystem(_) | Self::Service(_) => None,
            Self::Application(tenant, _) | Self::Runtime(tenant, _) => Some(tenant),
        }
    }
}

/// An authenticated client, as its access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client.
    pub client: ClientId,
    /// Whose it is.
    pub owner: ClientOwner,
    /// What its token allows.
    pub scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Refuses unless the token carries `scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Error::InsufficientScopes(scope.to_string())) }
    }

    /// Who did it, as `createdBy` and `updatedBy` show it.
    pub fn attribution(&self) -> String {
        format!("client:{}", self.client)
    }
}
