use tidegate_model::{Direction, Error};
use tidegate_wire::api::v1::{self, IntegrationService};

use super::convert::{asked, event_type, event_type_of, http_method, http_method_of, instant, page, required, time};
use super::{Face, outgoing, settings, signatures};
use crate::access::Access;
use crate::openapi::Snippet;
use crate::service::{IntegrationInput, IntegrationUpdateInput, SubscriptionInput};

pub(super) fn execution_user(user: tidegate_model::ExecutionUser) -> v1::ExecutionUser {
    v1::ExecutionUser { id: user.id.to_string(), username: user.username }
}

pub(super) fn is_incoming(kind: i32) -> Result<bool, Error> {
    match v1::IntegrationType::try_from(kind) {
        Ok(v1::IntegrationType::Incoming) => Ok(true),
        Ok(v1::IntegrationType::Outgoing) => Ok(false),
        Ok(v1::IntegrationType::Unspecified) | Err(_) => Err(Error::invalid("in.type", "INCOMING or OUTGOING")),
    }
}

fn message(integration: tidegate_model::Integration, webhook_url: Option<String>) -> v1::Integration {
    let (kind, url, subscriptions) = match integration.direction {
        Direction::Incoming => (v1::IntegrationType::Incoming, None, Vec::new()),
        Direction::Outgoing { url, subscriptions } => (v1::IntegrationType::Outgoing, Some(url), subscriptions),
    };
    let subscription = |s: tidegate_model::Subscription| v1::Subscription {
        object_type: s.object_type.into(),
        event_type: event_type(s.event_type),
    };
    v1::Integration {
        id: integration.id.to_string(),
        name: integration.name,
        r#type: kind.into(),
        description: integration.description,
        http_method: http_method(integration.http_method),
        active: integration.active,
        effective_date: integration.effective_date.map(instant),
        expiry_date: integration.expiry_date.map(instant),
        core_logic_id: integration.core_logic.to_string(),
        enable_logic_id: integration.enable_logic.map(|id| id.to_string()),
        core_logic_version: integration.core_version,
        enable_logic_version: integration.enable_version,
        limits: Some(settings::limits(integration.settings.limits)),
        masked_headers: integration.settings.masked_headers,
        incoming: Some(signatures::incoming(integration.settings.incoming)),
        outgoing: Some(outgoing::outgoing(integration.settings.outgoing)),
        paused: integration.paused.map(outgoing::pause),
        execution_user: Some(execution_user(integration.execution_user)),
        webhook_url,
        openapi: None,
        snippets: Vec::new(),
        url,
        subscriptions: subscriptions.into_iter().map(subscription).collect(),
        created_at: Some(instant(integration.created_at)),
        updated_at: Some(instant(integration.updated_at)),
    }
}

fn definition(input: v1::IntegrationUpdateInput) -> Result<IntegrationUpdateInput, Error> {
    let subscription = |(i, s): (usize, v1::SubscriptionInput)| {
        let event_type = event_type_of(&format!("in.subscriptions[{i}].eventType"), s.event_type)?;
        Ok(SubscriptionInput { object_type: s.object_type, event_type })
    };
    Ok(IntegrationUpdateInput {
        description: input.description,
        http_method: http_method_of("in.httpMethod", input.http_method)?,
        active: required("in.active", input.active)?,
        effective_date: time("in.effectiveDate", input.effective_date)?,
        expiry_date: time("in.expiryDate", input.expiry_date)?,
        core_logic_id: input.core_logic_id,
        core_logic_version: input.core_logic_version,
        enable_logic_id: input.enable_logic_id,
        enable_logic_version: input.enable_logic_version,
        settings: settings::input(input.limits, (input.incoming.as_ref(), input.outgoing), input.masked_headers)?,
        signature: signatures::input(input.incoming)?,
        url: input.url,
        subscriptions: Some(
            input.subscriptions.into_iter().enumerate().map(subscription).collect::<Result<_, Error>>()?,
        ),
    })
}

fn input(input: v1::IntegrationInput) -> Result<IntegrationInput, Error> {
    let incoming = is_incoming(input.r#type)?;
    let definition = definition(v1::IntegrationUpdateInput {
        description: input.description,
        http_method: input.http_method,
        active: Some(input.active.unwrap_or(true)),
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
    })?;
    Ok(IntegrationInput { name: input.name, incoming, definition })
}

impl Face {
    async fn with_urls(&self, integrations: Vec<tidegate_model::Integration>) -> Result<Vec<v1::Integration>, Error> {
        let urls = self.services.webhook_urls(&integrations).await?;
        Ok(integrations.into_iter().zip(urls).map(|(integration, url)| message(integration, url)).collect())
    }

    async fn with_url(&self, integration: tidegate_model::Integration) -> Result<v1::Integration, Error> {
        let url = self.services.webhook_url(&integration).await?;
        Ok(message(integration, url))
    }

    async fn with_interface(&self, integration: tidegate_model::Integration) -> Result<v1::Integration, Error> {
        let openapi = self.services.openapi(&integration).await?.map(|document| document.to_string());
        let snippets = self.services.snippets(&integration).await?;
        let snippet = |s: Snippet| v1::Snippet { name: s.name.into(), language: s.language.into(), text: s.text };
        let snippets = snippets.into_iter().map(snippet).collect();
        Ok(v1::Integration { openapi, snippets, ..self.with_url(integration).await? })
    }
}

impl IntegrationService for Face {
    async fn get_integration(
        &self,
        access: &Access,
        request: v1::GetIntegrationRequest,
    ) -> Result<v1::GetIntegrationResponse, Error> {
        let integration = match self.services.integration(access, &request.id).await? {
            Some(found) if request.with_interface => Some(self.with_interface(found).await?),
            Some(found) => Some(self.with_url(found).await?),
            None => None,
        };
        Ok(v1::GetIntegrationResponse { integration })
    }

    async fn list_integrations(
        &self,
        access: &Access,
        request: v1::ListIntegrationsRequest,
    ) -> Result<v1::ListIntegrationsResponse, Error> {
        let listed = self.services.integrations(access, asked(request.first, request.after)).await?;
        let (found, page_info, total_count) = page(listed, std::convert::identity);
        Ok(v1::ListIntegrationsResponse { data: self.with_urls(found).await?, page_info, total_count })
    }

    async fn create_integration(
        &self,
        access: &Access,
        request: v1::CreateIntegrationRequest,
    ) -> Result<v1::CreateIntegrationResponse, Error> {
        let input = input(required("in", request.input)?)?;
        let made = self.services.create_integration(access, input).await?;
        Ok(v1::CreateIntegrationResponse { integration: Some(self.with_url(made).await?) })
    }

    async fn update_integration(
        &self,
        access: &Access,
        request: v1::UpdateIntegrationRequest,
    ) -> Result<v1::UpdateIntegrationResponse, Error> {
        let input = definition(required("in", request.input)?)?;
        let changed = self.services.update_integration(access, &request.id, input).await?;
        Ok(v1::UpdateIntegrationResponse { integration: Some(self.with_url(changed).await?) })
    }

    async fn resume_integration(
        &self,
        access: &Access,
        request: v1::ResumeIntegrationRequest,
    ) -> Result<v1::ResumeIntegrationResponse, Error> {
        let resumed = self.services.resume_integration(access, &request.id).await?;
        Ok(v1::ResumeIntegrationResponse { integration: Some(self.with_url(resumed).await?) })
    }

    async fn delete_integration(
        &self,
        access: &Access,
        request: v1::DeleteIntegrationRequest,
    ) -> Result<v1::DeleteIntegrationResponse, Error> {
        let last = self.services.delete_integration(access, &request.id).await?;
        // Its URL ended with it.
        Ok(v1::DeleteIntegrationResponse { integration: Some(message(last, None)) })
    }

    async fn regenerate_webhook_urls(
        &self,
        access: &Access,
        request: v1::RegenerateWebhookUrlsRequest,
    ) -> Result<v1::RegenerateWebhookUrlsResponse, Error> {
        let integrations = self.services.regenerate_webhook_urls(access, &request.ids).await?;
        Ok(v1::RegenerateWebhookUrlsResponse { integrations: self.with_urls(integrations).await? })
    }
}
