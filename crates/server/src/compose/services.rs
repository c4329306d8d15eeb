//! The clients of Tidegate's own services, as an operator makes and withdraws them.

use std::sync::Arc;

use anyhow::Context as _;
use tidegate_model::{Client, ClientId, ClientOwner, Error, Scope, Secret, SystemClock, SystemRandomness};
use tidegate_storage::Store;
use tidegate_storage::contract::OwnerKind;

use super::ground::database_url;
use crate::config::{Config, Fault};

/// Makes a client for the service of this name; its secret is told here alone.
pub(crate) async fn add_service(config: &Config, name: &str) -> anyhow::Result<(ClientId, Secret)> {
    if name.is_empty() || name.len() > 63 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::new("NAME", "is none", "1 to 63 visible characters, such as webhook-gateway").into());
    }
    let (clock, randomness) = (SystemClock, SystemRandomness);
    let secret = Secret::generate("tgs_", &randomness);
    let (id, owner) = (ClientId::generate(&clock, &randomness), ClientOwner::Service(name.to_owned()));
    let client = Client::new(id, owner, Scope::of_service(), tidegate_model::Clock::now(&clock), secret.hash());
    with(config, async |store| store.insert_client(&client).await).await?;
    Ok((id, secret))
}

/// All of them, oldest first.
pub(crate) async fn services(config: &Config) -> anyhow::Result<Vec<Client>> {
    with(config, async |store| store.service_clients().await).await
}

/// Ends one, with its tokens.
pub(crate) async fn remove_service(config: &Config, id: ClientId) -> anyhow::Result<Client> {
    with(config, async |store| store.delete_client(id, &OwnerKind::Service).await).await
}

async fn with<T>(config: &Config, work: impl AsyncFnOnce(&Arc<dyn Store>) -> Result<T, Error>) -> anyhow::Result<T> {
    let options =
        tidegate_storage::Options { url: database_url(config)?, max_connections: 1, clock: Arc::new(SystemClock) };
    let store = tidegate_storage::open(&options).await.context("database.url")?.store;
    let done = work(&store).await;
    store.close().await;
    Ok(done?)
}
