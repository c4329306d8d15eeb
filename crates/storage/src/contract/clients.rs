use async_trait::async_trait;
use tidegate_model::{
    Client, ClientId, ClientOwner, ClientSecret, ClientSecretId, Error, TenantId, Timestamp, TokenId,
};

/// A key that access tokens are signed with.
#[derive(Clone)]
pub struct SigningKeyRow {
    /// The `kid`.
    pub id: String,
    /// The private key, sealed by [`Sealer`](crate::Sealer).
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which kind of owner a client must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// Any administrator.
    Administrator,
    /// Any of Tidegate's own services.
    Service,
    /// Any Integration System.
    IntegrationSystem,
    /// Any Application of the tenant.
    Application(TenantId),
    /// Any Runtime of the tenant.
    Runtime(TenantId),
}

impl OwnerKind {
    /// The tenant of a tenant's.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Administrator | Self::Service | Self::IntegrationSystem => None,
            Self::Application(tenant) | Self::Runtime(tenant) => Some(tenant),
        }
    }
}

/// OAuth2 clients and the keys that sign their tokens.
#[async_trait]
pub trait Clients {
    /// Inserts a client only while its owner exists, in one transaction with that check: `NotFound` otherwise. So no client outlives its owner.
    async fn insert_client(&self, client: &Client) -> Result<(), Error>;
    /// Finds one.
    async fn client(&self, id: ClientId) -> Result<Option<Client>, Error>;
    /// Finds it if it `belongs` to that kind of owner, as [`Clients::delete_client`] does. What is another tenant's costs what is nobody's.
    async fn belonging_client(&self, id: ClientId, belongs: &OwnerKind) -> Result<Option<Client>, Error>;
    /// All of one owner, oldest first.
    async fn clients_of(&self, owner: &ClientOwner) -> Result<Vec<Client>, Error>;
    /// Deletes it if `belongs` to that kind of owner (and, for tenant-bound ones, that tenant); `NotFound` otherwise, and it stays.
    async fn delete_client(&self, id: ClientId, belongs: &OwnerKind) -> Result<Client, Error>;
    /// Gives a client its second secret; answers what it is now. `NotFound` as for [`Clients::delete_client`]; `InvalidOperation` when it has two.
    async fn add_client_secret(
        &self,
        id: ClientId,
        belongs: &OwnerKind,
        secret: &ClientSecret,
    ) -> Result<Client, Error>;
    /// Withdraws one of two secrets; answers what the client is now. `NotFound` as above, and when it has no such secret; `InvalidOperation`
    /// when it has no other.
    async fn remove_client_secret(
        &self,
        id: ClientId,
        belongs: &OwnerKind,
        secret: ClientSecretId,
    ) -> Result<Client, Error>;
    /// The clients of Tidegate's own services, oldest first.
    async fn service_clients(&self) -> Result<Vec<Client>, Error>;
    /// Whether any administrator exists.
    async fn has_administrator(&self) -> Result<bool, Error>;

    /// The signing keys, newest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, Error>;
    /// Inserts a key only while the newest one is still `newest` (`None`: while there is none). Whether it did: otherwise another process
    /// was faster.
    async fn insert_signing_key(&self, key: &SigningKeyRow, newest: Option<&str>) -> Result<bool, Error>;
    /// Deletes a key: no token that it signed counts any longer. One that is gone already is no error.
    async fn delete_signing_key(&self, id: &str) -> Result<(), Error>;

    /// Ends a token before its time; those that have expired by `now` are forgotten. `NotFound` when its client is gone.
    async fn revoke_token(
        &self,
        token: TokenId,
        client: ClientId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error>;
    /// Whether the client exists and this token of it was not revoked.
    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error>;
}
