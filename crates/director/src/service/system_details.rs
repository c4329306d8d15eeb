//! What Applications and Runtimes have in common.

use tidegate_model::{Error, IntegrationSystemId, Json, SystemDetails, Timestamp};

use super::{Services, found, known_id};
use crate::rules::{MAX_STATE_DEPTH, Rules, depth};

/// How many bytes of labels a system may carry.
const MAX_LABELS: usize = 64 * 1024;

/// What both inputs have in common.
pub(crate) struct DetailsInput {
    pub name: String,
    pub description: Option<String>,
    pub labels: Option<Json>,
    pub integration_system_id: Option<String>,
}

impl Services {
    /// Checks an input and makes its details; `before` are those that it replaces.
    pub(super) async fn system_details(
        &self,
        input: DetailsInput,
        before: Option<&SystemDetails>,
        now: Timestamp,
        mut rules: Rules,
    ) -> Result<SystemDetails, Error> {
        rules.name(&input.name, "in.name");
        rules.description(input.description.as_deref(), "in.description");
        let labels = input.labels.unwrap_or_else(Json::empty_object);
        rules.expect(
            labels.is_object() && labels.as_str().len() <= MAX_LABELS && depth(&labels) < MAX_STATE_DEPTH,
            "in.labels",
            "an object of at most 64 KiB, not deeply nested",
        );
        rules.check()?;
        let integration_system = match input.integration_system_id {
            None => None,
            Some(text) => Some(self.linked_system(&text).await?),
        };
        Ok(SystemDetails {
            name: input.name,
            description: input.description,
            labels,
            integration_system,
            created_at: before.map_or(now, |b| b.created_at),
            updated_at: now,
        })
    }

    async fn linked_system(&self, text: &str) -> Result<IntegrationSystemId, Error> {
        let id: IntegrationSystemId = known_id("IntegrationSystem", text)?;
        Ok(found("IntegrationSystem", id, self.store.integration_system(id).await?)?.id)
    }
}
