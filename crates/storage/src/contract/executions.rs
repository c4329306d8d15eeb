use async_trait::async_trait;
use tidegate_model::{Error, Execution, ExecutionFilter, ExecutionId, Page, PageOf, TenantId};

/// Records of runs. Open deliveries are listed among them.
#[async_trait]
pub trait Executions {
    /// Inserts records; those whose id is there already are left as they are. All durable on return.
    async fn append_executions(&self, executions: &[Execution]) -> Result<(), Error>;
    /// Finds a record, or the record so far of an open delivery.
    async fn execution(&self, tenant: &TenantId, id: ExecutionId) -> Result<Option<Execution>, Error>;
    /// Newest first. Read at one moment: a delivery that ends meanwhile is there once.
    async fn executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        page: PageOf<ExecutionId>,
    ) -> Result<Page<Execution>, Error>;
}
