use tidegate_model::{Application, ApplicationId, Change, Error, TenantId};

use super::builtin::{self, BuiltIn};
use super::system_details::DetailsInput;
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::{Rules, is_http_url};

/// What an Application is made of.
pub(crate) struct ApplicationInput {
    pub name: String,
    pub description: Option<String>,
    pub provider_name: Option<String>,
    pub base_url: Option<String>,
    pub labels: Option<tidegate_model::Json>,
    pub integration_system_id: Option<String>,
}

impl Services {
    pub(crate) async fn applications(&self, access: &Access, asked: Asked) -> Result<Listed<Application>, Error> {
        let tenant = access.within(Operation::ReadApplications)?;
        let list = List::new(&self.sealer, "applications", Some(tenant));
        let page = self.store.applications(tenant, list.page(&asked)?).await?;
        list.listed(asked, page, |a| a.id)
    }

    pub(crate) async fn application(&self, access: &Access, id: &str) -> Result<Option<Application>, Error> {
        let tenant = access.within(Operation::ReadApplications)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.application(tenant, id).await
    }

    pub(crate) async fn register_application(
        &self,
        access: &Access,
        input: ApplicationInput,
    ) -> Result<Application, Error> {
        let tenant = access.within(Operation::WriteApplications)?;
        let id = ApplicationId::generate(&*self.clock, &*self.randomness);
        let application = self.application_of(tenant, id, input, None).await?;
        let change = Change::Create { new: builtin::application(&application) };
        let event = self.builtin_event(tenant, BuiltIn::Application, id, change)?;
        self.audited(access, tenant, "registerApplication", [&event]).insert_application(&application, &event).await?;
        Ok(application)
    }

    pub(crate) async fn update_application(
        &self,
        access: &Access,
        id: &str,
        input: ApplicationInput,
    ) -> Result<Application, Error> {
        let tenant = access.within(Operation::WriteApplications)?;
        let id = known_id("Application", id)?;
        let before = found("Application", id, self.store.application(tenant, id).await?)?;
        let after = self.application_of(tenant, id, input, Some(&before)).await?;
        let Some(change) = builtin::update(&builtin::application(&before), builtin::application(&after)) else {
            return Ok(before);
        };
        let event = self.builtin_event(tenant, BuiltIn::Application, id, change)?;
        self.audited(access, tenant, "updateApplication", [&event]).update_application(&after, &event).await?;
        Ok(after)
    }

    /// Ends it with its clients.
    pub(crate) async fn unregister_application(&self, access: &Access, id: &str) -> Result<Application, Error> {
        let tenant = access.within(Operation::WriteApplications)?;
        let id = known_id("Application", id)?;
        let last = found("Application", id, self.store.application(tenant, id).await?)?;
        let change = Change::Delete { old: builtin::application(&last) };
        let event = self.builtin_event(tenant, BuiltIn::Application, id, change)?;
        self.audited(access, tenant, "unregisterApplication", [&event]).delete_application(tenant, id, &event).await?;
        Ok(last)
    }

    async fn application_of(
        &self,
        tenant: &TenantId,
        id: ApplicationId,
        input: ApplicationInput,
        before: Option<&Application>,
    ) -> Result<Application, Error> {
        let ApplicationInput { name, description, provider_name, base_url, labels, integration_system_id } = input;
        let mut rules = Rules::default();
        if let Some(provider) = &provider_name {
            rules.name(provider, "in.providerName");
        }
        rules.expect(base_url.as_deref().is_none_or(is_http_url), "in.baseUrl", "an absolute http or https URL");
        let details = DetailsInput { name, description, labels, integration_system_id };
        let details = self.system_details(details, before.map(|b| &b.details), self.clock.now(), rules).await?;
        Ok(Application { id, tenant: tenant.clone(), details, provider_name, base_url })
    }
}
