//! Credentials, as messages hold them.

use tidegate_model::{ClientOwner, Error};
use tidegate_wire::api::v1;

use super::Face;
use super::convert::instant;
use crate::access::Access;
use crate::service::{Owner, SystemAuth};

impl Face {
    pub(super) async fn credentials_made(&self, access: &Access, owner: Owner<'_>) -> Result<v1::SystemAuth, Error> {
        self.credential(self.services.request_client_credentials(access, owner).await?)
    }

    pub(super) async fn credentials_deleted(&self, access: &Access, owner: Owner<'_>) -> Result<v1::SystemAuth, Error> {
        self.credential(self.services.delete_system_auth(access, owner).await?)
    }

    pub(super) async fn secret_added(&self, access: &Access, owner: Owner<'_>) -> Result<v1::SystemAuth, Error> {
        self.credential(self.services.add_client_secret(access, owner).await?)
    }

    pub(super) async fn secret_removed(
        &self,
        access: &Access,
        owner: Owner<'_>,
        secret: &str,
    ) -> Result<v1::SystemAuth, Error> {
        self.credential(self.services.remove_client_secret(access, owner, secret).await?)
    }

    /// The credentials of one owner, where they are asked for.
    pub(super) async fn credentials(
        &self,
        access: &Access,
        asked: bool,
        owner: ClientOwner,
    ) -> Result<Vec<v1::SystemAuth>, Error> {
        if !asked {
            return Ok(Vec::new());
        }
        let auths = self.services.system_auths(access, owner).await?;
        auths.into_iter().map(|auth| self.credential(auth)).collect()
    }

    fn credential(&self, auth: SystemAuth) -> Result<v1::SystemAuth, Error> {
        use v1::SystemAuthReferenceType as Kind;
        let SystemAuth { client, secret } = auth;
        let (kind, reference_object_id) = match &client.owner {
            ClientOwner::IntegrationSystem(id) => (Kind::IntegrationSystem, id.to_string()),
            ClientOwner::Application(_, id) => (Kind::Application, id.to_string()),
            ClientOwner::Runtime(_, id) => (Kind::Runtime, id.to_string()),
            // Nobody is handed out a client of the operator's own, or of Tidegate's services.
            ClientOwner::Administrator | ClientOwner::Service(_) => {
                return Err(Error::not_found("SystemAuth", client.id));
            }
        };
        let data = v1::OAuthCredentialData {
            client_id: client.id.to_string(),
            client_secret: secret.map(|secret| secret.reveal().to_owned()),
            url: self.services.token_url.clone(),
            client_secrets: client.secrets.iter().map(client_secret).collect(),
        };
        let credential = Some(v1::auth::Credential::OauthCredentialData(data));
        let auth = Some(v1::Auth { credential });
        Ok(v1::SystemAuth { id: client.id.to_string(), auth, r#type: kind.into(), reference_object_id })
    }
}

fn client_secret(secret: &tidegate_model::ClientSecret) -> v1::ClientSecret {
    v1::ClientSecret { id: secret.id.to_string(), created_at: Some(instant(secret.created_at)) }
}
