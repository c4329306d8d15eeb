//! The credentials of Integration Systems, Applications and Runtimes: OAuth2 clients, whose secret is told once.

use serde_json::json;
use tidegate_model::{
    ApplicationId, Client, ClientId, ClientOwner, Error, IntegrationSystemId, Json, Made, RuntimeId, Scope, Secret,
};
use tidegate_storage::contract::OwnerKind;

use super::{Services, found, known_id};
use crate::access::{Access, Operation};

const KIND: &str = "SystemAuth";

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
        let operation = match &client.owner {
            ClientOwner::Application(..) => "requestClientCredentialsForApplication",
            ClientOwner::Runtime(..) => "requestClientCredentialsForRuntime",
            _ => "requestClientCredentialsForIntegrationSystem",
        };
        let made = Made::to(KIND, id).to_state(state(&client));
        let store = self.store.audited(self.entries(access, client.owner.tenant(), operation, [made]));
        store.insert_client(&client, secret.hash()).await?;
        Ok(SystemAuth { client, secret: Some(secret) })
    }

    /// Deletes a client by its id; one of another kind of owner is `NotFound`, and stays.
    pub(crate) async fn delete_system_auth(&self, access: &Access, owner: Owner<'_>) -> Result<SystemAuth, Error> {
        let (id, kind, operation) = match owner {
            Owner::IntegrationSystem(id) => {
                access.allow(Operation::WriteIntegrationSystemAuths)?;
                (id, OwnerKind::IntegrationSystem, "deleteSystemAuthForIntegrationSystem")
            }
            Owner::Application(id) => {
                let tenant = access.within(Operation::WriteSystemAuths)?.clone();
                (id, OwnerKind::Application(tenant), "deleteSystemAuthForApplication")
            }
            Owner::Runtime(id) => {
                let tenant = access.within(Operation::WriteSystemAuths)?.clone();
                (id, OwnerKind::Runtime(tenant), "deleteSystemAuthForRuntime")
            }
        };
        let tenant = match &kind {
            OwnerKind::IntegrationSystem => None,
            OwnerKind::Application(tenant) | OwnerKind::Runtime(tenant) => Some(tenant),
        };
        let id: ClientId = known_id(KIND, id)?;
        // What it is tells its row, and whose it is may be said only once the store has found it to be the caller's.
        let last = self.store.client(id).await?.map(|(client, _)| client);
        let made = last.iter().fold(Made::to(KIND, id), |made, last| made.from_state(state(last)));
        let store = self.store.audited(self.entries(access, tenant, operation, [made]));
        let client = store.delete_client(id, &kind).await?;
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

fn state(client: &Client) -> Json {
    let (kind, owner) = match &client.owner {
        ClientOwner::Administrator => ("ADMINISTRATOR", None),
        ClientOwner::IntegrationSystem(id) => ("INTEGRATION_SYSTEM", Some(id.to_string())),
        ClientOwner::Application(_, id) => ("APPLICATION", Some(id.to_string())),
        ClientOwner::Runtime(_, id) => ("RUNTIME", Some(id.to_string())),
    };
    Json::of(&json!({ "type": kind, "referenceObjectId": owner, "scopes": client.scopes }))
}
