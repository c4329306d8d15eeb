//! [`Vault`] on both ends.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::Vault;
use tidegate_model::{Error, OpenCredential, TenantId};
use tonic::{Request, Response, Status};

use super::call::repeatedly;
use super::pb::vault_service_client::VaultServiceClient;
use super::pb::vault_service_server::VaultService;
use super::proof::PeerChannel;
use super::status::to_status;
use super::{MAX_MESSAGE, pb};
use crate::convert::{id, required};
use crate::fault;

/// Answers calls from a vault in this process.
pub(super) struct ServedVault(pub(super) Arc<dyn Vault>);

impl ServedVault {
    async fn open(&self, request: pb::OpenCredentialRequest) -> Result<pb::OpenCredentialResponse, Error> {
        let tenant: TenantId = id("tenant", &request.tenant)?;
        let found = self.0.credential(&tenant, &request.name).await?;
        Ok(pb::OpenCredentialResponse { found: found.as_deref().map(Into::into) })
    }
}

#[async_trait]
impl VaultService for ServedVault {
    async fn open_credential(
        &self,
        request: Request<pb::OpenCredentialRequest>,
    ) -> Result<Response<pb::OpenCredentialResponse>, Status> {
        self.open(request.into_inner()).await.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Asks a director.
pub(super) struct RemoteVault(VaultServiceClient<PeerChannel>);

const PEER: &str = "the director";

impl RemoteVault {
    pub(super) fn new(channel: PeerChannel) -> Self {
        Self(VaultServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE))
    }
}

#[async_trait]
impl Vault for RemoteVault {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        let request = pb::OpenCredentialRequest { tenant: tenant.to_string(), name: name.to_owned() };
        let answer = repeatedly(PEER, || {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.open_credential(request).await }
        })
        .await?;
        let found = answer.found.map(|message| required("found", Some(message)).map(Arc::new));
        found.transpose().map_err(|fault| fault::internal("read the director's answer", fault))
    }
}
