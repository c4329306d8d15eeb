use async_trait::async_trait;
use tidegate_model::{CredentialId, Error, Event, IntegrationId, Page, PageOf, TenantId};
use uuid::Uuid;

use super::super::{Database, credentials, data_keys};
use crate::contract::{CredentialRow, DataKeyRow, LockedCredential, SealedWebhookKey, Secrets};

#[async_trait]
impl Secrets for Database {
    async fn data_key(&self, tenant: &TenantId) -> Result<Option<DataKeyRow>, Error> {
        self.run("data_key", || data_keys::newest(self, tenant)).await
    }

    async fn insert_data_key(&self, key: &DataKeyRow) -> Result<(), Error> {
        self.run("insert_data_key", || data_keys::insert(self, key)).await
    }

    async fn insert_credential(&self, credential: &CredentialRow, event: &Event) -> Result<(), Error> {
        self.run("insert_credential", || credentials::insert(self, credential, event)).await
    }

    async fn credential(&self, tenant: &TenantId, id: CredentialId) -> Result<Option<LockedCredential>, Error> {
        self.run("credential", || credentials::find(self, tenant, id)).await
    }

    async fn credential_named(&self, tenant: &TenantId, name: &str) -> Result<Option<LockedCredential>, Error> {
        self.run("credential_named", || credentials::find_named(self, tenant, name)).await
    }

    async fn credentials(
        &self,
        tenant: &TenantId,
        page: PageOf<CredentialId>,
    ) -> Result<Page<LockedCredential>, Error> {
        self.run("credentials", || credentials::list(self, tenant, page)).await
    }

    async fn update_credential(&self, credential: &CredentialRow, event: &Event) -> Result<(), Error> {
        self.run("update_credential", || credentials::update(self, credential, event)).await
    }

    async fn delete_credential(&self, tenant: &TenantId, id: CredentialId, event: &Event) -> Result<(), Error> {
        self.run("delete_credential", || credentials::delete(self, tenant, id, event)).await
    }

    async fn data_keys(&self, after: Option<(TenantId, Uuid)>, max: u32) -> Result<Vec<DataKeyRow>, Error> {
        self.run("data_keys", || data_keys::list(self, after.clone(), max)).await
    }

    async fn all_webhook_keys(
        &self,
        after: Option<(TenantId, IntegrationId)>,
        max: u32,
    ) -> Result<Vec<SealedWebhookKey>, Error> {
        self.run("all_webhook_keys", || data_keys::list_webhook_keys(self, after.clone(), max)).await
    }

    async fn reseal_data_key(&self, tenant: &TenantId, id: Uuid, from: &[u8], to: &[u8]) -> Result<bool, Error> {
        self.run("reseal_data_key", || data_keys::reseal(self, tenant, id, from, to)).await
    }

    async fn reseal_webhook_key(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
        from: &[u8],
        to: &[u8],
    ) -> Result<bool, Error> {
        self.run("reseal_webhook_key", || data_keys::reseal_webhook_key(self, tenant, integration, from, to)).await
    }

    async fn reseal_signing_key(&self, id: &str, from: &[u8], to: &[u8]) -> Result<bool, Error> {
        self.run("reseal_signing_key", || data_keys::reseal_signing_key(self, id, from, to)).await
    }
}
