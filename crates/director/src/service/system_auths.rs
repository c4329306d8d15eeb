//! The credentials of Integration Systems, Applications and Runtimes: OAuth2 clients, whose secret is told once.

use serde_json::json;
use tidegate_model::{
    ApplicationId, Client, ClientId, ClientOwner, ClientSecret, ClientSecretId, Error, IntegrationSystemId, Json, Made,
    RuntimeId, Scope, Secret, TenantId,
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

impl Owner<'_> {
    /// The name of what is done to it, of those for the three kinds.
    fn operation(self, [integration_system, application, runtime]: [&'static str; 3]) -> &'static str {
        match self {
            Self::IntegrationSystem(_) => integration_system,
            Self::Application(_) => application,
            Self::Runtime(_) => runtime,
        }
    }
}

/// A client as those who manage it see it.
#[derive(Clone, Debug)]
pub(crate) struct SystemAuth {
    pub client: Client,
    /// Only in the answer that makes it; of two, the one that was made.
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
        let secret = self.draw_secret();
        let client = Client::new(id, owner, scopes, self.clock.now(), secret.hash());
        let operation = match &client.owner {
            ClientOwner::Application(..) => "requestClientCredentialsForApplication",
            ClientOwner::Runtime(..) => "requestClientCredentialsForRuntime",
            _ => "requestClientCredentialsForIntegrationSystem",
        };
        let made = Made::to(KIND, id).to_state(state(&client));
        let store = self.store.audited(self.entries(access, client.owner.tenant(), operation, [made]));
        store.insert_client(&client).await?;
        Ok(SystemAuth { client, secret: Some(secret) })
    }

    /// Deletes a client by its id; one of another kind of owner is `NotFound`, and stays.
    pub(crate) async fn delete_system_auth(&self, access: &Access, owner: Owner<'_>) -> Result<SystemAuth, Error> {
        let (id, kind) = changeable(access, owner)?;
        // What it is tells its row; of what is not the caller's even the search tells nothing.
        let last = self.store.belonging_client(id, &kind).await?;
        let made = last.iter().fold(Made::to(KIND, id), |made, last| made.from_state(state(last)));
        let operation = owner.operation([
            "deleteSystemAuthForIntegrationSystem",
            "deleteSystemAuthForApplication",
            "deleteSystemAuthForRuntime",
        ]);
        let store = self.store.audited(self.entries(access, tenant(&kind), operation, [made]));
        let client = store.delete_client(id, &kind).await?;
        Ok(SystemAuth { client, secret: None })
    }

    /// Gives a client a second secret, told here alone; both open until one is removed.
    pub(crate) async fn add_client_secret(&self, access: &Access, owner: Owner<'_>) -> Result<SystemAuth, Error> {
        let (id, kind) = changeable(access, owner)?;
        let secret = self.draw_secret();
        let kept = ClientSecret {
            id: ClientSecretId::generate(&*self.clock, &*self.randomness),
            hash: secret.hash(),
            created_at: self.clock.now(),
        };
        let operation = owner.operation([
            "addClientSecretForIntegrationSystem",
            "addClientSecretForApplication",
            "addClientSecretForRuntime",
        ]);
        let made = Made::to(KIND, id).to_state(Json::of(&json!({ "secretID": kept.id })));
        let store = self.store.audited(self.entries(access, tenant(&kind), operation, [made]));
        let client = store.add_client_secret(id, &kind, &kept).await?;
        Ok(SystemAuth { client, secret: Some(secret) })
    }

    /// Withdraws one of a client's two secrets, by the secret's own id.
    pub(crate) async fn remove_client_secret(
        &self,
        access: &Access,
        owner: Owner<'_>,
        secret: &str,
    ) -> Result<SystemAuth, Error> {
        let (id, kind) = changeable(access, owner)?;
        let secret: ClientSecretId = known_id("ClientSecret", secret)?;
        let operation = owner.operation([
            "removeClientSecretForIntegrationSystem",
            "removeClientSecretForApplication",
            "removeClientSecretForRuntime",
        ]);
        let made = Made::to(KIND, id).from_state(Json::of(&json!({ "secretID": secret })));
        let store = self.store.audited(self.entries(access, tenant(&kind), operation, [made]));
        let client = store.remove_client_secret(id, &kind, secret).await?;
        Ok(SystemAuth { client, secret: None })
    }

    fn draw_secret(&self) -> Secret {
        Secret::generate("tgs_", &*self.randomness)
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
        ClientOwner::Service(name) => ("SERVICE", Some(name.clone())),
    };
    Json::of(&json!({ "type": kind, "referenceObjectId": owner, "scopes": client.scopes }))
}

/// Which client a change is about, by its own id, and whose it must be.
fn changeable(access: &Access, owner: Owner<'_>) -> Result<(ClientId, OwnerKind), Error> {
    let (id, kind) = match owner {
        Owner::IntegrationSystem(id) => {
            access.allow(Operation::WriteIntegrationSystemAuths)?;
            (id, OwnerKind::IntegrationSystem)
        }
        Owner::Application(id) => (id, OwnerKind::Application(access.within(Operation::WriteSystemAuths)?.clone())),
        Owner::Runtime(id) => (id, OwnerKind::Runtime(access.within(Operation::WriteSystemAuths)?.clone())),
    };
    Ok((known_id(KIND, id)?, kind))
}

fn tenant(kind: &OwnerKind) -> Option<&TenantId> {
    match kind {
        OwnerKind::Administrator | OwnerKind::Service | OwnerKind::IntegrationSystem => None,
        OwnerKind::Application(tenant) | OwnerKind::Runtime(tenant) => Some(tenant),
    }
}
