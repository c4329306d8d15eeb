use async_graphql::{Context, ID, Result};

use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, Json, PageCursor};

/// An instance of an object type.
pub(super) struct Object(tidegate_model::Object);

#[async_graphql::Object]
impl Object {
    async fn id(&self) -> ID {
        ID::from(&self.0.id)
    }

    async fn object_type(&self) -> &str {
        self.0.object_type.as_str()
    }

    /// Its attributes, without the id.
    async fn data(&self) -> Json {
        self.0.data.clone().into()
    }

    /// 1, 2, 3, ... with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// `client:<id>` or `user:<username>`.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    async fn updated_by(&self) -> &str {
        &self.0.updated_by
    }
}

#[derive(Default)]
pub(super) struct ObjectQuery;

#[async_graphql::Object]
impl ObjectQuery {
    /// In the order they were made.
    async fn objects(
        &self,
        ctx: &Context<'_>,
        object_type: String,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Object>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.objects(access, &object_type, asked(first, after)).await?, Object))
    }

    async fn object(&self, ctx: &Context<'_>, object_type: String, id: ID) -> Result<Option<Object>> {
        let (services, access) = of(ctx)?;
        Ok(services.object(access, &object_type, &id).await?.map(Object))
    }
}

#[derive(Default)]
pub(super) struct ObjectMutation;

#[async_graphql::Object]
impl ObjectMutation {
    /// Without an id it gets a new one.
    async fn create_object(
        &self,
        ctx: &Context<'_>,
        object_type: String,
        id: Option<ID>,
        data: Json,
    ) -> Result<Object> {
        let (services, access) = of(ctx)?;
        Ok(Object(services.create_object(access, &object_type, id.map(|id| id.0), &data.0).await?))
    }

    /// Assigns the given top-level attributes and leaves the others.
    async fn update_object(
        &self,
        ctx: &Context<'_>,
        object_type: String,
        id: ID,
        data: Json,
        if_version: Option<i32>,
    ) -> Result<Object> {
        let (services, access) = of(ctx)?;
        Ok(Object(services.update_object(access, &object_type, &id, &data.0, if_version).await?))
    }

    async fn delete_object(
        &self,
        ctx: &Context<'_>,
        object_type: String,
        id: ID,
        if_version: Option<i32>,
    ) -> Result<Object> {
        let (services, access) = of(ctx)?;
        Ok(Object(services.delete_object(access, &object_type, &id, if_version).await?))
    }
}
