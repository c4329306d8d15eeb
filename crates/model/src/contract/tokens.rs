//! Who vouches for access tokens, and who checks them.

use async_trait::async_trait;

use crate::{Caller, ClientId, Error, Json, TokenId};

/// A JSON Web Key Set (RFC 7517), public keys only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(pub Json);

/// What resource servers ask of the credentials service.
#[async_trait]
pub trait TokenAuthority: Send + Sync {
    /// The keys that tokens are signed with: the one in use, and those whose tokens may still live.
    async fn key_set(&self) -> Result<KeySet, Error>;

    /// Whether the token still counts: its client exists, for a deleted one's tokens end with it, and it was not revoked.
    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error>;
}

/// Checks access tokens (RFC 9068).
#[async_trait]
pub trait Verifier: Send + Sync {
    /// Tells who presents this token; `Unauthorized` when it is malformed, expired, not ours, or its client is gone.
    async fn verify(&self, token: &str) -> Result<Caller, Error>;
}
