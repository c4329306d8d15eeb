//! What administrators register: tenants, Integration Systems, Applications, Runtimes, and their clients (seed 000).

use std::collections::BTreeSet;

use crate::{
    ApplicationId, ClientId, ClientOwner, ClientSecretId, IntegrationSystemId, Json, ObjectTypeId, RuntimeId, Scope,
    Secret, SecretHash, TenantId, Timestamp, TypeName,
};

/// An organization whose data is isolated from every other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Chosen at creation; headers, subjects and scripts use it.
    pub id: TenantId,
    /// For people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A global system that manages Applications and Runtimes in many tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationSystem {
    /// Its id.
    pub id: IntegrationSystemId,
    /// Globally unique, 1..=36 characters, a lower-case DNS-1123 subdomain without a leading digit.
    pub name: String,
    /// At most 2000 characters.
    pub description: Option<String>,
}

/// What an Application and a Runtime have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemDetails {
    /// Unique among its kind in its tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// An object of the administrator's own making.
    pub labels: Json,
    /// The Integration System that manages it.
    pub integration_system: Option<IntegrationSystemId>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A tenant's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it shares with a Runtime.
    pub details: SystemDetails,
    /// Who provides it.
    pub provider_name: Option<String>,
    /// Where it lives.
    pub base_url: Option<String>,
}

/// A tenant's runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its id.
    pub id: RuntimeId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it shares with an Application.
    pub details: SystemDetails,
}

/// An OAuth2 client: who may ask for tokens, and for which scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client id; the id of the `SystemAuth` too.
    pub id: ClientId,
    /// Whose it is.
    pub owner: ClientOwner,
    /// What it may ask for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it may prove itself with, the older one first.
    pub secrets: ClientSecrets,
}

impl Client {
    /// One with its first secret, which bears the client's own id.
    pub fn new(
        id: ClientId,
        owner: ClientOwner,
        scopes: BTreeSet<Scope>,
        created_at: Timestamp,
        secret: SecretHash,
    ) -> Self {
        let first = ClientSecret { id: ClientSecretId(id.0), hash: secret, created_at };
        Self { id, owner, scopes, created_at, secrets: ClientSecrets { first, second: None } }
    }
}

/// The live secrets of a client: one, and a second one while the first is being replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecrets {
    /// The older one.
    pub first: ClientSecret,
    /// The newer one.
    pub second: Option<ClientSecret>,
}

/// A secret of a client, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// Tells it from the other one, and nothing of it.
    pub id: ClientSecretId,
    /// What it hashes to.
    pub hash: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What no secret hashes to.
const NONE: SecretHash = SecretHash([0; 32]);

impl ClientSecrets {
    /// Every live one, the older one first.
    pub fn iter(&self) -> impl Iterator<Item = &ClientSecret> {
        [&self.first].into_iter().chain(&self.second)
    }

    /// Whether `secret` is a live one of these; takes as long for none, one and two, and whichever it is.
    pub fn match_any(secrets: Option<&Self>, secret: &Secret) -> bool {
        let first = secrets.map_or(NONE, |secrets| secrets.first.hash);
        let second = secrets.and_then(|secrets| secrets.second.as_ref()).map_or(NONE, |second| second.hash);
        first.matches(secret) | second.matches(secret)
    }
}

/// A tenant's domain class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectType {
    /// Its id.
    pub id: ObjectTypeId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in its tenant.
    pub name: TypeName,
    /// A JSON Schema of its objects' attributes.
    pub schema: Option<Json>,
}
