//! What third parties need to call an INCOMING Integration. Who may see its URL may see this: the URL stands in it.

use serde_json::Value;
use tidegate_model::{Error, Integration};

use super::{Services, found};
use crate::access::Access;
use crate::openapi::{self, Snippet};

impl Services {
    /// The OpenAPI 3.1 document; `None` of an OUTGOING Integration.
    pub(crate) async fn openapi(&self, integration: &Integration) -> Result<Option<Value>, Error> {
        let url = self.webhook_url(integration).await?;
        Ok(url.map(|url| openapi::document(integration, &url)))
    }

    /// Calls to copy; none of an OUTGOING Integration.
    pub(crate) async fn snippets(&self, integration: &Integration) -> Result<Vec<Snippet>, Error> {
        let url = self.webhook_url(integration).await?;
        Ok(url.map(|url| openapi::snippets(integration, &url)).unwrap_or_default())
    }

    /// The document of the Integration with this id, which is `NotFound` where there is none.
    pub(crate) async fn openapi_of(&self, access: &Access, id: &str) -> Result<Value, Error> {
        let integration = found("Integration", super::shown(id), self.integration(access, id).await?)?;
        found("the OpenAPI document of Integration", integration.id, self.openapi(&integration).await?)
    }
}
