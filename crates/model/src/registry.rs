//! What administrators register: tenants, Integration Systems, Applications, Runtimes, and their clients (seed 000).

use std::collections::BTreeSet;

use crate::{
    ApplicationId, ClientId, ClientOwner, IntegrationSystemId, Json, ObjectTypeId, RuntimeId, Scope, TenantId,
    Timestamp, TypeName,
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

/// An OAuth2 client: who may ask for tokens, and for which scopes. The secret is kept as a hash elsewhere.
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
