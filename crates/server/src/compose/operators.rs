//! The clients of administrators and of Tidegate's own services, as an operator makes and withdraws them. Each change stands in the platform's log.

use std::sync::Arc;

use serde_json::json;
use tidegate_model::{
    AuditEntry, Client, ClientId, ClientOwner, Clock as _, Error, Face, Json, Made, Scope, Secret, SystemClock,
    SystemRandomness, Trace,
};
use tidegate_storage::Store;
use tidegate_storage::contract::OwnerKind;

use super::ground::open;
use crate::config::{Config, Fault};

/// Makes a client for the service of this name; its secret is told here alone.
pub(crate) async fn add_service(config: &Config, name: &str) -> anyhow::Result<(ClientId, Secret)> {
    if name.is_empty() || name.len() > 63 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::new("NAME", "is none", "1 to 63 visible characters, such as webhook-gateway").into());
    }
    add(config, ClientOwner::Service(name.to_owned()), "createService").await
}

/// All of them, oldest first.
pub(crate) async fn services(config: &Config) -> anyhow::Result<Vec<Client>> {
    with(config, async |store| store.service_clients().await).await
}

/// Ends one, with its tokens.
pub(crate) async fn remove_service(config: &Config, id: ClientId) -> anyhow::Result<Client> {
    with(config, async |store| remove(store, id, &OwnerKind::Service, "deleteService").await).await
}

/// Makes another administrator's client; its secret is told here alone.
pub(crate) async fn add_administrator(config: &Config) -> anyhow::Result<(ClientId, Secret)> {
    add(config, ClientOwner::Administrator, "createAdministrator").await
}

/// All of them, oldest first.
pub(crate) async fn administrators(config: &Config) -> anyhow::Result<Vec<Client>> {
    with(config, async |store| store.clients_of(&ClientOwner::Administrator).await).await
}

/// Ends one, with its tokens. Without any, nobody could make anything any longer: the last one stays.
pub(crate) async fn remove_administrator(config: &Config, id: ClientId) -> anyhow::Result<Client> {
    let removed = with(config, async |store| {
        let all = store.clients_of(&ClientOwner::Administrator).await?;
        if all.iter().any(|client| client.id == id) && all.len() == 1 {
            return Err(Error::InvalidOperation(format!("{id} is the only administrator: add another one first")));
        }
        remove(store, id, &OwnerKind::Administrator, "deleteAdministrator").await
    });
    removed.await
}

async fn add(config: &Config, owner: ClientOwner, operation: &str) -> anyhow::Result<(ClientId, Secret)> {
    let (clock, randomness) = (SystemClock, SystemRandomness);
    let (secret, id) = (Secret::generate("tgs_", &randomness), ClientId::generate(&clock, &randomness));
    let (scopes, kind) = match &owner {
        ClientOwner::Service(_) => (Scope::of_service(), "SERVICE"),
        _ => (Scope::all(), "ADMINISTRATOR"),
    };
    let client = Client::new(id, owner, scopes, clock.now(), secret.hash());
    let made = Made::to("SystemAuth", id).to_state(Json::of(&json!({ "type": kind })));
    with(config, async |store| told(store, operation, made).insert_client(&client).await).await?;
    Ok((id, secret))
}

async fn remove(store: &Arc<dyn Store>, id: ClientId, kind: &OwnerKind, operation: &str) -> Result<Client, Error> {
    told(store, operation, Made::to("SystemAuth", id)).delete_client(id, kind).await
}

/// The store, whose next change leaves this.
fn told(store: &Arc<dyn Store>, operation: &str, made: Made) -> Arc<dyn Store> {
    let entry = AuditEntry::of(&SystemClock, &SystemRandomness, None, Trace::of_system(Face::Cli, operation), made);
    store.audited(vec![entry])
}

async fn with<T>(config: &Config, work: impl AsyncFnOnce(&Arc<dyn Store>) -> Result<T, Error>) -> anyhow::Result<T> {
    let store = open(config, 1, Arc::new(SystemClock)).await?.store;
    let done = work(&store).await;
    store.close().await;
    Ok(done?)
}
