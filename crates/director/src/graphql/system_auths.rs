use async_graphql::{ID, Object, SimpleObject, Union};
use tidegate_model::{ClientOwner, Error};

use super::enums::SystemAuthReferenceType;
use super::scalars::DateTime;
use crate::service::{self, Services};

/// A credential of an Integration System, Application or Runtime.
pub(super) struct SystemAuth {
    auth: service::SystemAuth,
    kind: SystemAuthReferenceType,
    reference: ID,
    url: String,
}

impl SystemAuth {
    pub(super) fn of(services: &Services, auth: service::SystemAuth) -> Result<Self, Error> {
        let (kind, reference) = match &auth.client.owner {
            ClientOwner::IntegrationSystem(id) => (SystemAuthReferenceType::IntegrationSystem, id.into()),
            ClientOwner::Application(_, id) => (SystemAuthReferenceType::Application, id.into()),
            ClientOwner::Runtime(_, id) => (SystemAuthReferenceType::Runtime, id.into()),
            // Nobody is handed out a client of the operator's own, or of Tidegate's services.
            ClientOwner::Administrator | ClientOwner::Service(_) => {
                return Err(Error::not_found("SystemAuth", auth.client.id));
            }
        };
        Ok(Self { auth, kind, reference, url: services.token_url.clone() })
    }

    pub(super) fn all(services: &Services, auths: Vec<service::SystemAuth>) -> Result<Vec<Self>, Error> {
        auths.into_iter().map(|auth| Self::of(services, auth)).collect()
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
            client_secrets: self.auth.client.secrets.iter().map(ClientSecret::of).collect(),
            url: self.url.clone(),
        };
        Some(Auth { credential: CredentialData::OAuth(data) })
    }

    async fn r#type(&self) -> SystemAuthReferenceType {
        self.kind
    }

    /// Whose credential it is.
    async fn reference_object_id(&self) -> ID {
        self.reference.clone()
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
    /// Those that open, the older one first: one, or two while one is being replaced.
    client_secrets: Vec<ClientSecret>,
    /// The token endpoint.
    url: String,
}

/// A live secret of a client, without the secret itself.
#[derive(SimpleObject)]
struct ClientSecret {
    id: ID,
    created_at: DateTime,
}

impl ClientSecret {
    fn of(secret: &tidegate_model::ClientSecret) -> Self {
        Self { id: secret.id.into(), created_at: secret.created_at.into() }
    }
}
