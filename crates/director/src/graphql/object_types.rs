use async_graphql::{Context, ID, InputObject, Object, Result};

use super::of;
use super::scalars::Json;
use crate::service;

/// A tenant's domain class.
pub(super) struct ObjectType(tidegate_model::ObjectType);

#[Object]
impl ObjectType {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// The JSON Schema (2020-12) that each change of an object is checked with.
    async fn schema(&self) -> Option<Json> {
        self.0.schema.clone().map(Json)
    }
}

#[derive(InputObject)]
pub(super) struct ObjectTypeInput {
    /// A letter, then at most 63 letters, digits or _; not a built-in type's.
    name: String,
    /// A JSON Schema (2020-12) that each change of an object is checked with. A `$ref` stays within it; `format` is an annotation.
    schema: Option<Json>,
}

/// Replaces everything but the name.
#[derive(InputObject)]
pub(super) struct ObjectTypeUpdateInput {
    /// Objects that are there stay as they are, and are checked with it when they change; absent, nothing is checked.
    schema: Option<Json>,
}

#[derive(Default)]
pub(super) struct ObjectTypeQuery;

#[Object]
impl ObjectTypeQuery {
    /// By name.
    async fn object_types(&self, ctx: &Context<'_>) -> Result<Vec<ObjectType>> {
        let (services, access) = of(ctx)?;
        Ok(services.object_types(access).await?.into_iter().map(ObjectType).collect())
    }
}

#[derive(Default)]
pub(super) struct ObjectTypeMutation;

#[Object]
impl ObjectTypeMutation {
    async fn create_object_type(&self, ctx: &Context<'_>, r#in: ObjectTypeInput) -> Result<ObjectType> {
        let (services, access) = of(ctx)?;
        let input = service::ObjectTypeInput { name: r#in.name, schema: r#in.schema.map(|s| s.0) };
        Ok(ObjectType(services.create_object_type(access, input).await?))
    }

    async fn update_object_type(&self, ctx: &Context<'_>, id: ID, r#in: ObjectTypeUpdateInput) -> Result<ObjectType> {
        let (services, access) = of(ctx)?;
        let input = service::ObjectTypeUpdateInput { schema: r#in.schema.map(|s| s.0) };
        Ok(ObjectType(services.update_object_type(access, &id, input).await?))
    }

    /// Refused while there are objects of it.
    async fn delete_object_type(&self, ctx: &Context<'_>, id: ID) -> Result<ObjectType> {
        let (services, access) = of(ctx)?;
        Ok(ObjectType(services.delete_object_type(access, &id).await?))
    }
}
