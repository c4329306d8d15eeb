use tidegate_model::{ClientOwner, Error, SystemDetails};
use tidegate_wire::api::v1::{self, ApplicationService};

use super::Face;
use super::convert::{asked, instant, optional_json, page, required, text_of};
use crate::access::Access;
use crate::service::{ApplicationInput, Owner};

fn message(application: tidegate_model::Application) -> v1::Application {
    let SystemDetails { name, description, labels, integration_system, created_at, updated_at } = application.details;
    v1::Application {
        id: application.id.to_string(),
        name,
        description,
        provider_name: application.provider_name,
        base_url: application.base_url,
        labels: text_of(&labels),
        integration_system_id: integration_system.map(|id| id.to_string()),
        created_at: Some(instant(created_at)),
        updated_at: Some(instant(updated_at)),
        auths: Vec::new(),
    }
}

fn input(input: Option<v1::ApplicationInput>) -> Result<ApplicationInput, Error> {
    let input = required("in", input)?;
    Ok(ApplicationInput {
        name: input.name,
        description: input.description,
        provider_name: input.provider_name,
        base_url: input.base_url,
        labels: optional_json("in.labels", input.labels)?,
        integration_system_id: input.integration_system_id,
    })
}

impl Face {
    async fn with_application_auths(
        &self,
        access: &Access,
        asked: bool,
        application: tidegate_model::Application,
    ) -> Result<v1::Application, Error> {
        let owner = ClientOwner::Application(application.tenant.clone(), application.id);
        let auths = self.credentials(access, asked, owner).await?;
        Ok(v1::Application { auths, ..message(application) })
    }
}

impl ApplicationService for Face {
    async fn get_application(
        &self,
        access: &Access,
        request: v1::GetApplicationRequest,
    ) -> Result<v1::GetApplicationResponse, Error> {
        let found = self.services.application(access, &request.id).await?;
        let application = match found {
            Some(application) => Some(self.with_application_auths(access, request.with_auths, application).await?),
            None => None,
        };
        Ok(v1::GetApplicationResponse { application })
    }

    async fn list_applications(
        &self,
        access: &Access,
        request: v1::ListApplicationsRequest,
    ) -> Result<v1::ListApplicationsResponse, Error> {
        let listed = self.services.applications(access, asked(request.first, request.after)).await?;
        let (found, page_info, total_count) = page(listed, std::convert::identity);
        let mut data = Vec::with_capacity(found.len());
        for application in found {
            data.push(self.with_application_auths(access, request.with_auths, application).await?);
        }
        Ok(v1::ListApplicationsResponse { data, page_info, total_count })
    }

    async fn register_application(
        &self,
        access: &Access,
        request: v1::RegisterApplicationRequest,
    ) -> Result<v1::RegisterApplicationResponse, Error> {
        let input = input(request.input)?;
        let application = self.services.register_application(access, input).await?;
        Ok(v1::RegisterApplicationResponse { application: Some(message(application)) })
    }

    async fn update_application(
        &self,
        access: &Access,
        request: v1::UpdateApplicationRequest,
    ) -> Result<v1::UpdateApplicationResponse, Error> {
        let input = input(request.input)?;
        let application = self.services.update_application(access, &request.id, input).await?;
        Ok(v1::UpdateApplicationResponse { application: Some(message(application)) })
    }

    async fn unregister_application(
        &self,
        access: &Access,
        request: v1::UnregisterApplicationRequest,
    ) -> Result<v1::UnregisterApplicationResponse, Error> {
        let application = self.services.unregister_application(access, &request.id).await?;
        Ok(v1::UnregisterApplicationResponse { application: Some(message(application)) })
    }

    async fn request_client_credentials_for_application(
        &self,
        access: &Access,
        request: v1::RequestClientCredentialsForApplicationRequest,
    ) -> Result<v1::RequestClientCredentialsForApplicationResponse, Error> {
        let auth = self.credentials_made(access, Owner::Application(&request.id)).await?;
        Ok(v1::RequestClientCredentialsForApplicationResponse { system_auth: Some(auth) })
    }

    async fn add_client_secret_for_application(
        &self,
        access: &Access,
        request: v1::AddClientSecretForApplicationRequest,
    ) -> Result<v1::AddClientSecretForApplicationResponse, Error> {
        let auth = self.secret_added(access, Owner::Application(&request.id)).await?;
        Ok(v1::AddClientSecretForApplicationResponse { system_auth: Some(auth) })
    }

    async fn remove_client_secret_for_application(
        &self,
        access: &Access,
        request: v1::RemoveClientSecretForApplicationRequest,
    ) -> Result<v1::RemoveClientSecretForApplicationResponse, Error> {
        let auth = self.secret_removed(access, Owner::Application(&request.id), &request.secret_id).await?;
        Ok(v1::RemoveClientSecretForApplicationResponse { system_auth: Some(auth) })
    }

    async fn delete_system_auth_for_application(
        &self,
        access: &Access,
        request: v1::DeleteSystemAuthForApplicationRequest,
    ) -> Result<v1::DeleteSystemAuthForApplicationResponse, Error> {
        let auth = self.credentials_deleted(access, Owner::Application(&request.id)).await?;
        Ok(v1::DeleteSystemAuthForApplicationResponse { system_auth: Some(auth) })
    }
}
