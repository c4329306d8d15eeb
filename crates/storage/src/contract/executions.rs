use async_trait::async_trait;
use tidegate_model::{Error, Execution, ExecutionFilter, ExecutionId, PageOf, Slice, TenantId};

/// Records of runs. Open deliveries are listed among them.
#[async_trait]
pub trait Executions {
    /// Inserts records; those whose id is there already are left as they are. All durable on return.
    async fn append_executions(&self, executions: &[Execution]) -> Result<(), Error>;
    /// Finds a record, or the record so far of an open delivery.
    async fn execution(&self, tenant: &TenantId, id: ExecutionId) -> Result<Option<Execution>, Error>;
    /// Newest first. Read at one moment: a delivery that ends meanwhile is there once. What it costs is that of the page, however many
    /// records there are, where only Integration, status, time and object narrow.
    ///
    /// A record's id must be made within a minute of `started_at`: records are found by time in the order of their ids.
    async fn executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        page: PageOf<ExecutionId>,
    ) -> Result<Slice<Execution>, Error>;
    /// Ended ones only, the oldest first: up to `max` whose ids are after one and before another.
    async fn ended_executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        after: ExecutionId,
        before: ExecutionId,
        max: u16,
    ) -> Result<Vec<Execution>, Error>;
    /// How many of them have ended and are about an event, where event and Integration are there. What it costs grows with the count of all.
    async fn count_replayable(&self, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Error>;
    /// How many there are. What it costs grows with the count.
    async fn count_executions(&self, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Error>;
}
