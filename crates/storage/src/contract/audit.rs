use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::{AuditEntry, AuditFilter, AuditId, Error, PageOf, Slice, TenantId, Timestamp};

use super::Store;

/// The audit log: of each tenant, and, asked for with `None`, of the platform.
///
/// Whoever changes something for somebody does so through [`audited`](AuditLog::audited), so that the entry is written in the change's own
/// transaction: a change that is not made leaves none, and one that is made cannot lack it.
#[async_trait]
pub trait AuditLog {
    /// The store for one change: made through what this answers, the change leaves these entries. What changes nothing leaves none.
    ///
    /// Of entries about deliveries that [`cancel`](super::Deliveries::cancel) is to end, those of the ones that it ended.
    fn audited(&self, entries: Vec<AuditEntry>) -> Arc<dyn Store>;

    /// The store for those who act for somebody: a change through it that is not [`audited`](AuditLog::audited) is refused as `Internal`.
    fn accountable(&self) -> Arc<dyn Store>;

    /// Writes entries that go with no change. Those of a tenant that is gone are the platform's.
    async fn append_audit_entries(&self, entries: &[AuditEntry]) -> Result<(), Error>;

    /// The newest first. What it costs is that of the page where only thing, actor and time narrow.
    async fn audit_entries(
        &self,
        whose: Option<&TenantId>,
        filter: &AuditFilter,
        page: PageOf<AuditId>,
    ) -> Result<Slice<AuditEntry>, Error>;

    /// How many there are. What it costs grows with the count.
    async fn count_audit_entries(&self, whose: Option<&TenantId>, filter: &AuditFilter) -> Result<u64, Error>;

    /// Finds one.
    async fn audit_entry(&self, whose: Option<&TenantId>, id: AuditId) -> Result<Option<AuditEntry>, Error>;

    /// Deletes up to `max` entries from before `before`; answers how many. Called until it answers less than `max`.
    async fn prune_audit_entries(&self, before: Timestamp, max: u32) -> Result<u64, Error>;
}
