//! The first administrator: there is none to make it, so the platform does when it starts.

use tidegate_model::{Client, ClientId, ClientOwner, ClientSecrets, Clock, Error, Randomness, Scope, Secret};

use crate::ClientStore;

/// An administrator that the operator names in the configuration.
#[derive(Clone, Debug)]
pub struct ConfiguredAdministrator {
    id: ClientId,
    secret: Secret,
}

impl ConfiguredAdministrator {
    /// Takes `admin.client_id` and `admin.client_secret`; refuses an id that is no UUID and an empty secret, naming the key.
    pub fn parse(client_id: &str, client_secret: Secret) -> Result<Self, Error> {
        let id = client_id.parse().map_err(|_| {
            Error::invalid("admin.client_id", "a UUID, for example 0190a5f2-6c1e-7c3b-9d4e-2f8a61b7c035")
        })?;
        if client_secret.reveal().is_empty() {
            return Err(Error::invalid("admin.client_secret", "a long random text"));
        }
        Ok(Self { id, secret: client_secret })
    }
}

/// An administrator's client that does not count yet.
#[derive(Clone, Debug)]
pub struct Administrator {
    client: Client,
    secret: Secret,
}

impl Administrator {
    /// Tells which administrator is still to be inserted: the configured one if it is not there, or else a new one if there is none at all.
    ///
    /// Changes nothing. `InvalidOperation` when the configured client exists with another secret, or belongs to somebody else.
    pub async fn prepare(
        store: &ClientStore,
        configured: Option<&ConfiguredAdministrator>,
        clock: &dyn Clock,
        randomness: &dyn Randomness,
    ) -> Result<Option<Self>, Error> {
        let (id, secret) = match configured {
            Some(ConfiguredAdministrator { id, secret }) => (*id, secret.clone()),
            None if store.has_administrator().await? => return Ok(None),
            None => (ClientId::generate(clock, randomness), Secret::generate("tgs_", randomness)),
        };
        let client = Client::new(id, ClientOwner::Administrator, Scope::all(), clock.now(), secret.hash());
        let new = Self { client, secret };
        Ok(if new.is_known(store).await? { None } else { Some(new) })
    }

    /// The client id, to be written down before [`Administrator::insert`].
    pub fn id(&self) -> ClientId {
        self.client.id
    }

    /// The secret, to be written down before [`Administrator::insert`].
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Makes it count. Another process may have inserted the same configured one meanwhile; that is success too.
    pub async fn insert(&self, store: &ClientStore) -> Result<(), Error> {
        match store.insert_client(&self.client).await {
            Err(Error::NotUnique { .. }) if self.is_known(store).await? => Ok(()),
            result => result,
        }
    }

    async fn is_known(&self, store: &ClientStore) -> Result<bool, Error> {
        let Some(client) = store.client(self.client.id).await? else { return Ok(false) };
        let id = client.id;
        if client.owner != ClientOwner::Administrator {
            Err(Error::InvalidOperation(format!("admin.client_id: {id} is not an administrator's client")))
        } else if !ClientSecrets::match_any(Some(&client.secrets), &self.secret) {
            Err(Error::InvalidOperation(format!("admin.client_secret: {id} was made with another secret")))
        } else {
            Ok(true)
        }
    }
}
