use tidegate_model::{Error, Json, Made, ObjectType, ObjectTypeId, TenantId, TypeName};

use super::builtin::is_reserved;
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::rules::Rules;

const KIND: &str = "ObjectType";

/// What an object type is made of.
pub(crate) struct ObjectTypeInput {
    pub name: String,
    pub schema: Option<Json>,
}

/// What of an object type can change.
pub(crate) struct ObjectTypeUpdateInput {
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
        let schema = self.schema(&mut rules, "in.schema", input.schema);
        rules.check()?;
        let name = name.ok_or_else(|| Error::invalid("in.name", TypeName::RULE))?;
        let id = ObjectTypeId::generate(&*self.clock, &*self.randomness);
        let object_type = ObjectType { id, tenant: tenant.clone(), name, schema };
        let made = Made::to(KIND, id).to_state(state(&object_type));
        self.audited(access, tenant, "createObjectType", [made]).insert_object_type(&object_type).await?;
        self.notices.announce().await;
        Ok(object_type)
    }

    /// Replaces the schema. Objects that are there stay as they are: each is checked when it is changed next.
    pub(crate) async fn update_object_type(
        &self,
        access: &Access,
        id: &str,
        input: ObjectTypeUpdateInput,
    ) -> Result<ObjectType, Error> {
        let tenant = access.within(Operation::WriteObjects)?;
        let mut rules = Rules::default();
        let schema = self.schema(&mut rules, "in.schema", input.schema);
        rules.check()?;
        let before = self.object_type(tenant, id).await?;
        let object_type = ObjectType { schema, ..before.clone() };
        if object_type == before {
            return Ok(before);
        }
        let made = Made::to(KIND, before.id).updated(&state(&before), &state(&object_type));
        self.audited(access, tenant, "updateObjectType", [made]).update_object_type(&object_type).await?;
        self.notices.announce().await;
        Ok(object_type)
    }

    /// Refused while there are objects of it.
    pub(crate) async fn delete_object_type(&self, access: &Access, id: &str) -> Result<ObjectType, Error> {
        let tenant = access.within(Operation::WriteObjects)?;
        let last = self.object_type(tenant, id).await?;
        let made = Made::to(KIND, last.id).from_state(state(&last));
        self.audited(access, tenant, "deleteObjectType", [made]).delete_object_type(tenant, &last.name).await?;
        self.notices.announce().await;
        Ok(last)
    }

    async fn object_type(&self, tenant: &TenantId, id: &str) -> Result<ObjectType, Error> {
        let id: ObjectTypeId = known_id(KIND, id)?;
        found(KIND, id, self.store.object_types(tenant).await?.into_iter().find(|o| o.id == id))
    }

    /// The schema that an input asks for; notes what is wrong with it.
    pub(super) fn schema(&self, rules: &mut Rules, field: &str, schema: Option<Json>) -> Option<Json> {
        let schema = schema.filter(|s| s.as_str() != "null")?;
        match self.objects.schemas.compiled(&schema) {
            Ok(_) => Some(schema),
            Err(invalid) => {
                rules.expect(false, field, &invalid.to_string());
                None
            }
        }
    }
}

fn state(object_type: &ObjectType) -> Json {
    let name = Json::of(&object_type.name);
    let mut state = vec![("name", &name)];
    state.extend(object_type.schema.as_ref().map(|schema| ("schema", schema)));
    Json::object(state)
}
