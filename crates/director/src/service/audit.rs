//! The audit log: what a change leaves in it, and who reads it.

use std::sync::Arc;

use tidegate_model::{AuditEntry, AuditFilter, Error, Made, TenantId, Timestamp};
use tidegate_storage::Store;

use super::Services;
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::Rules;

/// The longest text that a filter looks for.
const MAX_TEXT: usize = 256;

/// Which entries to list, as the caller wrote it.
#[derive(Default)]
pub(crate) struct AuditFilterInput {
    pub actor: Option<String>,
    pub kind: Option<String>,
    pub object_id: Option<String>,
    pub refused: Option<bool>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Services {
    /// The store for one change of what is the tenant's. The change tells what was done to each of these things.
    pub(super) fn audited(
        &self,
        access: &Access,
        tenant: &TenantId,
        operation: &str,
        made: impl IntoIterator<Item = impl Into<Made>>,
    ) -> Arc<dyn Store> {
        self.store.audited(self.entries(access, Some(tenant), operation, made))
    }

    /// The same of what is no tenant's, and of tenants themselves.
    pub(super) fn audited_above(&self, access: &Access, operation: &str, made: Made) -> Arc<dyn Store> {
        self.store.audited(self.entries(access, None, operation, [made]))
    }

    /// Tells of what goes with no change of the store.
    pub(super) async fn tell(
        &self,
        access: &Access,
        tenant: Option<&TenantId>,
        operation: &str,
        made: impl IntoIterator<Item = impl Into<Made>>,
    ) -> Result<(), Error> {
        self.store.append_audit_entries(&self.entries(access, tenant, operation, made)).await
    }

    pub(super) fn entries(
        &self,
        access: &Access,
        tenant: Option<&TenantId>,
        operation: &str,
        made: impl IntoIterator<Item = impl Into<Made>>,
    ) -> Vec<AuditEntry> {
        let entry = |made| AuditEntry::of(&*self.clock, &*self.randomness, tenant, access.trace(operation), made);
        made.into_iter().map(|made| entry(made.into())).collect()
    }

    /// The newest first: the tenant's, or for the operator without a tenant the platform's. The total is told only to who asks for it.
    pub(crate) async fn audit_log(
        &self,
        access: &Access,
        filter: AuditFilterInput,
        asked: Asked,
        counted: bool,
    ) -> Result<Listed<AuditEntry>, Error> {
        let whose = access.within_or_above(Operation::ReadAuditLog)?;
        let filter = filter.checked()?;
        let list = List::new(&self.sealer, "auditLog", whose);
        let page = self.store.audit_entries(whose, &filter, list.page(&asked)?).await?;
        let total = if counted { self.store.count_audit_entries(whose, &filter).await? } else { 0 };
        list.listed(asked, page.of_list(total), |entry| entry.id)
    }

    pub(crate) async fn audit_entry(&self, access: &Access, id: &str) -> Result<Option<AuditEntry>, Error> {
        let whose = access.within_or_above(Operation::ReadAuditLog)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.audit_entry(whose, id).await
    }
}

impl AuditFilterInput {
    fn checked(self) -> Result<AuditFilter, Error> {
        let Self { actor, kind, object_id: id, refused, from, to } = self;
        let mut rules = Rules::default();
        for (field, text) in [("filter.actor", &actor), ("filter.kind", &kind), ("filter.objectId", &id)] {
            let text = text.as_deref().unwrap_or_default();
            rules.expect(text.chars().count() <= MAX_TEXT, field, "at most 256 characters");
            rules.expect(!text.contains('\0'), field, "no NUL characters");
        }
        rules.check()?;
        Ok(AuditFilter { actor, kind, id, refused, from, to })
    }
}
