//! What the objects' rules stand on: the store, or a draft of it.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::{AuditEntry, Error, Object, ObjectId, ObjectType, Page, PageOf, TenantId, TypeName};
use tidegate_storage::Store;
use tidegate_storage::contract::{ObjectWrite, WriteConflict};

/// Where a tenant's objects are; each call as in the store's contracts.
#[async_trait]
pub(crate) trait Shelf: Send + Sync {
    async fn object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Error>;
    async fn object(&self, tenant: &TenantId, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error>;
    async fn objects(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        page: PageOf<i64>,
    ) -> Result<Page<(i64, Object)>, Error>;
    /// Makes the writes, and leaves these entries in the audit log.
    async fn write_objects(&self, writes: &[ObjectWrite], entries: Vec<AuditEntry>) -> Result<WriteConflict, Error>;
}

/// The store itself.
pub(crate) struct Stored(pub(crate) Arc<dyn Store>);

#[async_trait]
impl Shelf for Stored {
    async fn object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Error> {
        self.0.object_type(tenant, name).await
    }

    async fn object(&self, tenant: &TenantId, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        self.0.object(tenant, object_type, id).await
    }

    async fn objects(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        page: PageOf<i64>,
    ) -> Result<Page<(i64, Object)>, Error> {
        self.0.objects(tenant, object_type, page).await
    }

    async fn write_objects(&self, writes: &[ObjectWrite], entries: Vec<AuditEntry>) -> Result<WriteConflict, Error> {
        self.0.audited(entries).write_objects(writes).await
    }
}
