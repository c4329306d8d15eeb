use async_trait::async_trait;
use tidegate_model::{
    Application, ApplicationId, Client, ClientId, ClientOwner, ClientSecret, ClientSecretId, Error, Event,
    IntegrationSystem, IntegrationSystemId, Page, PageOf, Runtime, RuntimeId, Tenant, TenantId, Timestamp, TokenId,
};

use super::super::{
    Database, applications, client_secrets, clients, integration_systems, revoked_tokens, runtimes, signing_keys,
    tenants,
};
use crate::contract::{Clients, OwnerKind, SigningKeyRow, Systems};

#[async_trait]
impl Systems for Database {
    async fn insert_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        self.run("insert_tenant", || tenants::insert(self, tenant)).await
    }

    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error> {
        self.run("tenant", || tenants::find(self, id)).await
    }

    async fn tenants(&self, page: PageOf<TenantId>) -> Result<Page<Tenant>, Error> {
        self.run("tenants", || tenants::list(self, page.clone())).await
    }

    async fn delete_tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Error> {
        self.run("delete_tenant", || tenants::delete(self, id)).await
    }

    async fn insert_integration_system(&self, system: &IntegrationSystem) -> Result<(), Error> {
        self.run("insert_integration_system", || integration_systems::insert(self, system)).await
    }

    async fn integration_system(&self, id: IntegrationSystemId) -> Result<Option<IntegrationSystem>, Error> {
        self.run("integration_system", || integration_systems::find(self, id)).await
    }

    async fn integration_systems(&self, page: PageOf<IntegrationSystemId>) -> Result<Page<IntegrationSystem>, Error> {
        self.run("integration_systems", || integration_systems::list(self, page)).await
    }

    async fn update_integration_system(&self, system: &IntegrationSystem) -> Result<(), Error> {
        self.run("update_integration_system", || integration_systems::update(self, system)).await
    }

    async fn delete_integration_system(&self, id: IntegrationSystemId) -> Result<IntegrationSystem, Error> {
        self.run("delete_integration_system", || integration_systems::delete(self, id)).await
    }

    async fn insert_application(&self, application: &Application, event: &Event) -> Result<(), Error> {
        self.run("insert_application", || applications::insert(self, application, event)).await
    }

    async fn application(&self, tenant: &TenantId, id: ApplicationId) -> Result<Option<Application>, Error> {
        self.run("application", || applications::find(self, tenant, id)).await
    }

    async fn applications(&self, tenant: &TenantId, page: PageOf<ApplicationId>) -> Result<Page<Application>, Error> {
        self.run("applications", || applications::list(self, tenant, page)).await
    }

    async fn update_application(&self, application: &Application, event: &Event) -> Result<(), Error> {
        self.run("update_application", || applications::update(self, application, event)).await
    }

    async fn delete_application(&self, tenant: &TenantId, id: ApplicationId, event: &Event) -> Result<(), Error> {
        self.run("delete_application", || applications::delete(self, tenant, id, event)).await
    }

    async fn insert_runtime(&self, runtime: &Runtime, event: &Event) -> Result<(), Error> {
        self.run("insert_runtime", || runtimes::insert(self, runtime, event)).await
    }

    async fn runtime(&self, tenant: &TenantId, id: RuntimeId) -> Result<Option<Runtime>, Error> {
        self.run("runtime", || runtimes::find(self, tenant, id)).await
    }

    async fn runtimes(&self, tenant: &TenantId, page: PageOf<RuntimeId>) -> Result<Page<Runtime>, Error> {
        self.run("runtimes", || runtimes::list(self, tenant, page)).await
    }

    async fn update_runtime(&self, runtime: &Runtime, event: &Event) -> Result<(), Error> {
        self.run("update_runtime", || runtimes::update(self, runtime, event)).await
    }

    async fn delete_runtime(&self, tenant: &TenantId, id: RuntimeId, event: &Event) -> Result<(), Error> {
        self.run("delete_runtime", || runtimes::delete(self, tenant, id, event)).await
    }
}

#[async_trait]
impl Clients for Database {
    async fn insert_client(&self, client: &Client) -> Result<(), Error> {
        self.run("insert_client", || clients::insert(self, client)).await
    }

    async fn client(&self, id: ClientId) -> Result<Option<Client>, Error> {
        self.run("client", || clients::find(self, id)).await
    }

    async fn belonging_client(&self, id: ClientId, belongs: &OwnerKind) -> Result<Option<Client>, Error> {
        self.run("belonging_client", || clients::find_belonging(self, id, belongs)).await
    }

    async fn clients_of(&self, owner: &ClientOwner) -> Result<Vec<Client>, Error> {
        self.run("clients_of", || clients::list(self, owner)).await
    }

    async fn delete_client(&self, id: ClientId, belongs: &OwnerKind) -> Result<Client, Error> {
        self.run("delete_client", || clients::delete(self, id, belongs)).await
    }

    async fn add_client_secret(
        &self,
        id: ClientId,
        belongs: &OwnerKind,
        secret: &ClientSecret,
    ) -> Result<Client, Error> {
        self.run("add_client_secret", || client_secrets::add(self, id, belongs, secret)).await
    }

    async fn remove_client_secret(
        &self,
        id: ClientId,
        belongs: &OwnerKind,
        secret: ClientSecretId,
    ) -> Result<Client, Error> {
        self.run("remove_client_secret", || client_secrets::remove(self, id, belongs, secret)).await
    }

    async fn service_clients(&self) -> Result<Vec<Client>, Error> {
        self.run("service_clients", || clients::list_services(self)).await
    }

    async fn has_administrator(&self) -> Result<bool, Error> {
        self.run("has_administrator", || signing_keys::has_administrator(self)).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, Error> {
        self.run("signing_keys", || signing_keys::list(self)).await
    }

    async fn insert_signing_key(&self, key: &SigningKeyRow, newest: Option<&str>) -> Result<bool, Error> {
        self.run("insert_signing_key", || signing_keys::insert(self, key, newest)).await
    }

    async fn delete_signing_key(&self, id: &str) -> Result<(), Error> {
        self.run("delete_signing_key", || signing_keys::delete(self, id)).await
    }

    async fn revoke_token(
        &self,
        token: TokenId,
        client: ClientId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.run("revoke_token", || revoked_tokens::insert(self, token, client, expires_at, now)).await
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        self.run("is_live", || revoked_tokens::is_live(self, client, token)).await
    }
}
