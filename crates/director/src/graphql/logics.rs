use async_graphql::{Context, ID, InputObject, Object, Result};

use super::enums::{LogicKind, ScriptRule};
use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, PageCursor};
use crate::service;

/// A Lua script, at one of its immutable versions.
pub(super) struct Logic(pub(super) tidegate_model::Logic);

#[Object]
impl Logic {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn kind(&self) -> LogicKind {
        self.0.kind.into()
    }

    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    async fn source(&self) -> &str {
        &self.0.source
    }

    /// 1, 2, 3, ... with each change of the source.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What is doubtful in the source; none of it keeps it from being saved.
    async fn warnings(&self, ctx: &Context<'_>) -> Result<Vec<ScriptWarning>> {
        let (services, _) = of(ctx)?;
        Ok(services.warnings(&self.0.source).await.into_iter().map(ScriptWarning).collect())
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// Something doubtful in a script.
struct ScriptWarning(tidegate_model::contract::ScriptWarning);

#[Object]
impl ScriptWarning {
    /// Counted from 1.
    async fn line(&self) -> u32 {
        self.0.line
    }

    /// In characters, counted from 1.
    async fn column(&self) -> u32 {
        self.0.column
    }

    async fn rule(&self) -> ScriptRule {
        self.0.rule.into()
    }

    async fn message(&self) -> &str {
        &self.0.message
    }
}

#[derive(InputObject)]
pub(super) struct LogicInput {
    /// Unique in the tenant; never changes.
    name: String,
    /// Never changes.
    kind: LogicKind,
    description: Option<String>,
    /// Refused, with line and column, unless it compiles.
    source: String,
}

#[derive(InputObject)]
pub(super) struct LogicUpdateInput {
    description: Option<String>,
    source: String,
}

#[derive(Default)]
pub(super) struct LogicQuery;

#[Object]
impl LogicQuery {
    async fn logics(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Logic>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.logics(access, asked(first, after)).await?, Logic))
    }

    /// The newest version, or the one asked for.
    async fn logic(&self, ctx: &Context<'_>, id: ID, version: Option<i32>) -> Result<Option<Logic>> {
        let (services, access) = of(ctx)?;
        Ok(services.logic(access, &id, version).await?.map(Logic))
    }
}

#[derive(Default)]
pub(super) struct LogicMutation;

#[Object]
impl LogicMutation {
    async fn create_logic(&self, ctx: &Context<'_>, r#in: LogicInput) -> Result<Logic> {
        let (services, access) = of(ctx)?;
        let LogicInput { name, kind, description, source } = r#in;
        let input = service::LogicInput { name, kind: kind.into(), description, source };
        Ok(Logic(services.create_logic(access, input).await?))
    }

    /// Another source makes a new version; the description is replaced.
    async fn update_logic(&self, ctx: &Context<'_>, id: ID, r#in: LogicUpdateInput) -> Result<Logic> {
        let (services, access) = of(ctx)?;
        let input = service::LogicUpdateInput { description: r#in.description, source: r#in.source };
        Ok(Logic(services.update_logic(access, &id, input).await?))
    }

    /// Refused while an Integration uses it.
    async fn delete_logic(&self, ctx: &Context<'_>, id: ID) -> Result<Logic> {
        let (services, access) = of(ctx)?;
        Ok(Logic(services.delete_logic(access, &id).await?))
    }
}
