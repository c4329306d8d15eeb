//! Webhook keys: 256 random bits, kept as a hash (which finds the Integration) and sealed (for those who may read it).

use std::collections::{HashMap, HashSet};

use tidegate_model::contract::WebhookKeyHash;
use tidegate_model::{Change, Direction, Error, Integration, IntegrationId, Json, Made, Secret};
use tidegate_storage::contract::WebhookKeyRow;
use tidegate_storage::place;

use super::Services;
use super::builtin::{self, BuiltIn};
use crate::access::{Access, Operation};

/// How many keys one call may regenerate.
const MAX_KEYS: usize = 100;

impl Services {
    pub(super) fn new_webhook_key(&self, id: IntegrationId) -> Result<WebhookKeyRow, Error> {
        let key = Secret::generate("", &*self.randomness);
        let sealed = self.sealer.seal(&place::webhook_key(id), key.reveal().as_bytes())?;
        Ok(WebhookKeyRow { hash: WebhookKeyHash::of(key.reveal()), sealed })
    }

    /// The URL that third parties call; `None` of an outgoing Integration. Who has the Integration may see it.
    pub(crate) async fn webhook_url(&self, integration: &Integration) -> Result<Option<String>, Error> {
        Ok(self.webhook_urls(std::slice::from_ref(integration)).await?.pop().flatten())
    }

    /// The URL of each of these, all of one tenant.
    pub(crate) async fn webhook_urls(&self, integrations: &[Integration]) -> Result<Vec<Option<String>>, Error> {
        let incoming = |i: &&Integration| matches!(i.direction, Direction::Incoming);
        let ids: Vec<IntegrationId> = integrations.iter().filter(incoming).map(|i| i.id).collect();
        let (Some(first), false) = (integrations.first(), ids.is_empty()) else {
            return Ok(vec![None; integrations.len()]);
        };
        let mut urls = HashMap::new();
        for (id, sealed) in self.store.webhook_keys(&first.tenant, &ids).await? {
            let key = self.sealer.open(&place::webhook_key(id), &sealed)?;
            urls.insert(id, format!("{}/webhook/{}", self.webhook_url, String::from_utf8_lossy(&key)));
        }
        Ok(integrations.iter().map(|i| urls.remove(&i.id)).collect())
    }

    /// Gives every one of these a new key and answers them in the order asked; the old keys are dead when this returns. All or none:
    /// refused unless every one is an incoming Integration of the tenant.
    pub(crate) async fn regenerate_webhook_urls(
        &self,
        access: &Access,
        ids: &[String],
    ) -> Result<Vec<Integration>, Error> {
        let tenant = access.within(Operation::WriteIntegrations)?;
        if !(1..=MAX_KEYS).contains(&ids.len()) {
            return Err(Error::invalid("ids", "1 to 100 ids"));
        }
        let refused = |id: &str| {
            Error::InvalidOperation(format!("{} is no INCOMING Integration; no URL was changed", super::shown(id)))
        };
        let mut integrations = Vec::with_capacity(ids.len());
        let mut seen = HashSet::new();
        for text in ids {
            let id: IntegrationId = text.parse().map_err(|_| refused(text))?;
            if !seen.insert(id) {
                return Err(Error::invalid("ids", "each id once"));
            }
            let integration = self.store.integration(tenant, id).await?;
            integrations
                .push(integration.filter(|i| matches!(i.direction, Direction::Incoming)).ok_or_else(|| refused(text))?);
        }
        let mut keys = Vec::with_capacity(ids.len());
        let mut events = Vec::with_capacity(ids.len());
        for integration in &integrations {
            keys.push((integration.id, self.new_webhook_key(integration.id)?));
            // The URL is a secret: its change is told, it is not.
            let state = builtin::integration(integration);
            let change = Change::Update { old: state.clone(), new: state };
            events.push(self.builtin_event(tenant, BuiltIn::Integration, integration.id, change)?);
        }
        let renewed = |event| Made::from(event).noting("webhookUrl", &Json::of(&"regenerated"));
        let store = self.audited(access, tenant, "regenerateWebhookUrls", events.iter().map(renewed));
        store.replace_webhook_keys(tenant, &keys, &events).await?;
        self.notices.announce().await;
        Ok(integrations)
    }
}
