//! Which client asks.

use tidegate_model::{Client, ClientId, ClientSecrets};

use super::refusal::Refusal;
use super::request::Presented;
use crate::service::Service;

/// Finds the client that the request proves to be, by either of its live secrets. An unknown id takes the same lookup and the same
/// comparisons as a wrong secret, and is counted alike.
pub(crate) async fn authenticate(service: &Service, presented: &Presented) -> Result<Client, Refusal> {
    let id: ClientId = presented.client_id.parse().unwrap_or(ClientId(uuid::Uuid::nil()));
    let client = service.store.client(id).await?;
    let matches = ClientSecrets::match_any(client.as_ref().map(|client| &client.secrets), &presented.client_secret);
    // Who has the secret is let in however many guess beside it: nobody can lock a client out.
    match client.filter(|_| matches) {
        Some(client) => Ok(client),
        None => Err(service.guesses.wrong(id, service.clock.now())),
    }
}
