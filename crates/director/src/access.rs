//! Who is calling, in which tenant, and what that allows: the one table from operation to scope (CONTRACT section 2).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tidegate_model::contract::Verifier;
use tidegate_model::{Caller, ClientOwner, Error, Resource, Scope, Tenant, TenantId};
use tidegate_storage::Store;

/// An authenticated caller, in the tenant it named or is bound to.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    caller: Caller,
    tenant: Option<Tenant>,
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
    /// Admits whoever sent these headers (gRPC calls them metadata).
    pub(crate) async fn of(verifier: &dyn Verifier, store: &dyn Store, headers: &HeaderMap) -> Result<Self, Error> {
        let tenant = match headers.get("tenant") {
            None => None,
            Some(value) => Some(value.to_str().map_err(|_| Error::TenantNotFound(String::new()))?),
        };
        Self::admit(verifier, store, bearer(headers), tenant).await
    }

    /// Authenticates a bearer token and finds the tenant: the one named, else the one that the client is bound to.
    ///
    /// A tenant that does not exist, and one that is not the caller's, answer the same.
    async fn admit(
        verifier: &dyn Verifier,
        store: &dyn Store,
        bearer: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Self, Error> {
        let token = bearer.ok_or(Error::Unauthorized("send the header Authorization: Bearer <access token>"))?;
        let caller = verifier.verify(token).await?;
        let bound = caller.owner.tenant().map(TenantId::as_str);
        let named = match (tenant, bound) {
            (Some(named), Some(bound)) if named != bound => return Err(Error::TenantNotFound(named.to_owned())),
            (Some(named), _) => Some(named),
            (None, bound) => bound,
        };
        let Some(named) = named else { return Ok(Self { caller, tenant: None }) };
        let unknown = || Error::TenantNotFound(named.to_owned());
        let id: TenantId = named.parse().map_err(|_| unknown())?;
        let tenant = store.tenant(&id).await?.ok_or_else(unknown)?;
        Ok(Self { caller, tenant: Some(tenant) })
    }

    /// Refuses an operation unless the token allows it. What is above all tenants is not for a client that is bound to one.
    pub(crate) fn allow(&self, operation: Operation) -> Result<(), Error> {
        let scope = operation.scope();
        if operation.is_global() && self.caller.owner.tenant().is_some() {
            return Err(Error::InsufficientScopes(scope.to_string()));
        }
        self.caller.require(scope)
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|t| !t.is_empty())
}
