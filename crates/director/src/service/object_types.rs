use tidegate_model::{Error, Json, ObjectType, ObjectTypeId, TypeName};

use super::Services;
use super::builtin::is_reserved;
use crate::access::{Access, Operation};
use crate::rules::Rules;

/// How many bytes a schema may have.
const MAX_SCHEMA: usize = 64 * 1024;

/// What an object type is made of.
pub(crate) struct ObjectTypeInput {
    pub name: String,
    pub schema: Option<Json>,
}

impl Services {
    /// All of the tenant's, by name.
    pub(crate) async fn object_types(&self, access: &Access) -> Result<Vec<ObjectType>, Error> {
        self.store.object_types(access.within(Operation::ReadObjects)?).await
    }

    pub(crate) async fn create_object_type(
        &self,
        access: &Access,
        input: ObjectTypeInput,
    ) -> Result<ObjectType, Error> {
        let tenant = access.within(Operation::WriteObjects)?;
        let mut rules = Rules::default();
        rules.expect(!is_reserved(&input.name), "in.name", "a name that is not a built-in type's");
        let name = rules.take(input.name.parse::<TypeName>(), "in.name", TypeName::RULE);
        let schema = input.schema.filter(|s| s.as_str() != "null");
        let fits = schema.as_ref().is_none_or(|s| s.is_object() && s.as_str().len() <= MAX_SCHEMA);
        rules.expect(fits, "in.schema", "a JSON Schema: an object of at most 64 KiB");
        rules.check()?;
        let name = name.ok_or_else(|| Error::invalid("in.name", TypeName::RULE))?;
        let id = ObjectTypeId::generate(&*self.clock, &*self.randomness);
        let object_type = ObjectType { id, tenant: tenant.clone(), name, schema };
        self.store.insert_object_type(&object_type).await?;
        self.notices.announce().await;
        Ok(object_type)
    }
}
