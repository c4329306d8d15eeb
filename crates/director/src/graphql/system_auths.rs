use async_graphql::{ID, Object, Result, SimpleObject, Union};
use tidegate_model::{ClientOwner, Error};

use super::enums::SystemAuthReferenceType;
use crate::service::{self, Services};

/// A credential of an Integration System, Application or Runtime.
pub(super) struct SystemAuth {
    auth: service::SystemAuth,
    url: String,
}

impl SystemAuth {
    pub(super) fn of(services: &Services, auth: service::SystemAuth) -> Self {
        Self { auth, url: services.token_url.clone() }
    }

    fn reference(&self) -> Result<(SystemAuthReferenceType, ID), Error> {
        match &self.auth.client.owner {
            ClientOwner::IntegrationSystem(id) => Ok((SystemAuthReferenceType::IntegrationSystem, id.into())),
            ClientOwner::Application(_, id) => Ok((SystemAuthReferenceType::Application, id.into())),
            ClientOwner::Runtime(_, id) => Ok((SystemAuthReferenceType::Runtime, id.into())),
            // No service hands out an operator's own client.
            ClientOwner::Administrator => Err(Error::Internal { id: "system-auth:administrator".to_owned() }),
        }
    }
}

#[Object]
impl SystemAuth {
    /// The client id.
    async fn id(&self) -> ID {
        self.auth.client.id.into()
    }

    async fn auth(&self) -> Option<Auth> {
        let data = OAuthCredentialData {
            client_id: self.auth.client.id.into(),
            client_secret: self.auth.secret.as_ref().map(|s| s.reveal().to_owned()),
            url: self.url.clone(),
        };
        Some(Auth { credential: CredentialData::OAuth(data) })
    }

    async fn r#type(&self) -> Result<SystemAuthReferenceType> {
        Ok(self.reference()?.0)
    }

    /// Whose credential it is.
    async fn reference_object_id(&self) -> Result<ID> {
        Ok(self.reference()?.1)
    }
}

#[derive(SimpleObject)]
struct Auth {
    credential: CredentialData,
}

#[derive(Union)]
enum CredentialData {
    OAuth(OAuthCredentialData),
}

/// An OAuth 2.0 client for the grant `client_credentials`.
#[derive(SimpleObject)]
#[graphql(name = "OAuthCredentialData")]
struct OAuthCredentialData {
    client_id: ID,
    /// Only in the answer that makes it, never again.
    client_secret: Option<String>,
    /// The token endpoint.
    url: String,
}
