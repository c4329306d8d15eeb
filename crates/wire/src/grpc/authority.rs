//! [`TokenAuthority`] on both ends.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{ClientId, Error, TokenId};
use tonic::{Request, Response, Status};

use super::call::repeatedly;
use super::pb::token_authority_service_client::TokenAuthorityServiceClient;
use super::pb::token_authority_service_server::TokenAuthorityService;
use super::proof::PeerChannel;
use super::status::to_status;
use super::{MAX_MESSAGE, pb};
use crate::convert::{id, json_object};
use crate::fault;

/// Answers calls from an authority in this process.
pub(super) struct ServedTokenAuthority(pub(super) Arc<dyn TokenAuthority>);

impl ServedTokenAuthority {
    async fn is_live(&self, request: pb::IsLiveRequest) -> Result<pb::IsLiveResponse, Error> {
        let client: ClientId = id("client", &request.client)?;
        let token: TokenId = id("token", &request.token)?;
        Ok(pb::IsLiveResponse { live: self.0.is_live(client, token).await? })
    }
}

#[async_trait]
impl TokenAuthorityService for ServedTokenAuthority {
    async fn key_set(&self, _: Request<pb::KeySetRequest>) -> Result<Response<pb::KeySetResponse>, Status> {
        let KeySet(keys) = self.0.key_set().await.map_err(|e| to_status(&e))?;
        Ok(Response::new(pb::KeySetResponse { key_set: keys.as_str().to_owned() }))
    }

    async fn is_live(&self, request: Request<pb::IsLiveRequest>) -> Result<Response<pb::IsLiveResponse>, Status> {
        self.is_live(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Asks a credentials service.
pub(super) struct RemoteTokenAuthority(TokenAuthorityServiceClient<PeerChannel>);

const PEER: &str = "the credentials service";

impl RemoteTokenAuthority {
    pub(super) fn new(channel: PeerChannel) -> Self {
        Self(TokenAuthorityServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE))
    }
}

#[async_trait]
impl TokenAuthority for RemoteTokenAuthority {
    async fn key_set(&self) -> Result<KeySet, Error> {
        let answer = repeatedly(PEER, || {
            let mut client = self.0.clone();
            async move { client.key_set(pb::KeySetRequest {}).await }
        })
        .await?;
        json_object("key_set", answer.key_set)
            .map(KeySet)
            .map_err(|fault| fault::internal("read the credentials service's answer", fault))
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        let request = pb::IsLiveRequest { client: client.to_string(), token: token.to_string() };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.is_live(request).await }
        })
        .await?;
        Ok(answer.live)
    }
}
