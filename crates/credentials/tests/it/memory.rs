//! The part of the store that credentials need, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_model::{Client, ClientId, ClientOwner, Error, SecretHash};
use tidegate_storage::contract::{Clients, OwnerKind, SigningKeyRow};

#[derive(Default)]
pub(crate) struct Memory(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    clients: BTreeMap<ClientId, (Client, SecretHash)>,
    keys: Vec<SigningKeyRow>,
}

impl Memory {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget(&self, id: ClientId) {
        self.rows().clients.remove(&id);
    }
}

#[async_trait]
impl Clients for Memory {
    async fn insert_client(&self, client: &Client, secret: SecretHash) -> Result<(), Error> {
        let mut rows = self.rows();
        if rows.clients.contains_key(&client.id) {
            return Err(Error::not_unique("client", client.id));
        }
        rows.clients.insert(client.id, (client.clone(), secret));
        Ok(())
    }

    async fn client(&self, id: ClientId) -> Result<Option<(Client, SecretHash)>, Error> {
        Ok(self.rows().clients.get(&id).cloned())
    }

    async fn clients_of(&self, owner: &ClientOwner) -> Result<Vec<Client>, Error> {
        let rows = self.rows();
        Ok(rows.clients.values().map(|(client, _)| client).filter(|client| client.owner == *owner).cloned().collect())
    }

    async fn delete_client(&self, id: ClientId, _: &OwnerKind) -> Result<Client, Error> {
        let gone = self.rows().clients.remove(&id);
        gone.map(|(client, _)| client).ok_or_else(|| Error::not_found("client", id))
    }

    async fn has_administrator(&self) -> Result<bool, Error> {
        Ok(!self.clients_of(&ClientOwner::Administrator).await?.is_empty())
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, Error> {
        Ok(self.rows().keys.clone())
    }

    async fn insert_first_signing_key(&self, key: &SigningKeyRow) -> Result<(), Error> {
        let mut rows = self.rows();
        if rows.keys.is_empty() {
            rows.keys.push(key.clone());
        }
        Ok(())
    }
}
