//! [`Registry`] on both ends.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Error, EventType, IntegrationId, Runnable, TenantId, TypeName};
use tonic::{Request, Response, Status};

use super::call::repeatedly;
use super::pb::registry_service_client::RegistryServiceClient;
use super::pb::registry_service_server::RegistryService;
use super::pb::resolve_response::Resolved as PbResolved;
use super::proof::PeerChannel;
use super::status::to_status;
use super::{MAX_MESSAGE, pb};
use crate::convert::{Malformed, id, required};
use crate::fault;

/// Answers calls from a registry in this process.
pub(super) struct ServedRegistry(pub(super) Arc<dyn Registry>);

impl ServedRegistry {
    async fn resolve(&self, request: pb::ResolveRequest) -> Result<pb::ResolveResponse, Error> {
        let hash = request.key_hash.try_into().map_err(|_| Malformed::new("key_hash", "32 bytes"))?;
        let resolved = match self.0.resolve(WebhookKeyHash(hash)).await? {
            Resolved::None => None,
            Resolved::One(runnable) => Some(PbResolved::One(runnable.as_ref().into())),
            Resolved::Many => Some(PbResolved::Many(pb::Ambiguity {})),
        };
        Ok(pb::ResolveResponse { resolved })
    }

    async fn subscribers(&self, request: pb::SubscribersRequest) -> Result<pb::SubscribersResponse, Error> {
        let tenant: TenantId = id("tenant", &request.tenant)?;
        let object_type: TypeName = id("object_type", &request.object_type)?;
        let event_type = EventType::try_from(request.event_type())?;
        let subscribers = self.0.subscribers(&tenant, &object_type, event_type).await?;
        Ok(pb::SubscribersResponse { subscribers: subscribers.iter().map(|one| one.as_ref().into()).collect() })
    }

    async fn find(&self, request: pb::RegistryServiceFindRequest) -> Result<pb::RegistryServiceFindResponse, Error> {
        let tenant: TenantId = id("tenant", &request.tenant)?;
        let found = self.0.find(&tenant, id("id", &request.id)?).await?;
        Ok(pb::RegistryServiceFindResponse { found: found.as_deref().map(Into::into) })
    }
}

#[async_trait]
impl RegistryService for ServedRegistry {
    async fn resolve(&self, request: Request<pb::ResolveRequest>) -> Result<Response<pb::ResolveResponse>, Status> {
        self.resolve(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn subscribers(
        &self,
        request: Request<pb::SubscribersRequest>,
    ) -> Result<Response<pb::SubscribersResponse>, Status> {
        self.subscribers(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn find(
        &self,
        request: Request<pb::RegistryServiceFindRequest>,
    ) -> Result<Response<pb::RegistryServiceFindResponse>, Status> {
        self.find(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Asks a director.
pub(super) struct RemoteRegistry(RegistryServiceClient<PeerChannel>);

const PEER: &str = "the director";

impl RemoteRegistry {
    pub(super) fn new(channel: PeerChannel) -> Self {
        Self(RegistryServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE))
    }
}

fn broken(fault: Malformed) -> Error {
    fault::internal("read the director's answer", fault)
}

fn one(field: &str, message: pb::Runnable) -> Result<Arc<Runnable>, Error> {
    required(field, Some(message)).map(Arc::new).map_err(broken)
}

#[async_trait]
impl Registry for RemoteRegistry {
    async fn resolve(&self, key: WebhookKeyHash) -> Result<Resolved, Error> {
        let request = pb::ResolveRequest { key_hash: key.0.to_vec() };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.resolve(request).await }
        })
        .await?;
        match answer.resolved {
            None => Ok(Resolved::None),
            Some(PbResolved::One(message)) => one("one", message).map(Resolved::One),
            Some(PbResolved::Many(pb::Ambiguity {})) => Ok(Resolved::Many),
        }
    }

    async fn subscribers(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        event_type: EventType,
    ) -> Result<Arc<[Arc<Runnable>]>, Error> {
        let request = pb::SubscribersRequest {
            tenant: tenant.to_string(),
            object_type: object_type.to_string(),
            event_type: pb::EventType::from(event_type).into(),
        };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.subscribers(request).await }
        })
        .await?;
        answer.subscribers.into_iter().map(|message| one("subscribers", message)).collect()
    }

    async fn find(&self, tenant: &TenantId, id: IntegrationId) -> Result<Option<Arc<Runnable>>, Error> {
        let request = pb::RegistryServiceFindRequest { tenant: tenant.to_string(), id: id.to_string() };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.find(request).await }
        })
        .await?;
        answer.found.map(|message| one("found", message)).transpose()
    }
}
