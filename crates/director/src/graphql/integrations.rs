use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use tidegate_model::{Direction, Error, LogicId};

use super::enums::{EventType, HttpMethod, IntegrationType};
use super::logics::Logic;
use super::of;
use super::outgoing::{OutgoingSettings, OutgoingSettingsInput, Pause};
use super::page::{Page, asked};
use super::scalars::{DateTime, Json, PageCursor};
use super::settings::{RunLimits, settings};
use super::signatures::{IncomingSettings, IncomingSettingsInput};
use crate::service;

/// What an OUTGOING Integration listens to.
#[derive(SimpleObject)]
struct Subscription {
    object_type: String,
    event_type: EventType,
}

/// Lines that call an Integration.
#[derive(SimpleObject)]
struct Snippet {
    /// What it calls with.
    name: &'static str,
    /// In which language it is written.
    language: &'static str,
    text: String,
}

/// The user that an Integration's scripts run as.
#[derive(SimpleObject)]
pub(super) struct ExecutionUser {
    id: ID,
    username: String,
}

impl From<tidegate_model::ExecutionUser> for ExecutionUser {
    fn from(user: tidegate_model::ExecutionUser) -> Self {
        Self { id: user.id.into(), username: user.username }
    }
}

/// A definition of an integration.
pub(super) struct Integration(pub(super) tidegate_model::Integration);

#[Object]
impl Integration {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn r#type(&self) -> IntegrationType {
        match self.0.direction {
            Direction::Incoming => IntegrationType::Incoming,
            Direction::Outgoing { .. } => IntegrationType::Outgoing,
        }
    }

    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    async fn http_method(&self) -> HttpMethod {
        self.0.http_method.into()
    }

    async fn active(&self) -> bool {
        self.0.active
    }

    /// It runs from this instant on, inclusive; null is open.
    async fn effective_date(&self) -> Option<DateTime> {
        self.0.effective_date.map(DateTime)
    }

    /// It runs until this instant, inclusive; null is open.
    async fn expiry_date(&self) -> Option<DateTime> {
        self.0.expiry_date.map(DateTime)
    }

    /// The version that runs. Needs `logic:read`.
    async fn core_logic(&self, ctx: &Context<'_>) -> Result<Logic> {
        logic(ctx, self.0.core_logic, self.0.core_version).await
    }

    /// The version that it is pinned to; null follows the newest.
    async fn core_logic_version(&self) -> Option<i32> {
        self.0.core_version
    }

    /// The version that runs, where there is one. Needs `logic:read`.
    async fn enable_logic(&self, ctx: &Context<'_>) -> Result<Option<Logic>> {
        match self.0.enable_logic {
            Some(id) => logic(ctx, id, self.0.enable_version).await.map(Some),
            None => Ok(None),
        }
    }

    /// The version that it is pinned to; null follows the newest.
    async fn enable_logic_version(&self) -> Option<i32> {
        self.0.enable_version
    }

    /// The bounds that it sets for its scripts; null is the operator's default.
    async fn limits(&self) -> RunLimits {
        self.0.settings.limits.into()
    }

    /// Headers whose values its records do not keep, besides those that carry credentials by their name.
    async fn masked_headers(&self) -> &[String] {
        &self.0.settings.masked_headers
    }

    /// INCOMING: how callers are met.
    async fn incoming(&self) -> IncomingSettings {
        self.0.settings.incoming.clone().into()
    }

    /// OUTGOING: how calls are made.
    async fn outgoing(&self) -> OutgoingSettings {
        self.0.settings.outgoing.clone().into()
    }

    /// OUTGOING: why its deliveries wait until somebody resumes it; null while they are made.
    async fn paused(&self) -> Option<Pause> {
        self.0.paused.map(Into::into)
    }

    async fn execution_user(&self) -> ExecutionUser {
        self.0.execution_user.clone().into()
    }

    /// INCOMING: where third parties call. A secret: who knows it may call.
    async fn webhook_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let (services, _) = of(ctx)?;
        Ok(services.webhook_url(&self.0).await?)
    }

    /// INCOMING: the OpenAPI 3.1 document for the third party's tools; `webhookUrl` stands in it.
    async fn openapi(&self, ctx: &Context<'_>) -> Result<Option<Json>> {
        let (services, _) = of(ctx)?;
        let document = services.openapi(&self.0).await?;
        Ok(document.map(|document| Json(tidegate_model::Json::of(&document))))
    }

    /// INCOMING: calls to copy, signed as it requires; `webhookUrl` stands in them, secrets are read from the environment.
    async fn snippets(&self, ctx: &Context<'_>) -> Result<Vec<Snippet>> {
        let (services, _) = of(ctx)?;
        let snippets = services.snippets(&self.0).await?;
        Ok(snippets.into_iter().map(|s| Snippet { name: s.name, language: s.language, text: s.text }).collect())
    }

    /// OUTGOING: what is called.
    async fn url(&self) -> Option<&str> {
        match &self.0.direction {
            Direction::Incoming => None,
            Direction::Outgoing { url, .. } => Some(url),
        }
    }

    /// OUTGOING: which events cause a call.
    async fn subscriptions(&self) -> Vec<Subscription> {
        match &self.0.direction {
            Direction::Incoming => Vec::new(),
            Direction::Outgoing { subscriptions, .. } => subscriptions
                .iter()
                .map(|s| Subscription { object_type: s.object_type.to_string(), event_type: s.event_type.into() })
                .collect(),
        }
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

async fn logic(ctx: &Context<'_>, id: LogicId, version: Option<i32>) -> Result<Logic> {
    let (services, access) = of(ctx)?;
    let logic = services.logic(access, &id.to_string(), version).await?;
    Ok(Logic(logic.ok_or_else(|| Error::not_found("Logic", id))?))
}

#[derive(InputObject)]
struct SubscriptionInput {
    object_type: String,
    event_type: EventType,
}

#[derive(InputObject)]
pub(super) struct IntegrationInput {
    /// Unique in the tenant; never changes.
    name: String,
    /// Never changes.
    r#type: IntegrationType,
    description: Option<String>,
    http_method: HttpMethod,
    #[graphql(default_with = "Some(true)")]
    active: Option<bool>,
    effective_date: Option<DateTime>,
    expiry_date: Option<DateTime>,
    #[graphql(name = "coreLogicID")]
    core_logic_id: ID,
    /// The version to run; nothing follows the newest.
    core_logic_version: Option<i32>,
    #[graphql(name = "enableLogicID")]
    enable_logic_id: Option<ID>,
    /// The version to run; nothing follows the newest.
    enable_logic_version: Option<i32>,
    /// Bounds for its scripts, within the operator's.
    limits: Option<RunLimits>,
    /// Headers whose values its records must not keep, besides those that carry credentials by their name; at most 32.
    masked_headers: Option<Vec<String>>,
    /// INCOMING: how callers are met.
    incoming: Option<IncomingSettingsInput>,
    /// OUTGOING: how calls are made.
    outgoing: Option<OutgoingSettingsInput>,
    /// OUTGOING: absolute, http or https.
    url: Option<String>,
    /// OUTGOING: at least one.
    subscriptions: Option<Vec<SubscriptionInput>>,
}

/// Replaces everything but name and type.
#[derive(InputObject)]
pub(super) struct IntegrationUpdateInput {
    description: Option<String>,
    http_method: HttpMethod,
    active: bool,
    effective_date: Option<DateTime>,
    expiry_date: Option<DateTime>,
    #[graphql(name = "coreLogicID")]
    core_logic_id: ID,
    /// The version to run; nothing follows the newest.
    core_logic_version: Option<i32>,
    #[graphql(name = "enableLogicID")]
    enable_logic_id: Option<ID>,
    /// The version to run; nothing follows the newest.
    enable_logic_version: Option<i32>,
    /// Bounds for its scripts, within the operator's.
    limits: Option<RunLimits>,
    /// Headers whose values its records must not keep, besides those that carry credentials by their name; at most 32.
    masked_headers: Option<Vec<String>>,
    /// INCOMING: how callers are met; absent, calls need no signature.
    incoming: Option<IncomingSettingsInput>,
    /// OUTGOING: how calls are made.
    outgoing: Option<OutgoingSettingsInput>,
    url: Option<String>,
    subscriptions: Option<Vec<SubscriptionInput>>,
}

impl TryFrom<IntegrationUpdateInput> for service::IntegrationUpdateInput {
    type Error = Error;

    fn try_from(input: IntegrationUpdateInput) -> Result<Self, Error> {
        let (signature, incoming) = input.incoming.map(IncomingSettingsInput::read).transpose()?.unwrap_or_default();
        let subscription = |s: SubscriptionInput| service::SubscriptionInput {
            object_type: s.object_type,
            event_type: s.event_type.into(),
        };
        Ok(Self {
            description: input.description,
            http_method: input.http_method.into(),
            active: input.active,
            effective_date: input.effective_date.map(|d| d.0),
            expiry_date: input.expiry_date.map(|d| d.0),
            core_logic_id: input.core_logic_id.0,
            core_logic_version: input.core_logic_version,
            enable_logic_id: input.enable_logic_id.map(|id| id.0),
            enable_logic_version: input.enable_logic_version,
            settings: settings(input.limits, (incoming, input.outgoing), input.masked_headers),
            signature,
            url: input.url,
            subscriptions: input.subscriptions.map(|all| all.into_iter().map(subscription).collect()),
        })
    }
}

impl TryFrom<IntegrationInput> for service::IntegrationInput {
    type Error = Error;

    fn try_from(input: IntegrationInput) -> Result<Self, Error> {
        let definition = IntegrationUpdateInput {
            description: input.description,
            http_method: input.http_method,
            active: input.active.unwrap_or(true),
            effective_date: input.effective_date,
            expiry_date: input.expiry_date,
            core_logic_id: input.core_logic_id,
            core_logic_version: input.core_logic_version,
            enable_logic_id: input.enable_logic_id,
            enable_logic_version: input.enable_logic_version,
            limits: input.limits,
            masked_headers: input.masked_headers,
            incoming: input.incoming,
            outgoing: input.outgoing,
            url: input.url,
            subscriptions: input.subscriptions,
        };
        let incoming = input.r#type == IntegrationType::Incoming;
        Ok(Self { name: input.name, incoming, definition: definition.try_into()? })
    }
}

#[derive(Default)]
pub(super) struct IntegrationQuery;

#[Object]
impl IntegrationQuery {
    async fn integrations(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Integration>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.integrations(access, asked(first, after)).await?, Integration))
    }

    async fn integration(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Integration>> {
        let (services, access) = of(ctx)?;
        Ok(services.integration(access, &id).await?.map(Integration))
    }
}

#[derive(Default)]
pub(super) struct IntegrationMutation;

#[Object]
impl IntegrationMutation {
    async fn create_integration(&self, ctx: &Context<'_>, r#in: IntegrationInput) -> Result<Integration> {
        let (services, access) = of(ctx)?;
        Ok(Integration(services.create_integration(access, r#in.try_into()?).await?))
    }

    async fn update_integration(&self, ctx: &Context<'_>, id: ID, r#in: IntegrationUpdateInput) -> Result<Integration> {
        let (services, access) = of(ctx)?;
        Ok(Integration(services.update_integration(access, &id, r#in.try_into()?).await?))
    }

    /// Ends it with its webhook URL; its execution user is disabled, its records stay, and what it had still to deliver ends as FAILED.
    async fn delete_integration(&self, ctx: &Context<'_>, id: ID) -> Result<Integration> {
        let (services, access) = of(ctx)?;
        Ok(Integration(services.delete_integration(access, &id).await?))
    }

    /// Ends its pause: the deliveries that wait are made, the oldest first. One that is not paused stays as it is.
    async fn resume_integration(&self, ctx: &Context<'_>, id: ID) -> Result<Integration> {
        let (services, access) = of(ctx)?;
        Ok(Integration(services.resume_integration(access, &id).await?))
    }

    /// Gives each a new webhook URL; the old ones are dead when this answers. Refused whole unless every one is INCOMING.
    async fn regenerate_webhook_urls(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Integration>> {
        let (services, access) = of(ctx)?;
        let ids: Vec<String> = ids.into_iter().map(|id| id.0).collect();
        let integrations = services.regenerate_webhook_urls(access, &ids).await?;
        Ok(integrations.into_iter().map(Integration).collect())
    }
}
