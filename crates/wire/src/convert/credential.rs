//! Credentials with their secrets. No refusal quotes what it refuses.

use tidegate_model::{AuthStyle, Credential, Material, OAuth2Client, OpenCredential, Secret, SigningSecret};

use super::{Malformed, each, id, instant, to_instant};
use crate::grpc::pb;
use crate::grpc::pb::open_credential::Material as PbMaterial;

impl From<&OpenCredential> for pb::OpenCredential {
    fn from(open: &OpenCredential) -> Self {
        let credential = &open.credential;
        Self {
            id: credential.id.to_string(),
            tenant: credential.tenant.to_string(),
            name: credential.name.clone(),
            description: credential.description.clone(),
            allowed_hosts: credential.allowed_hosts.iter().map(ToString::to_string).collect(),
            created_at: Some(to_instant(&credential.created_at)),
            updated_at: Some(to_instant(&credential.updated_at)),
            material: Some((&open.material).into()),
        }
    }
}

impl From<&Material> for PbMaterial {
    fn from(material: &Material) -> Self {
        let text = |secret: &Secret| secret.reveal().to_owned();
        match material {
            Material::Basic { username, password } => {
                Self::Basic(pb::BasicMaterial { username: username.clone(), password: text(password) })
            }
            Material::Bearer { token } => Self::Bearer(pb::BearerMaterial { token: text(token) }),
            Material::Header { name, value } => {
                Self::Header(pb::HeaderMaterial { name: name.clone(), value: text(value) })
            }
            Material::OAuth2(client) => Self::Oauth2(pb::OAuth2Material {
                token_url: client.token_url.clone(),
                client_id: client.client_id.clone(),
                client_secret: text(&client.client_secret),
                scope: client.scope.clone(),
                auth_style: match client.auth_style {
                    AuthStyle::Basic => pb::AuthStyle::Basic,
                    AuthStyle::Post => pb::AuthStyle::Post,
                }
                .into(),
            }),
            Material::Signing { secrets } => Self::Signing(pb::SigningMaterial {
                secrets: secrets
                    .iter()
                    .map(|one| pb::SigningSecret {
                        id: one.id.to_string(),
                        secret: text(&one.secret),
                        created_at: Some(to_instant(&one.created_at)),
                    })
                    .collect(),
            }),
        }
    }
}

impl TryFrom<pb::OpenCredential> for OpenCredential {
    type Error = Malformed;

    fn try_from(message: pb::OpenCredential) -> Result<Self, Malformed> {
        let material = message.material.ok_or_else(|| Malformed::new("material", "to be set"))?;
        let material = Material::try_from(material)?;
        let hosts = message.allowed_hosts.iter().map(|host| id("allowed_hosts", host));
        let credential = Credential {
            id: id("id", &message.id)?,
            tenant: id("tenant", &message.tenant)?,
            name: message.name,
            kind: material.kind(),
            description: message.description,
            allowed_hosts: hosts.collect::<Result<_, _>>()?,
            created_at: instant("created_at", message.created_at)?,
            updated_at: instant("updated_at", message.updated_at)?,
        };
        Ok(Self { credential, material })
    }
}

impl TryFrom<PbMaterial> for Material {
    type Error = Malformed;

    fn try_from(material: PbMaterial) -> Result<Self, Malformed> {
        Ok(match material {
            PbMaterial::Basic(m) => Self::Basic { username: m.username, password: Secret::new(m.password) },
            PbMaterial::Bearer(m) => Self::Bearer { token: Secret::new(m.token) },
            PbMaterial::Header(m) => Self::Header { name: m.name, value: Secret::new(m.value) },
            PbMaterial::Oauth2(m) => Self::OAuth2(OAuth2Client {
                auth_style: match m.auth_style() {
                    pb::AuthStyle::Basic => AuthStyle::Basic,
                    pb::AuthStyle::Post => AuthStyle::Post,
                    pb::AuthStyle::Unspecified => return Err(Malformed::new("oauth2.auth_style", "to be set")),
                },
                token_url: m.token_url,
                client_id: m.client_id,
                client_secret: Secret::new(m.client_secret),
                scope: m.scope,
            }),
            PbMaterial::Signing(m) => Self::Signing { secrets: each("signing.secrets", m.secrets)? },
        })
    }
}

impl TryFrom<pb::SigningSecret> for SigningSecret {
    type Error = Malformed;

    fn try_from(message: pb::SigningSecret) -> Result<Self, Malformed> {
        Ok(Self {
            id: id("id", &message.id)?,
            secret: Secret::new(message.secret),
            created_at: instant("created_at", message.created_at)?,
        })
    }
}
