//! The authority as it answers in the process that issues.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{ClientId, Error, TokenId};

use crate::ClientStore;
use crate::keys::KeyRing;

pub(crate) struct LocalAuthority {
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) store: Arc<ClientStore>,
}

#[async_trait]
impl TokenAuthority for LocalAuthority {
    async fn key_set(&self) -> Result<KeySet, Error> {
        Ok(self.keys.public().await)
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        self.store.is_live(client, token).await
    }
}
