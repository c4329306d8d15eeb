use tidegate_model::{ClientOwner, Error, SystemDetails};
use tidegate_wire::api::v1::{self, RuntimeService};

use super::Face;
use super::convert::{asked, instant, optional_json, page, required, text_of};
use crate::access::Access;
use crate::service::{Owner, RuntimeInput};

fn message(runtime: tidegate_model::Runtime) -> v1::Runtime {
    let SystemDetails { name, description, labels, integration_system, created_at, updated_at } = runtime.details;
    v1::Runtime {
        id: runtime.id.to_string(),
        name,
        description,
        labels: text_of(&labels),
        integration_system_id: integration_system.map(|id| id.to_string()),
        created_at: Some(instant(created_at)),
        updated_at: Some(instant(updated_at)),
        auths: Vec::new(),
    }
}

fn input(input: Option<v1::RuntimeInput>) -> Result<RuntimeInput, Error> {
    let input = required("in", input)?;
    Ok(RuntimeInput {
        name: input.name,
        description: input.description,
        labels: optional_json("in.labels", input.labels)?,
        integration_system_id: input.integration_system_id,
    })
}

impl Face {
    async fn with_runtime_auths(
        &self,
        access: &Access,
        asked: bool,
        runtime: tidegate_model::Runtime,
    ) -> Result<v1::Runtime, Error> {
        let owner = ClientOwner::Runtime(runtime.tenant.clone(), runtime.id);
        let auths = self.credentials(access, asked, owner).await?;
        Ok(v1::Runtime { auths, ..message(runtime) })
    }
}

impl RuntimeService for Face {
    async fn get_runtime(
        &self,
        access: &Access,
        request: v1::GetRuntimeRequest,
    ) -> Result<v1::GetRuntimeResponse, Error> {
        let found = self.services.runtime(access, &request.id).await?;
        let runtime = match found {
            Some(runtime) => Some(self.with_runtime_auths(access, request.with_auths, runtime).await?),
            None => None,
        };
        Ok(v1::GetRuntimeResponse { runtime })
    }

    async fn list_runtimes(
        &self,
        access: &Access,
        request: v1::ListRuntimesRequest,
    ) -> Result<v1::ListRuntimesResponse, Error> {
        let listed = self.services.runtimes(access, asked(request.first, request.after)).await?;
        let (found, page_info, total_count) = page(listed, std::convert::identity);
        let mut data = Vec::with_capacity(found.len());
        for runtime in found {
            data.push(self.with_runtime_auths(access, request.with_auths, runtime).await?);
        }
        Ok(v1::ListRuntimesResponse { data, page_info, total_count })
    }

    async fn register_runtime(
        &self,
        access: &Access,
        request: v1::RegisterRuntimeRequest,
    ) -> Result<v1::RegisterRuntimeResponse, Error> {
        let input = input(request.input)?;
        let runtime = self.services.register_runtime(access, input).await?;
        Ok(v1::RegisterRuntimeResponse { runtime: Some(message(runtime)) })
    }

    async fn update_runtime(
        &self,
        access: &Access,
        request: v1::UpdateRuntimeRequest,
    ) -> Result<v1::UpdateRuntimeResponse, Error> {
        let input = input(request.input)?;
        let runtime = self.services.update_runtime(access, &request.id, input).await?;
        Ok(v1::UpdateRuntimeResponse { runtime: Some(message(runtime)) })
    }

    async fn unregister_runtime(
        &self,
        access: &Access,
        request: v1::UnregisterRuntimeRequest,
    ) -> Result<v1::UnregisterRuntimeResponse, Error> {
        let runtime = self.services.unregister_runtime(access, &request.id).await?;
        Ok(v1::UnregisterRuntimeResponse { runtime: Some(message(runtime)) })
    }

    async fn request_client_credentials_for_runtime(
        &self,
        access: &Access,
        request: v1::RequestClientCredentialsForRuntimeRequest,
    ) -> Result<v1::RequestClientCredentialsForRuntimeResponse, Error> {
        let auth = self.credentials_made(access, Owner::Runtime(&request.id)).await?;
        Ok(v1::RequestClientCredentialsForRuntimeResponse { system_auth: Some(auth) })
    }

    async fn add_client_secret_for_runtime(
        &self,
        access: &Access,
        request: v1::AddClientSecretForRuntimeRequest,
    ) -> Result<v1::AddClientSecretForRuntimeResponse, Error> {
        let auth = self.secret_added(access, Owner::Runtime(&request.id)).await?;
        Ok(v1::AddClientSecretForRuntimeResponse { system_auth: Some(auth) })
    }

    async fn remove_client_secret_for_runtime(
        &self,
        access: &Access,
        request: v1::RemoveClientSecretForRuntimeRequest,
    ) -> Result<v1::RemoveClientSecretForRuntimeResponse, Error> {
        let auth = self.secret_removed(access, Owner::Runtime(&request.id), &request.secret_id).await?;
        Ok(v1::RemoveClientSecretForRuntimeResponse { system_auth: Some(auth) })
    }

    async fn delete_system_auth_for_runtime(
        &self,
        access: &Access,
        request: v1::DeleteSystemAuthForRuntimeRequest,
    ) -> Result<v1::DeleteSystemAuthForRuntimeResponse, Error> {
        let auth = self.credentials_deleted(access, Owner::Runtime(&request.id)).await?;
        Ok(v1::DeleteSystemAuthForRuntimeResponse { system_auth: Some(auth) })
    }
}
