use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::{AuditEntry, AuditFilter, AuditId, Error, PageOf, Slice, TenantId, Timestamp};

use super::super::{Database, audit};
use crate::contract::{AuditLog, Store};

#[async_trait]
impl AuditLog for Database {
    fn audited(&self, entries: Vec<AuditEntry>) -> Arc<dyn Store> {
        Arc::new(self.leaving(audit::Trail::Entries(entries.into())))
    }

    fn accountable(&self) -> Arc<dyn Store> {
        Arc::new(self.leaving(audit::Trail::Missing))
    }

    async fn append_audit_entries(&self, entries: &[AuditEntry]) -> Result<(), Error> {
        self.run("append_audit_entries", || audit::append(self, entries)).await
    }

    async fn audit_entries(
        &self,
        whose: Option<&TenantId>,
        filter: &AuditFilter,
        page: PageOf<AuditId>,
    ) -> Result<Slice<AuditEntry>, Error> {
        self.run("audit_entries", || audit::list(self, whose, filter, page)).await
    }

    async fn count_audit_entries(&self, whose: Option<&TenantId>, filter: &AuditFilter) -> Result<u64, Error> {
        self.run("count_audit_entries", || audit::count(self, whose, filter)).await
    }

    async fn audit_entry(&self, whose: Option<&TenantId>, id: AuditId) -> Result<Option<AuditEntry>, Error> {
        self.run("audit_entry", || audit::find(self, whose, id)).await
    }

    async fn prune_audit_entries(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_audit_entries", || audit::prune(self, before, max)).await
    }
}
