use tidegate_model::Error;
use tidegate_wire::api::v1::{self, TenantService};

use super::Face;
use super::convert::{asked, instant, page, required};
use crate::access::Access;
use crate::service::TenantInput;

fn message(tenant: tidegate_model::Tenant) -> v1::Tenant {
    v1::Tenant { id: tenant.id.to_string(), name: tenant.name, created_at: Some(instant(tenant.created_at)) }
}

impl TenantService for Face {
    async fn get_tenant(&self, access: &Access, request: v1::GetTenantRequest) -> Result<v1::GetTenantResponse, Error> {
        let tenant = self.services.tenant(access, &request.id).await?;
        Ok(v1::GetTenantResponse { tenant: tenant.map(message) })
    }

    async fn list_tenants(
        &self,
        access: &Access,
        request: v1::ListTenantsRequest,
    ) -> Result<v1::ListTenantsResponse, Error> {
        let listed = self.services.tenants(access, asked(request.first, request.after)).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListTenantsResponse { data, page_info, total_count })
    }

    async fn create_tenant(
        &self,
        access: &Access,
        request: v1::CreateTenantRequest,
    ) -> Result<v1::CreateTenantResponse, Error> {
        let v1::TenantInput { id, name } = required("in", request.input)?;
        let tenant = self.services.create_tenant(access, TenantInput { id, name }).await?;
        Ok(v1::CreateTenantResponse { tenant: Some(message(tenant)) })
    }

    async fn delete_tenant(
        &self,
        access: &Access,
        request: v1::DeleteTenantRequest,
    ) -> Result<v1::DeleteTenantResponse, Error> {
        let tenant = self.services.delete_tenant(access, &request.id).await?;
        Ok(v1::DeleteTenantResponse { tenant: Some(message(tenant)) })
    }
}
