//! The credentials of Integration Systems, Applications and Runtimes: OAuth2 clients, whose secret is told once.

use tidegate_model::{
    ApplicationId, Client, ClientId, ClientOwner, Error, IntegrationSystemId, RuntimeId, Scope, Secret,
};
use tidegate_storage::contract::OwnerKind;

use super::{Services, found, known_id};
use crate::access::{Access, Operation};

/// Whose credentials a request is about, with the id as the caller wrote it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    IntegrationSystem(&'a str),
    Application(&'a str),
    Runtime(&'a str),
}

/// A client as those who manage it see it.
#[derive(Clone, Debug)]
pub(crate) struct SystemAuth {
    pub client: Client,
    /// Only in the answer that makes it.
    pub secret: Option<Secret>,
}

impl Services {
    /// Mints a client. May be called many times; each client lives until it is deleted or its owner ends.
    pub(crate) async fn request_client_credentials(
        &self,
        access: &Access,
        owner: Owner<'_>,
    ) -> Result<SystemAuth, Error> {
        let (owner, scopes) = match owner {
            Owner::IntegrationSystem(id) => {
                access.allow(Operation::WriteIntegrationSystemAuths)?;
                let id: IntegrationSystemId = known_id("IntegrationSystem", id)?;
                found("IntegrationSystem", id, self.store.integration_system(id).await?)?;
                (ClientOwner::IntegrationSystem(id), Scope::of_integration_system())
            }
            Owner::Application(id) => {
                let tenant = access.within(Operation::WriteSystemAuths)?;
                let id: ApplicationId = known_id("Application", id)?;
                found("Application", id, self.store.application(tenant, id).await?)?;
                (ClientOwner::Application(tenant.clone(), id), Scope::of_tenant_client())
            }
            Owner::Runtime(id) => {
                let tenant = access.within(Operation::WriteSystemAuths)?;
                let id: RuntimeId = known_id("Runtime", id)?;
                found("Runtime", id, self.store.runtime(tenant, id).await?)?;
                (ClientOwner::Runtime(tenant.clone(), id), Scope::of_tenant_client())
            }
        };
        let id = ClientId::generate(&*self.clock, &*self.randomness);
        let client = Client { id, owner, scopes, created_at: self.clock.now() };
        let secret = Secret::generate("tgs_", &*self.randomness);
        self.store.insert_client(&client, secret.hash()).await?;
        Ok(SystemAuth { client, secret: Some(secret) })
    }

    /// Deletes a client by its id; one of another kind of owner is `NotFound`, and stays.
    pub(crate) async fn delete_system_auth(&self, access: &Access, owner: Owner<'_>) -> Result<SystemAuth, Error> {
        let (id, kind) = match owner {
            Owner::IntegrationSystem(id) => {
                access.allow(Operation::WriteIntegrationSystemAuths)?;
                (id, OwnerKind::IntegrationSystem)
            }
            Owner::Application(id) => (id, OwnerKind::Application(access.within(Operation::WriteSystemAuths)?.clone())),
            Owner::Runtime(id) => (id, OwnerKind::Runtime(access.within(Operation::WriteSystemAuths)?.clone())),
        };
        let client = self.store.delete_client(known_id("SystemAuth", id)?, &kind).await?;
        Ok(SystemAuth { client, secret: None })
    }

    /// All clients of one owner, oldest first, without their secrets.
    pub(crate) async fn system_auths(&self, access: &Access, owner: ClientOwner) -> Result<Vec<SystemAuth>, Error> {
        match &owner {
            ClientOwner::IntegrationSystem(_) => access.allow(Operation::ReadIntegrationSystemAuths)?,
            _ => access.allow(Operation::ReadSystemAuths)?,
        }
        let clients = self.store.clients_of(&owner).await?;
        Ok(clients.into_iter().map(|client| SystemAuth { client, secret: None }).collect())
    }
}
