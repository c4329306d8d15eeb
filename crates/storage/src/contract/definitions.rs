use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{
    Error, Event, EventType, Integration, IntegrationId, Logic, LogicId, ObjectType, Page, PageOf, Runnable, TenantId,
    TypeName,
};

/// A webhook key as it is kept.
#[derive(Clone)]
pub struct WebhookKeyRow {
    /// Finds the Integration.
    pub hash: WebhookKeyHash,
    /// The key itself, sealed by [`Sealer`](crate::Sealer), for those who may see the URL again.
    pub sealed: Vec<u8>,
}

/// Logics, Integrations, object types. Lists are in the order of their ids (oldest first).
#[async_trait]
pub trait Definitions {
    /// Inserts a Logic at version 1. `NotUnique` when the tenant has one of that name.
    async fn insert_logic(&self, logic: &Logic, event: &Event) -> Result<(), Error>;
    /// The newest version, or a given one.
    async fn logic(&self, tenant: &TenantId, id: LogicId, version: Option<i32>) -> Result<Option<Logic>, Error>;
    /// Lists the tenant's, at their newest versions.
    async fn logics(&self, tenant: &TenantId, page: PageOf<LogicId>) -> Result<Page<Logic>, Error>;
    /// Adds `logic.version`, which must be the newest plus one (`InvalidOperation` when somebody was faster), and replaces the description.
    async fn add_logic_version(&self, logic: &Logic, event: &Event) -> Result<(), Error>;
    /// Replaces the description alone. `NotFound`.
    async fn describe_logic(&self, logic: &Logic, event: &Event) -> Result<(), Error>;
    /// `NotFound`; `InvalidOperation` while an Integration uses it.
    async fn delete_logic(&self, tenant: &TenantId, id: LogicId, event: &Event) -> Result<(), Error>;

    /// Inserts it with its execution user, and of an INCOMING one its key. `NotUnique` when the tenant has one of that name;
    /// `NotFound` when a Logic is not the tenant's.
    async fn insert_integration(
        &self,
        integration: &Integration,
        key: Option<&WebhookKeyRow>,
        event: &Event,
    ) -> Result<(), Error>;
    /// Finds one.
    async fn integration(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Integration>, Error>;
    /// Lists the tenant's.
    async fn integrations(&self, tenant: &TenantId, page: PageOf<IntegrationId>) -> Result<Page<Integration>, Error>;
    /// Replaces all but id, tenant, name, type, execution user and `created_at`. Another URL ends a pause. `NotFound`.
    async fn update_integration(&self, integration: &Integration, event: &Event) -> Result<(), Error>;
    /// Deletes it and disables its execution user; records stay. Open deliveries end as FAILED, but for those that somebody has a lease of:
    /// whoever that is ends them. Of many, some end after the deletion ([`Bookkeeping::end_orphans`](super::Bookkeeping::end_orphans)).
    /// `NotFound`.
    async fn delete_integration(&self, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<(), Error>;
    /// The sealed keys of those that are INCOMING and the tenant's.
    async fn webhook_keys(
        &self,
        tenant: &TenantId,
        ids: &[IntegrationId],
    ) -> Result<Vec<(IntegrationId, Vec<u8>)>, Error>;
    /// Replaces all these keys or none: `InvalidOperation` unless every one is an INCOMING Integration of the tenant.
    async fn replace_webhook_keys(
        &self,
        tenant: &TenantId,
        keys: &[(IntegrationId, WebhookKeyRow)],
        events: &[Event],
    ) -> Result<(), Error>;

    /// See `Registry::resolve`.
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error>;
    /// See `Registry::subscribers`; in the order of their ids.
    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Vec<Arc<Runnable>>, Error>;
    /// See `Registry::find`.
    async fn runnable(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error>;

    /// `NotUnique` when the tenant has one of that name.
    async fn insert_object_type(&self, object_type: &ObjectType) -> Result<(), Error>;
    /// Finds one by its name.
    async fn object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Error>;
    /// Replaces the schema of the type with this name.
    async fn update_object_type(&self, object_type: &ObjectType) -> Result<(), Error>;
    /// `InvalidOperation` while there are objects of it.
    async fn delete_object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<(), Error>;
    /// All of the tenant's, by name.
    async fn object_types(&self, tenant: &TenantId) -> Result<Vec<ObjectType>, Error>;
}
