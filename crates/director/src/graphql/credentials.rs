use async_graphql::{Context, ID, InputObject, Object, Result};
use tidegate_model::Secret;

use super::enums::{AuthStyle, CredentialKind};
use super::of;
use super::page::{Page, asked};
use super::scalars::{DateTime, PageCursor};
use crate::service::{self, ToldCredential};

/// A third party's secret, used by its name. The secret itself is in no answer.
pub(super) struct Credential(pub(super) ToldCredential);

#[Object]
impl Credential {
    async fn id(&self) -> ID {
        self.0.credential.id.into()
    }

    /// Scripts and settings name it so.
    async fn name(&self) -> &str {
        &self.0.credential.name
    }

    async fn kind(&self) -> CredentialKind {
        self.0.credential.kind.into()
    }

    async fn description(&self) -> Option<&str> {
        self.0.credential.description.as_deref()
    }

    /// Where the secret may be sent: a host, or *. before a domain. Empty of one that signs.
    async fn allowed_hosts(&self) -> Vec<String> {
        self.0.credential.allowed_hosts.iter().map(ToString::to_string).collect()
    }

    /// BASIC.
    async fn username(&self) -> Option<&str> {
        self.0.username.as_deref()
    }

    /// HEADER.
    async fn header_name(&self) -> Option<&str> {
        self.0.header_name.as_deref()
    }

    /// OAUTH2.
    async fn token_url(&self) -> Option<&str> {
        self.0.token_url.as_deref()
    }

    /// OAUTH2.
    async fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// OAUTH2.
    async fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// OAUTH2.
    async fn auth_style(&self) -> Option<AuthStyle> {
        self.0.auth_style.map(Into::into)
    }

    /// SIGNING: the live secrets, the newest first.
    async fn signing_secrets(&self) -> Vec<SigningSecret> {
        self.0
            .signing_secrets
            .iter()
            .map(|(id, created_at)| SigningSecret { id: *id, created_at: *created_at })
            .collect()
    }

    async fn created_at(&self) -> DateTime {
        self.0.credential.created_at.into()
    }

    async fn updated_at(&self) -> DateTime {
        self.0.credential.updated_at.into()
    }
}

/// One of the secrets that are live while they are rotated.
pub(super) struct SigningSecret {
    id: tidegate_model::SigningSecretId,
    created_at: tidegate_model::Timestamp,
}

#[Object]
impl SigningSecret {
    async fn id(&self) -> ID {
        self.id.into()
    }

    async fn created_at(&self) -> DateTime {
        self.created_at.into()
    }
}

#[derive(InputObject)]
pub(super) struct CredentialInput {
    /// Unique in the tenant; never changes.
    name: String,
    /// Never changes.
    kind: CredentialKind,
    description: Option<String>,
    /// Where the secret may be sent: a host, or *. before a domain. At least one, but none of one that signs.
    allowed_hosts: Option<Vec<String>>,
    /// BASIC.
    username: Option<String>,
    /// HEADER.
    header_name: Option<String>,
    /// OAUTH2.
    token_url: Option<String>,
    /// OAUTH2.
    client_id: Option<String>,
    /// OAUTH2.
    scope: Option<String>,
    /// OAUTH2; BASIC when left out.
    auth_style: Option<AuthStyle>,
    /// The password, token, header value, client secret, or first signing secret.
    secret: String,
}

#[derive(InputObject)]
pub(super) struct CredentialUpdateInput {
    description: Option<String>,
    /// Where the secret may be sent: a host, or *. before a domain. At least one, but none of one that signs.
    allowed_hosts: Option<Vec<String>>,
    /// BASIC.
    username: Option<String>,
    /// HEADER.
    header_name: Option<String>,
    /// OAUTH2.
    token_url: Option<String>,
    /// OAUTH2.
    client_id: Option<String>,
    /// OAUTH2.
    scope: Option<String>,
    /// OAUTH2; BASIC when left out.
    auth_style: Option<AuthStyle>,
    /// Left out, it stays; needed when the update would send it where it was not sent before. Not of one that signs.
    secret: Option<String>,
}

#[derive(Default)]
pub(super) struct CredentialQuery;

#[Object]
impl CredentialQuery {
    async fn credentials(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Credential>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.credentials(access, asked(first, after)).await?, Credential))
    }

    async fn credential(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Credential>> {
        let (services, access) = of(ctx)?;
        Ok(services.credential(access, &id).await?.map(Credential))
    }
}

#[derive(Default)]
pub(super) struct CredentialMutation;

#[Object]
impl CredentialMutation {
    async fn create_credential(&self, ctx: &Context<'_>, r#in: CredentialInput) -> Result<Credential> {
        let (services, access) = of(ctx)?;
        let definition = service::CredentialUpdateInput {
            description: r#in.description,
            allowed_hosts: r#in.allowed_hosts.unwrap_or_default(),
            username: r#in.username,
            header_name: r#in.header_name,
            token_url: r#in.token_url,
            client_id: r#in.client_id,
            scope: r#in.scope,
            auth_style: r#in.auth_style.map(Into::into),
            secret: Some(Secret::new(r#in.secret)),
        };
        let input = service::CredentialInput { name: r#in.name, kind: r#in.kind.into(), definition };
        Ok(Credential(services.create_credential(access, input).await?))
    }

    /// Replaces everything but name, kind and, where none is given, the secret.
    async fn update_credential(&self, ctx: &Context<'_>, id: ID, r#in: CredentialUpdateInput) -> Result<Credential> {
        let (services, access) = of(ctx)?;
        let input = service::CredentialUpdateInput {
            description: r#in.description,
            allowed_hosts: r#in.allowed_hosts.unwrap_or_default(),
            username: r#in.username,
            header_name: r#in.header_name,
            token_url: r#in.token_url,
            client_id: r#in.client_id,
            scope: r#in.scope,
            auth_style: r#in.auth_style.map(Into::into),
            secret: r#in.secret.map(Secret::new),
        };
        Ok(Credential(services.update_credential(access, &id, input).await?))
    }

    /// Refused while an Integration's settings name it.
    async fn delete_credential(&self, ctx: &Context<'_>, id: ID) -> Result<Credential> {
        let (services, access) = of(ctx)?;
        Ok(Credential(services.delete_credential(access, &id).await?))
    }

    /// Adds a secret to one that signs: from now on it signs beside the others, and what it signed is accepted. At most five are live.
    async fn add_signing_secret(&self, ctx: &Context<'_>, id: ID, secret: String) -> Result<Credential> {
        let (services, access) = of(ctx)?;
        Ok(Credential(services.add_signing_secret(access, &id, Secret::new(secret)).await?))
    }

    /// Ends one of several live secrets.
    async fn remove_signing_secret(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "secretID")] secret_id: ID,
    ) -> Result<Credential> {
        let (services, access) = of(ctx)?;
        Ok(Credential(services.remove_signing_secret(access, &id, &secret_id).await?))
    }
}
