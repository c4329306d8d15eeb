use serde_json::json;
use tidegate_model::{Error, IntegrationSystem, IntegrationSystemId, Json, Made};

use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::{Rules, is_integration_system_name};

const KIND: &str = "IntegrationSystem";

/// What an Integration System is made of.
pub(crate) struct IntegrationSystemInput {
    pub name: String,
    pub description: Option<String>,
}

impl IntegrationSystemInput {
    fn check(&self) -> Result<(), Error> {
        let mut rules = Rules::default();
        let expected = "a lower-case DNS-1123 subdomain of 1 to 36 characters that does not start with a digit";
        rules.expect(is_integration_system_name(&self.name), "in.name", expected);
        rules.description(self.description.as_deref(), "in.description");
        rules.check()
    }
}

impl Services {
    pub(crate) async fn integration_systems(
        &self,
        access: &Access,
        asked: Asked,
    ) -> Result<Listed<IntegrationSystem>, Error> {
        access.allow(Operation::ReadIntegrationSystems)?;
        let list = List::new(&self.sealer, "integration systems", None);
        let page = self.store.integration_systems(list.page(&asked)?).await?;
        list.listed(asked, page, |s| s.id)
    }

    pub(crate) async fn integration_system(
        &self,
        access: &Access,
        id: &str,
    ) -> Result<Option<IntegrationSystem>, Error> {
        access.allow(Operation::ReadIntegrationSystems)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.integration_system(id).await
    }

    pub(crate) async fn register_integration_system(
        &self,
        access: &Access,
        input: IntegrationSystemInput,
    ) -> Result<IntegrationSystem, Error> {
        access.allow(Operation::WriteIntegrationSystems)?;
        input.check()?;
        let id = IntegrationSystemId::generate(&*self.clock, &*self.randomness);
        let system = IntegrationSystem { id, name: input.name, description: input.description };
        let made = Made::to(KIND, id).to_state(state(&system));
        self.audited_above(access, "registerIntegrationSystem", made).insert_integration_system(&system).await?;
        Ok(system)
    }

    /// Replaces name and description; an omitted description becomes none.
    pub(crate) async fn update_integration_system(
        &self,
        access: &Access,
        id: &str,
        input: IntegrationSystemInput,
    ) -> Result<IntegrationSystem, Error> {
        access.allow(Operation::WriteIntegrationSystems)?;
        input.check()?;
        let id: IntegrationSystemId = known_id(KIND, id)?;
        let before = found(KIND, id, self.store.integration_system(id).await?)?;
        let system = IntegrationSystem { id, name: input.name, description: input.description };
        if system == before {
            return Ok(before);
        }
        let made = Made::to(KIND, id).updated(&state(&before), &state(&system));
        self.audited_above(access, "updateIntegrationSystem", made).update_integration_system(&system).await?;
        Ok(system)
    }

    /// Ends it with all its clients, unless an Application or Runtime is linked to it.
    pub(crate) async fn unregister_integration_system(
        &self,
        access: &Access,
        id: &str,
    ) -> Result<IntegrationSystem, Error> {
        access.allow(Operation::WriteIntegrationSystems)?;
        let id: IntegrationSystemId = known_id(KIND, id)?;
        let last = found(KIND, id, self.store.integration_system(id).await?)?;
        let made = Made::to(KIND, id).from_state(state(&last));
        self.audited_above(access, "unregisterIntegrationSystem", made).delete_integration_system(id).await
    }
}

fn state(system: &IntegrationSystem) -> Json {
    Json::of(&json!({ "name": system.name, "description": system.description }))
}
