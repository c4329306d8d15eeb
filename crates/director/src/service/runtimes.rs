use tidegate_model::{Change, Error, Runtime, RuntimeId, TenantId};

use super::builtin::{self, BuiltIn};
use super::system_details::DetailsInput;
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::Rules;

/// What a Runtime is made of.
pub(crate) struct RuntimeInput {
    pub name: String,
    pub description: Option<String>,
    pub labels: Option<tidegate_model::Json>,
    pub integration_system_id: Option<String>,
}

impl Services {
    pub(crate) async fn runtimes(&self, access: &Access, asked: Asked) -> Result<Listed<Runtime>, Error> {
        let tenant = access.within(Operation::ReadRuntimes)?;
        let list = List::new(&self.sealer, "runtimes", Some(tenant));
        let page = self.store.runtimes(tenant, list.page(&asked)?).await?;
        list.listed(asked, page, |a| a.id)
    }

    pub(crate) async fn runtime(&self, access: &Access, id: &str) -> Result<Option<Runtime>, Error> {
        let tenant = access.within(Operation::ReadRuntimes)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.runtime(tenant, id).await
    }

    pub(crate) async fn register_runtime(&self, access: &Access, input: RuntimeInput) -> Result<Runtime, Error> {
        let tenant = access.within(Operation::WriteRuntimes)?;
        let id = RuntimeId::generate(&*self.clock, &*self.randomness);
        let runtime = self.runtime_of(tenant, id, input, None).await?;
        let change = Change::Create { new: builtin::runtime(&runtime) };
        let event = self.builtin_event(tenant, BuiltIn::Runtime, id, change)?;
        self.audited(access, tenant, "registerRuntime", [&event]).insert_runtime(&runtime, &event).await?;
        Ok(runtime)
    }

    pub(crate) async fn update_runtime(
        &self,
        access: &Access,
        id: &str,
        input: RuntimeInput,
    ) -> Result<Runtime, Error> {
        let tenant = access.within(Operation::WriteRuntimes)?;
        let id = known_id("Runtime", id)?;
        let before = found("Runtime", id, self.store.runtime(tenant, id).await?)?;
        let after = self.runtime_of(tenant, id, input, Some(&before)).await?;
        let Some(change) = builtin::update(&builtin::runtime(&before), builtin::runtime(&after)) else {
            return Ok(before);
        };
        let event = self.builtin_event(tenant, BuiltIn::Runtime, id, change)?;
        self.audited(access, tenant, "updateRuntime", [&event]).update_runtime(&after, &event).await?;
        Ok(after)
    }

    /// Ends it with its clients.
    pub(crate) async fn unregister_runtime(&self, access: &Access, id: &str) -> Result<Runtime, Error> {
        let tenant = access.within(Operation::WriteRuntimes)?;
        let id = known_id("Runtime", id)?;
        let last = found("Runtime", id, self.store.runtime(tenant, id).await?)?;
        let change = Change::Delete { old: builtin::runtime(&last) };
        let event = self.builtin_event(tenant, BuiltIn::Runtime, id, change)?;
        self.audited(access, tenant, "unregisterRuntime", [&event]).delete_runtime(tenant, id, &event).await?;
        Ok(last)
    }

    async fn runtime_of(
        &self,
        tenant: &TenantId,
        id: RuntimeId,
        input: RuntimeInput,
        before: Option<&Runtime>,
    ) -> Result<Runtime, Error> {
        let RuntimeInput { name, description, labels, integration_system_id } = input;
        let details = DetailsInput { name, description, labels, integration_system_id };
        let details =
            self.system_details(details, before.map(|b| &b.details), self.clock.now(), Rules::default()).await?;
        Ok(Runtime { id, tenant: tenant.clone(), details })
    }
}
