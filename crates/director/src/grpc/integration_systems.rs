use tidegate_model::{ClientOwner, Error};
use tidegate_wire::api::v1::{self, IntegrationSystemService};

use super::Face;
use super::convert::{asked, page, required};
use crate::access::Access;
use crate::service::{IntegrationSystemInput, Owner};

fn message(system: tidegate_model::IntegrationSystem) -> v1::IntegrationSystem {
    let auths = Vec::new();
    v1::IntegrationSystem { id: system.id.to_string(), name: system.name, description: system.description, auths }
}

fn input(input: Option<v1::IntegrationSystemInput>) -> Result<IntegrationSystemInput, Error> {
    let v1::IntegrationSystemInput { name, description } = required("in", input)?;
    Ok(IntegrationSystemInput { name, description })
}

impl Face {
    async fn with_integration_system_auths(
        &self,
        access: &Access,
        asked: bool,
        integration_system: tidegate_model::IntegrationSystem,
    ) -> Result<v1::IntegrationSystem, Error> {
        let owner = ClientOwner::IntegrationSystem(integration_system.id);
        let auths = self.credentials(access, asked, owner).await?;
        Ok(v1::IntegrationSystem { auths, ..message(integration_system) })
    }
}

impl IntegrationSystemService for Face {
    async fn get_integration_system(
        &self,
        access: &Access,
        request: v1::GetIntegrationSystemRequest,
    ) -> Result<v1::GetIntegrationSystemResponse, Error> {
        let found = self.services.integration_system(access, &request.id).await?;
        let integration_system = match found {
            Some(integration_system) => {
                Some(self.with_integration_system_auths(access, request.with_auths, integration_system).await?)
            }
            None => None,
        };
        Ok(v1::GetIntegrationSystemResponse { integration_system })
    }

    async fn list_integration_systems(
        &self,
        access: &Access,
        request: v1::ListIntegrationSystemsRequest,
    ) -> Result<v1::ListIntegrationSystemsResponse, Error> {
        let listed = self.services.integration_systems(access, asked(request.first, request.after)).await?;
        let (found, page_info, total_count) = page(listed, std::convert::identity);
        let mut data = Vec::with_capacity(found.len());
        for integration_system in found {
            data.push(self.with_integration_system_auths(access, request.with_auths, integration_system).await?);
        }
        Ok(v1::ListIntegrationSystemsResponse { data, page_info, total_count })
    }

    async fn register_integration_system(
        &self,
        access: &Access,
        request: v1::RegisterIntegrationSystemRequest,
    ) -> Result<v1::RegisterIntegrationSystemResponse, Error> {
        let input = input(request.input)?;
        let integration_system = self.services.register_integration_system(access, input).await?;
        Ok(v1::RegisterIntegrationSystemResponse { integration_system: Some(message(integration_system)) })
    }

    async fn update_integration_system(
        &self,
        access: &Access,
        request: v1::UpdateIntegrationSystemRequest,
    ) -> Result<v1::UpdateIntegrationSystemResponse, Error> {
        let input = input(request.input)?;
        let integration_system = self.services.update_integration_system(access, &request.id, input).await?;
        Ok(v1::UpdateIntegrationSystemResponse { integration_system: Some(message(integration_system)) })
    }

    async fn unregister_integration_system(
        &self,
        access: &Access,
        request: v1::UnregisterIntegrationSystemRequest,
    ) -> Result<v1::UnregisterIntegrationSystemResponse, Error> {
        let integration_system = self.services.unregister_integration_system(access, &request.id).await?;
        Ok(v1::UnregisterIntegrationSystemResponse { integration_system: Some(message(integration_system)) })
    }

    async fn request_client_credentials_for_integration_system(
        &self,
        access: &Access,
        request: v1::RequestClientCredentialsForIntegrationSystemRequest,
    ) -> Result<v1::RequestClientCredentialsForIntegrationSystemResponse, Error> {
        let auth = self.credentials_made(access, Owner::IntegrationSystem(&request.id)).await?;
        Ok(v1::RequestClientCredentialsForIntegrationSystemResponse { system_auth: Some(auth) })
    }

    async fn add_client_secret_for_integration_system(
        &self,
        access: &Access,
        request: v1::AddClientSecretForIntegrationSystemRequest,
    ) -> Result<v1::AddClientSecretForIntegrationSystemResponse, Error> {
        let auth = self.secret_added(access, Owner::IntegrationSystem(&request.id)).await?;
        Ok(v1::AddClientSecretForIntegrationSystemResponse { system_auth: Some(auth) })
    }

    async fn remove_client_secret_for_integration_system(
        &self,
        access: &Access,
        request: v1::RemoveClientSecretForIntegrationSystemRequest,
    ) -> Result<v1::RemoveClientSecretForIntegrationSystemResponse, Error> {
        let auth = self.secret_removed(access, Owner::IntegrationSystem(&request.id), &request.secret_id).await?;
        Ok(v1::RemoveClientSecretForIntegrationSystemResponse { system_auth: Some(auth) })
    }

    async fn delete_system_auth_for_integration_system(
        &self,
        access: &Access,
        request: v1::DeleteSystemAuthForIntegrationSystemRequest,
    ) -> Result<v1::DeleteSystemAuthForIntegrationSystemResponse, Error> {
        let auth = self.credentials_deleted(access, Owner::IntegrationSystem(&request.id)).await?;
        Ok(v1::DeleteSystemAuthForIntegrationSystemResponse { system_auth: Some(auth) })
    }
}
