//! Who is calling, in which tenant, and what that allows: the one table from operation to scope (CONTRACT section 2).

use std::net::IpAddr;
use std::sync::Arc;

use tidegate_model::{Caller, ClientOwner, Error, Face, Resource, Scope, Tenant, TenantId, Trace};

use crate::refusals::Refusals;

/// An authenticated caller, in the tenant it named or is bound to.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) caller: Caller,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) face: Face,
    pub(crate) address: Option<IpAddr>,
    /// What is asked for, as far as it is known; of use in refusals alone.
    pub(crate) asked: String,
    /// Hears of what is refused.
    pub(crate) refusals: Arc<Refusals>,
}

/// What callers ask for. Every face asks through these, so that a right is decided in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    ReadIntegrationSystems,
    WriteIntegrationSystems,
    ReadIntegrationSystemAuths,
    WriteIntegrationSystemAuths,
    ReadTenants,
    WriteTenants,
    ReadApplications,
    WriteApplications,
    ReadRuntimes,
    WriteRuntimes,
    ReadCredentials,
    WriteCredentials,
    ReadSystemAuths,
    WriteSystemAuths,
    ReadLogics,
    WriteLogics,
    ReadIntegrations,
    WriteIntegrations,
    ReadExecutions,
    WriteExecutions,
    ReadObjects,
    WriteObjects,
    PublishEvents,
    ReadEvents,
    WriteEvents,
    ReadAuditLog,
}

impl Operation {
    /// The scope that an operation needs.
    ///
    /// Third parties' secrets are written, and clients of a tenant's systems minted, under `credential:write`, which clients of Integration Systems lack.
    fn scope(self) -> Scope {
        use Operation as O;
        use Resource as R;
        match self {
            O::ReadIntegrationSystems => Scope::Read(R::IntegrationSystem),
            O::WriteIntegrationSystems | O::WriteIntegrationSystemAuths => Scope::Write(R::IntegrationSystem),
            O::ReadIntegrationSystemAuths => Scope::Read(R::IntegrationSystemAuths),
            O::ReadTenants => Scope::Read(R::Tenant),
            O::WriteTenants => Scope::Write(R::Tenant),
            O::ReadApplications => Scope::Read(R::Application),
            O::WriteApplications => Scope::Write(R::Application),
            O::ReadRuntimes => Scope::Read(R::Runtime),
            O::WriteRuntimes => Scope::Write(R::Runtime),
            O::ReadCredentials | O::ReadSystemAuths => Scope::Read(R::Credential),
            O::WriteCredentials | O::WriteSystemAuths => Scope::Write(R::Credential),
            O::ReadLogics => Scope::Read(R::Logic),
            O::WriteLogics => Scope::Write(R::Logic),
            O::ReadIntegrations => Scope::Read(R::Integration),
            O::WriteIntegrations => Scope::Write(R::Integration),
            O::ReadExecutions => Scope::Read(R::Execution),
            O::WriteExecutions => Scope::Write(R::Execution),
            O::ReadObjects => Scope::Read(R::Object),
            O::WriteObjects => Scope::Write(R::Object),
            O::PublishEvents | O::WriteEvents => Scope::Write(R::Event),
            O::ReadEvents => Scope::Read(R::Event),
            O::ReadAuditLog => Scope::Read(R::AuditLog),
        }
    }

    /// Whether it is about the platform rather than about one tenant.
    fn is_global(self) -> bool {
        use Operation as O;
        matches!(
            self,
            O::ReadIntegrationSystems
                | O::WriteIntegrationSystems
                | O::ReadIntegrationSystemAuths
                | O::WriteIntegrationSystemAuths
                | O::ReadTenants
                | O::WriteTenants
        )
    }
}

impl Access {
    /// Refuses an operation unless the token allows it. What is above all tenants is not for a client that is bound to one.
    pub(crate) fn allow(&self, operation: Operation) -> Result<(), Error> {
        let scope = operation.scope();
        let allowed = if operation.is_global() && self.caller.owner.tenant().is_some() {
            Err(Error::InsufficientScopes(scope.to_string()))
        } else {
            self.caller.require(scope)
        };
        allowed.inspect_err(|error| {
            let asked = if self.asked.is_empty() { format!("{operation:?}") } else { self.asked.clone() };
            let tenant = self.tenant.as_ref().map(|tenant| tenant.id.clone());
            self.refusals.of_scope(tenant, self.trace(asked), scope, error);
        })
    }

    /// Who does this, as the audit log has it.
    pub(crate) fn trace(&self, operation: impl Into<String>) -> Trace {
        Trace::of(&self.caller, self.face, self.address, operation)
    }

    /// Refuses a tenant-scoped operation unless the token allows it and a tenant is known; answers the tenant.
    pub(crate) fn within(&self, operation: Operation) -> Result<&TenantId, Error> {
        self.allow(operation)?;
        self.tenant.as_ref().map(|t| &t.id).ok_or(Error::TenantRequired)
    }

    /// As [`Access::within`], but the operator's own clients may do it without a tenant, to what is no tenant's; then there is none.
    pub(crate) fn within_or_above(&self, operation: Operation) -> Result<Option<&TenantId>, Error> {
        self.allow(operation)?;
        match &self.tenant {
            Some(tenant) => Ok(Some(&tenant.id)),
            None if self.is_above_tenants() => Ok(None),
            None => Err(Error::TenantRequired),
        }
    }

    /// Whether it is the operator's own client.
    pub(crate) fn is_above_tenants(&self) -> bool {
        self.caller.owner == ClientOwner::Administrator
    }

    /// Who did it, as `createdBy` and `updatedBy` show it.
    pub(crate) fn attribution(&self) -> String {
        self.caller.attribution()
    }
}
