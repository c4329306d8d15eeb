//! Which client asks.

use tidegate_model::{Client, ClientId, SecretHash};

use super::refusal::Refusal;
use super::request::Presented;
use crate::service::Service;

/// What no secret hashes to, for comparing with where there is no client.
const NOBODY: SecretHash = SecretHash([0; 32]);

/// Finds the client that the request proves to be. An unknown id takes the same lookup and the same comparison as a wrong secret, and is
/// counted alike.
pub(crate) async fn authenticate(service: &Service, presented: &Presented) -> Result<Client, Refusal> {
    let id: ClientId = presented.client_id.parse().unwrap_or(ClientId(uuid::Uuid::nil()));
    let (client, hash) = match service.store.client(id).await? {
        Some((client, hash)) => (Some(client), hash),
        None => (None, NOBODY),
    };
    let matches = hash.matches(&presented.client_secret);
    // Who has the secret is let in however many guess beside it: nobody can lock a client out.
    match client.filter(|_| matches) {
        Some(client) => Ok(client),
        None => Err(service.guesses.wrong(id, service.clock.now())),
    }
}
