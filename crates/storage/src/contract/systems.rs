use async_trait::async_trait;
use tidegate_model::{
    Application, ApplicationId, Error, Event, IntegrationSystem, IntegrationSystemId, Page, PageOf, Runtime, RuntimeId,
    Tenant, TenantId,
};

/// Tenants, Integration Systems, Applications, Runtimes (seed 000). Lists are in the order of their ids (v7: oldest first), tenants by id.
///
/// `event`, where a call takes one, is the change's domain event: stored in the outbox in the same transaction.
#[async_trait]
pub trait Systems {
    /// `NotUnique` when the id is taken.
    async fn insert_tenant(&self, tenant: &Tenant) -> Result<(), Error>;
    /// Finds one.
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error>;
    /// Lists all.
    async fn tenants(&self, page: PageOf<TenantId>) -> Result<Page<Tenant>, Error>;
    /// Deletes it with all that is its: definitions, objects, systems, clients, deliveries, records.
    async fn delete_tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error>;

    /// `NotUnique` when the name is taken.
    async fn insert_integration_system(&self, system: &IntegrationSystem) -> Result<(), Error>;
    /// Finds one.
    async fn integration_system(&self, id: IntegrationSystemId) -> Result<Option<IntegrationSystem>, Error>;
    /// Lists all.
    async fn integration_systems(&self, page: PageOf<IntegrationSystemId>) -> Result<Page<IntegrationSystem>, Error>;
    /// Replaces name and description. `NotFound`, `NotUnique`.
    async fn update_integration_system(&self, system: &IntegrationSystem) -> Result<(), Error>;
    /// Deletes it with all its clients, in one transaction. `NotFound`; `InvalidOperation` while an Application or Runtime is linked to it.
    async fn delete_integration_system(&self, id: IntegrationSystemId) -> Result<IntegrationSystem, Error>;

    /// `NotUnique` when the tenant has one of that name; `NotFound` when its Integration System does not exist.
    async fn insert_application(&self, application: &Application, event: &Event) -> Result<(), Error>;
    /// Finds one.
    async fn application(&self, tenant: &TenantId, id: ApplicationId) -> Result<Option<Application>, Error>;
    /// Lists the tenant's.
    async fn applications(&self, tenant: &TenantId, page: PageOf<ApplicationId>) -> Result<Page<Application>, Error>;
    /// Replaces all but id, tenant and `created_at`. `NotFound`, `NotUnique`.
    async fn update_application(&self, application: &Application, event: &Event) -> Result<(), Error>;
    /// Deletes it with its clients. `NotFound`.
    async fn delete_application(&self, tenant: &TenantId, id: ApplicationId, event: &Event) -> Result<(), Error>;

    /// As for Applications.
    async fn insert_runtime(&self, runtime: &Runtime, event: &Event) -> Result<(), Error>;
    /// Finds one.
    async fn runtime(&self, tenant: &TenantId, id: RuntimeId) -> Result<Option<Runtime>, Error>;
    /// Lists the tenant's.
    async fn runtimes(&self, tenant: &TenantId, page: PageOf<RuntimeId>) -> Result<Page<Runtime>, Error>;
    /// Replaces all but id, tenant and `created_at`. `NotFound`, `NotUnique`.
    async fn update_runtime(&self, runtime: &Runtime, event: &Event) -> Result<(), Error>;
    /// Deletes it with its clients. `NotFound`.
    async fn delete_runtime(&self, tenant: &TenantId, id: RuntimeId, event: &Event) -> Result<(), Error>;
}
