//! Where credentials are sealed on their way into the store and opened on their way out.
//!
//! Each tenant has a random data key, drawn with its first credential and kept under the operator's key; what a credential holds is one
//! ciphertext under that data key. A change of the operator's key touches the data keys alone. Sealed together with the secrets is where
//! they may be sent, so that who can write into the database cannot send them elsewhere.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tidegate_model::contract::Vault;
use tidegate_model::{
    AuthStyle, Clock, Credential, CredentialId, Error, Event, HostPattern, Material, OAuth2Client, OpenCredential,
    Page, PageOf, Randomness, Secret, SigningSecret, SigningSecretId, TenantId, Timestamp,
};
use uuid::Uuid;

use crate::contract::{CredentialRow, DataKeyRow, LockedCredential, Store};
use crate::seal::{Sealer, place};

/// Keeps credentials in a store. Cheap to clone.
#[derive(Clone)]
pub struct Safe {
    store: Arc<dyn Store>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// A credential as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The credential with its secrets.
    pub open: OpenCredential,
    /// 1, 2, 3, ... with each change; a change is made on the version that was read.
    pub version: i32,
}

impl Safe {
    /// Keeps them in this store, under the operator's key.
    pub fn new(store: Arc<dyn Store>, sealer: Sealer, clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { store, sealer, clock, randomness }
    }

    /// Keeps them on this handle of its store: for one change that is told of.
    #[must_use]
    pub fn on(&self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self.clone() }
    }

    /// Adds one. `NotUnique` when the tenant has one of that name; `TenantNotFound`.
    pub async fn insert(&self, open: &OpenCredential, event: &Event) -> Result<(), Error> {
        self.store.insert_credential(&self.row(open, 1).await?, event).await
    }

    /// Finds one.
    pub async fn find(&self, tenant: &TenantId, id: CredentialId) -> Result<Option<Versioned>, Error> {
        self.store.credential(tenant, id).await?.map(|locked| self.opened(locked)).transpose()
    }

    /// Finds one by its name.
    pub async fn find_named(&self, tenant: &TenantId, name: &str) -> Result<Option<Versioned>, Error> {
        self.store.credential_named(tenant, name).await?.map(|locked| self.opened(locked)).transpose()
    }

    /// Lists the tenant's, in the order of their ids.
    pub async fn list(&self, tenant: &TenantId, page: PageOf<CredentialId>) -> Result<Page<OpenCredential>, Error> {
        let Page { data, has_next, total } = self.store.credentials(tenant, page).await?;
        let data = data.into_iter().map(|locked| self.opened(locked).map(|one| one.open)).collect::<Result<_, _>>()?;
        Ok(Page { data, has_next, total })
    }

    /// Replaces all but id, tenant, name, kind and `created_at` of the version that was read. `InvalidOperation` when somebody was faster;
    /// `NotFound`.
    pub async fn replace(&self, read: i32, after: &OpenCredential, event: &Event) -> Result<(), Error> {
        self.store.update_credential(&self.row(after, read.saturating_add(1)).await?, event).await
    }

    /// Deletes one. `NotFound`; `InvalidOperation` while an Integration's settings name it.
    pub async fn delete(&self, tenant: &TenantId, id: CredentialId, event: &Event) -> Result<(), Error> {
        self.store.delete_credential(tenant, id, event).await
    }

    async fn row(&self, open: &OpenCredential, version: i32) -> Result<CredentialRow, Error> {
        let OpenCredential { credential, material } = open;
        let (data_key, sealer) = self.data_key(&credential.tenant).await?;
        let content = Content { allowed_hosts: credential.allowed_hosts.clone(), material: material.into() };
        let place = place::credential(&credential.tenant, credential.id, &credential.name);
        let plain = serde_json::to_vec(&content).map_err(|_| unreadable(credential.id))?;
        Ok(CredentialRow {
            id: credential.id,
            tenant: credential.tenant.clone(),
            name: credential.name.clone(),
            kind: material.kind(),
            description: credential.description.clone(),
            version,
            data_key,
            sealed: sealer.seal(&place, &plain)?,
            created_at: credential.created_at,
            updated_at: credential.updated_at,
        })
    }

    /// The tenant's data key; drawn when there is none. Two that are drawn at once both stay, and each opens what it sealed.
    async fn data_key(&self, tenant: &TenantId) -> Result<(Uuid, Sealer), Error> {
        if let Some(row) = self.store.data_key(tenant).await? {
            return Ok((row.id, self.unwrapped(tenant, row.id, &row.sealed)?));
        }
        let mut key = [0; 32];
        self.randomness.fill(&mut key);
        let id = self.randomness.uuid();
        let sealed = self.sealer.seal(&place::data_key(tenant, id), &key)?;
        let row = DataKeyRow { id, tenant: tenant.clone(), sealed, created_at: self.clock.now() };
        self.store.insert_data_key(&row).await?;
        Ok((id, Sealer::new(&key, self.randomness.clone())?))
    }

    fn unwrapped(&self, tenant: &TenantId, id: Uuid, sealed: &[u8]) -> Result<Sealer, Error> {
        let place = place::data_key(tenant, id);
        let key: [u8; 32] = self
            .sealer
            .open(&place, sealed)?
            .try_into()
            .map_err(|_| Error::Internal { id: format!("seal:{place}") })?;
        Sealer::new(&key, self.randomness.clone())
    }

    fn opened(&self, locked: LockedCredential) -> Result<Versioned, Error> {
        let LockedCredential { row, key } = locked;
        let sealer = self.unwrapped(&row.tenant, row.data_key, &key)?;
        let plain = sealer.open(&place::credential(&row.tenant, row.id, &row.name), &row.sealed)?;
        let content: Content = serde_json::from_slice(&plain).map_err(|_| unreadable(row.id))?;
        let material = Material::from(content.material);
        let credential = Credential {
            id: row.id,
            tenant: row.tenant,
            name: row.name,
            kind: material.kind(),
            description: row.description,
            allowed_hosts: content.allowed_hosts,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Ok(Versioned { open: OpenCredential { credential, material }, version: row.version })
    }
}

#[async_trait]
impl Vault for Safe {
    async fn credential(&self, tenant: &TenantId, name: &str) -> Result<Option<Arc<OpenCredential>>, Error> {
        Ok(self.find_named(tenant, name).await?.map(|found| Arc::new(found.open)))
    }
}

/// What is under the seal. Fields are added with a default; none is renamed.
#[derive(Serialize, Deserialize)]
struct Content {
    allowed_hosts: Vec<HostPattern>,
    material: KeptMaterial,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
enum KeptMaterial {
    Basic {
        username: String,
        password: String,
    },
    Bearer {
        token: String,
    },
    Header {
        name: String,
        value: String,
    },
    #[serde(rename = "OAUTH2")]
    OAuth2 {
        token_url: String,
        client_id: String,
        client_secret: String,
        scope: Option<String>,
        auth_style: AuthStyle,
    },
    Signing {
        secrets: Vec<KeptSigningSecret>,
    },
}

#[derive(Serialize, Deserialize)]
struct KeptSigningSecret {
    id: SigningSecretId,
    secret: String,
    created_at: Timestamp,
}

impl From<&Material> for KeptMaterial {
    fn from(material: &Material) -> Self {
        let text = |secret: &Secret| secret.reveal().to_owned();
        match material {
            Material::Basic { username, password } => {
                Self::Basic { username: username.clone(), password: text(password) }
            }
            Material::Bearer { token } => Self::Bearer { token: text(token) },
            Material::Header { name, value } => Self::Header { name: name.clone(), value: text(value) },
            Material::OAuth2(client) => Self::OAuth2 {
                token_url: client.token_url.clone(),
                client_id: client.client_id.clone(),
                client_secret: text(&client.client_secret),
                scope: client.scope.clone(),
                auth_style: client.auth_style,
            },
            Material::Signing { secrets } => Self::Signing {
                secrets: secrets
                    .iter()
                    .map(|one| KeptSigningSecret { id: one.id, secret: text(&one.secret), created_at: one.created_at })
                    .collect(),
            },
        }
    }
}

impl From<KeptMaterial> for Material {
    fn from(kept: KeptMaterial) -> Self {
        match kept {
            KeptMaterial::Basic { username, password } => Self::Basic { username, password: Secret::new(password) },
            KeptMaterial::Bearer { token } => Self::Bearer { token: Secret::new(token) },
            KeptMaterial::Header { name, value } => Self::Header { name, value: Secret::new(value) },
            KeptMaterial::OAuth2 { token_url, client_id, client_secret, scope, auth_style } => {
                Self::OAuth2(OAuth2Client {
                    token_url,
                    client_id,
                    client_secret: Secret::new(client_secret),
                    scope,
                    auth_style,
                })
            }
            KeptMaterial::Signing { secrets } => Self::Signing {
                secrets: secrets
                    .into_iter()
                    .map(|one| SigningSecret {
                        id: one.id,
                        secret: Secret::new(one.secret),
                        created_at: one.created_at,
                    })
                    .collect(),
            },
        }
    }
}

/// The cause is not told: it might quote what is under the seal.
fn unreadable(id: CredentialId) -> Error {
    tracing::error!(%id, "the content of a credential is not what this version writes");
    Error::Internal { id: format!("credential:{id}") }
}
