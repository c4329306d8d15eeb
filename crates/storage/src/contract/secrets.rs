use async_trait::async_trait;
use tidegate_model::{CredentialId, CredentialKind, Error, Event, IntegrationId, Page, PageOf, TenantId, Timestamp};
use uuid::Uuid;

/// A key that a tenant's secrets are sealed with.
#[derive(Clone)]
pub struct DataKeyRow {
    /// Its id; a tenant may have several.
    pub id: Uuid,
    /// Whose secrets.
    pub tenant: TenantId,
    /// The key, sealed by [`Sealer`](crate::Sealer).
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A credential as it is kept.
#[derive(Clone)]
pub struct CredentialRow {
    /// Its id.
    pub id: CredentialId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in its tenant.
    pub name: String,
    /// How its secrets are used.
    pub kind: CredentialKind,
    /// For people.
    pub description: Option<String>,
    /// 1, 2, 3, ... with each change.
    pub version: i32,
    /// What it is sealed with.
    pub data_key: Uuid,
    /// The secrets, and where they may go, sealed with the data key.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A credential with the key that opens it.
#[derive(Clone)]
pub struct LockedCredential {
    /// The credential.
    pub row: CredentialRow,
    /// Its data key, sealed by [`Sealer`](crate::Sealer).
    pub key: Vec<u8>,
}

/// A webhook key among all tenants' ones.
#[derive(Clone)]
pub struct SealedWebhookKey {
    /// Whose.
    pub tenant: TenantId,
    /// Of which Integration.
    pub integration: IntegrationId,
    /// The key, sealed by [`Sealer`](crate::Sealer).
    pub sealed: Vec<u8>,
}

/// Third parties' secrets, as ciphertexts ([`Safe`](crate::Safe) opens them), and what is done when the operator's key is changed.
#[async_trait]
pub trait Secrets {
    /// The tenant's newest data key.
    async fn data_key(&self, tenant: &TenantId) -> Result<Option<DataKeyRow>, Error>;
    /// Adds a data key. `TenantNotFound`.
    async fn insert_data_key(&self, key: &DataKeyRow) -> Result<(), Error>;

    /// `NotUnique` when the tenant has one of that name; `TenantNotFound`, also when the data key went with the tenant.
    async fn insert_credential(&self, credential: &CredentialRow, event: &Event) -> Result<(), Error>;
    /// Finds one.
    async fn credential(&self, tenant: &TenantId, id: CredentialId) -> Result<Option<LockedCredential>, Error>;
    /// Finds one by its name.
    async fn credential_named(&self, tenant: &TenantId, name: &str) -> Result<Option<LockedCredential>, Error>;
    /// Lists the tenant's, in the order of their ids.
    async fn credentials(&self, tenant: &TenantId, page: PageOf<CredentialId>)
    -> Result<Page<LockedCredential>, Error>;
    /// Replaces description, secrets and `updated_at`; `version` must be the one that is there plus one (`InvalidOperation` when somebody
    /// was faster). `NotFound`.
    async fn update_credential(&self, credential: &CredentialRow, event: &Event) -> Result<(), Error>;
    /// `NotFound`; `InvalidOperation` while an Integration's settings name it.
    async fn delete_credential(&self, tenant: &TenantId, id: CredentialId, event: &Event) -> Result<(), Error>;

    /// Up to `max` data keys of all tenants, in the order of tenant and id.
    async fn data_keys(&self, after: Option<(TenantId, Uuid)>, max: u32) -> Result<Vec<DataKeyRow>, Error>;
    /// Up to `max` webhook keys of all tenants, in the order of tenant and Integration.
    async fn all_webhook_keys(
        &self,
        after: Option<(TenantId, IntegrationId)>,
        max: u32,
    ) -> Result<Vec<SealedWebhookKey>, Error>;
    /// Replaces the ciphertext of a data key that still is `from`; `false` when it is not.
    async fn reseal_data_key(&self, tenant: &TenantId, id: Uuid, from: &[u8], to: &[u8]) -> Result<bool, Error>;
    /// The same for a webhook key.
    async fn reseal_webhook_key(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
        from: &[u8],
        to: &[u8],
    ) -> Result<bool, Error>;
    /// The same for a signing key.
    async fn reseal_signing_key(&self, id: &str, from: &[u8], to: &[u8]) -> Result<bool, Error>;
}
