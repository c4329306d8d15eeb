use tidegate_model::{AuthStyle, CredentialKind, Error, Secret};
use tidegate_wire::api::v1::{self, CredentialService};

use super::Face;
use super::convert::{asked, instant, page, required};
use crate::access::Access;
use crate::service::{CredentialInput, CredentialUpdateInput, ToldCredential};

fn message(told: ToldCredential) -> v1::Credential {
    let kind = match told.credential.kind {
        CredentialKind::Basic => v1::CredentialKind::Basic,
        CredentialKind::Bearer => v1::CredentialKind::Bearer,
        CredentialKind::Header => v1::CredentialKind::Header,
        CredentialKind::OAuth2 => v1::CredentialKind::Oauth2,
        CredentialKind::Signing => v1::CredentialKind::Signing,
    };
    let auth_style = told.auth_style.map(|style| match style {
        AuthStyle::Basic => v1::AuthStyle::Basic,
        AuthStyle::Post => v1::AuthStyle::Post,
    });
    let live = told.signing_secrets.into_iter();
    v1::Credential {
        id: told.credential.id.to_string(),
        name: told.credential.name,
        kind: kind.into(),
        description: told.credential.description,
        allowed_hosts: told.credential.allowed_hosts.iter().map(ToString::to_string).collect(),
        username: told.username,
        header_name: told.header_name,
        token_url: told.token_url,
        client_id: told.client_id,
        scope: told.scope,
        auth_style: auth_style.map(Into::into),
        signing_secrets: live
            .map(|(id, created_at)| v1::SigningSecret { id: id.to_string(), created_at: Some(instant(created_at)) })
            .collect(),
        created_at: Some(instant(told.credential.created_at)),
        updated_at: Some(instant(told.credential.updated_at)),
    }
}

fn kind_of(kind: i32) -> Result<CredentialKind, Error> {
    match v1::CredentialKind::try_from(kind) {
        Ok(v1::CredentialKind::Basic) => Ok(CredentialKind::Basic),
        Ok(v1::CredentialKind::Bearer) => Ok(CredentialKind::Bearer),
        Ok(v1::CredentialKind::Header) => Ok(CredentialKind::Header),
        Ok(v1::CredentialKind::Oauth2) => Ok(CredentialKind::OAuth2),
        Ok(v1::CredentialKind::Signing) => Ok(CredentialKind::Signing),
        Ok(v1::CredentialKind::Unspecified) | Err(_) => {
            Err(Error::invalid("in.kind", "BASIC, BEARER, HEADER, OAUTH2 or SIGNING"))
        }
    }
}

fn auth_style_of(style: Option<i32>) -> Result<Option<AuthStyle>, Error> {
    let Some(style) = style else { return Ok(None) };
    match v1::AuthStyle::try_from(style) {
        Ok(v1::AuthStyle::Basic) => Ok(Some(AuthStyle::Basic)),
        Ok(v1::AuthStyle::Post) => Ok(Some(AuthStyle::Post)),
        Ok(v1::AuthStyle::Unspecified) => Ok(None),
        Err(_) => Err(Error::invalid("in.authStyle", "BASIC or POST")),
    }
}

impl CredentialService for Face {
    async fn get_credential(
        &self,
        access: &Access,
        request: v1::GetCredentialRequest,
    ) -> Result<v1::GetCredentialResponse, Error> {
        let credential = self.services.credential(access, &request.id).await?;
        Ok(v1::GetCredentialResponse { credential: credential.map(message) })
    }

    async fn list_credentials(
        &self,
        access: &Access,
        request: v1::ListCredentialsRequest,
    ) -> Result<v1::ListCredentialsResponse, Error> {
        let listed = self.services.credentials(access, asked(request.first, request.after)).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListCredentialsResponse { data, page_info, total_count })
    }

    async fn create_credential(
        &self,
        access: &Access,
        request: v1::CreateCredentialRequest,
    ) -> Result<v1::CreateCredentialResponse, Error> {
        let input = required("in", request.input)?;
        let definition = CredentialUpdateInput {
            description: input.description,
            allowed_hosts: input.allowed_hosts,
            username: input.username,
            header_name: input.header_name,
            token_url: input.token_url,
            client_id: input.client_id,
            scope: input.scope,
            auth_style: auth_style_of(input.auth_style)?,
            secret: Some(Secret::new(input.secret)),
        };
        let input = CredentialInput { name: input.name, kind: kind_of(input.kind)?, definition };
        let credential = self.services.create_credential(access, input).await?;
        Ok(v1::CreateCredentialResponse { credential: Some(message(credential)) })
    }

    async fn update_credential(
        &self,
        access: &Access,
        request: v1::UpdateCredentialRequest,
    ) -> Result<v1::UpdateCredentialResponse, Error> {
        let input = required("in", request.input)?;
        let input = CredentialUpdateInput {
            description: input.description,
            allowed_hosts: input.allowed_hosts,
            username: input.username,
            header_name: input.header_name,
            token_url: input.token_url,
            client_id: input.client_id,
            scope: input.scope,
            auth_style: auth_style_of(input.auth_style)?,
            secret: input.secret.map(Secret::new),
        };
        let credential = self.services.update_credential(access, &request.id, input).await?;
        Ok(v1::UpdateCredentialResponse { credential: Some(message(credential)) })
    }

    async fn delete_credential(
        &self,
        access: &Access,
        request: v1::DeleteCredentialRequest,
    ) -> Result<v1::DeleteCredentialResponse, Error> {
        let credential = self.services.delete_credential(access, &request.id).await?;
        Ok(v1::DeleteCredentialResponse { credential: Some(message(credential)) })
    }

    async fn add_signing_secret(
        &self,
        access: &Access,
        request: v1::AddSigningSecretRequest,
    ) -> Result<v1::AddSigningSecretResponse, Error> {
        let secret = Secret::new(request.secret);
        let credential = self.services.add_signing_secret(access, &request.id, secret).await?;
        Ok(v1::AddSigningSecretResponse { credential: Some(message(credential)) })
    }

    async fn remove_signing_secret(
        &self,
        access: &Access,
        request: v1::RemoveSigningSecretRequest,
    ) -> Result<v1::RemoveSigningSecretResponse, Error> {
        let credential = self.services.remove_signing_secret(access, &request.id, &request.secret_id).await?;
        Ok(v1::RemoveSigningSecretResponse { credential: Some(message(credential)) })
    }
}
