use serde_json::json;
use tidegate_model::{Error, Json, Made, Tenant, TenantId};

use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::Rules;

/// What a tenant is made of.
pub(crate) struct TenantInput {
    pub id: String,
    pub name: String,
}

impl Services {
    pub(crate) async fn tenants(&self, access: &Access, asked: Asked) -> Result<Listed<Tenant>, Error> {
        access.allow(Operation::ReadTenants)?;
        let list = List::new(&self.sealer, "tenants", None);
        let page = self.store.tenants(list.page(&asked)?).await?;
        list.listed(asked, page, |t| t.id.clone())
    }

    pub(crate) async fn tenant(&self, access: &Access, id: &str) -> Result<Option<Tenant>, Error> {
        access.allow(Operation::ReadTenants)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.tenant(&id).await
    }

    pub(crate) async fn create_tenant(&self, access: &Access, input: TenantInput) -> Result<Tenant, Error> {
        access.allow(Operation::WriteTenants)?;
        let mut rules = Rules::default();
        rules.name(&input.name, "in.name");
        let id = rules.take(input.id.parse::<TenantId>(), "in.id", TenantId::RULE);
        rules.check()?;
        let id = id.ok_or_else(|| Error::invalid("in.id", TenantId::RULE))?;
        let tenant = Tenant { id, name: input.name, created_at: self.clock.now() };
        let made = Made::to("Tenant", &tenant.id).to_state(state(&tenant));
        self.audited_above(access, "createTenant", made).insert_tenant(&tenant).await?;
        self.notices.announce().await;
        Ok(tenant)
    }

    pub(crate) async fn delete_tenant(&self, access: &Access, id: &str) -> Result<Tenant, Error> {
        access.allow(Operation::WriteTenants)?;
        let id: TenantId = known_id("Tenant", id)?;
        let last = found("Tenant", &id, self.store.tenant(&id).await?)?;
        let store = self.audited_above(access, "deleteTenant", Made::to("Tenant", &id).from_state(state(&last)));
        let tenant = found("Tenant", &id, store.delete_tenant(&id).await?)?;
        self.notices.announce().await;
        Ok(tenant)
    }
}

fn state(tenant: &Tenant) -> Json {
    Json::of(&json!({ "name": tenant.name }))
}
