//! The authority as it answers in the process that issues.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{ClientId, Error};

use crate::ClientStore;
use crate::keys::SigningKeys;

pub(crate) struct LocalAuthority {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) store: Arc<ClientStore>,
}

#[async_trait]
impl TokenAuthority for LocalAuthority {
    async fn key_set(&self) -> Result<KeySet, Error> {
        Ok(self.keys.public().clone())
    }

    async fn is_live(&self, client: ClientId) -> Result<bool, Error> {
        Ok(self.store.client(client).await?.is_some())
    }
}
