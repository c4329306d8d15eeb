use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Error, EventType, IntegrationId, Runnable, TenantId, TypeName};
use tidegate_storage::Store;

/// The definitions as the store has them at this moment; whoever runs them often caches.
pub(crate) struct StoredRegistry(pub(crate) Arc<dyn Store>);

#[async_trait]
impl Registry for StoredRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        self.0.resolve(key).await
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        Ok(self.0.subscribers(tenant, object_type, event_type).await?.into())
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        self.0.runnable(tenant, id).await
    }
}
