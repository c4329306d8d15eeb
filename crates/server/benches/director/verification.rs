//! What the check of a token costs those who are called with it.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use tidegate_credentials::TokenVerifier;
use tidegate_model::contract::{KeySet, TokenAuthority, Verifier as _};
use tidegate_model::{ClientId, Error, Json, SystemClock, TokenId};

use crate::shared::client::{Client, Identity};
use crate::shared::middle;
use crate::shared::tidegate::Tidegate;

/// Knows the keys, and that every token still counts.
struct Known(KeySet);

#[async_trait]
impl TokenAuthority for Known {
    async fn key_set(&self) -> Result<KeySet, Error> {
        Ok(self.0.clone())
    }

    async fn is_live(&self, _: ClientId, _: TokenId) -> Result<bool, Error> {
        Ok(true)
    }
}

const AT_ONCE: u32 = 200;
const TIMES: usize = 31;

/// Checks one token again and again, on one thread: its signature, its claims, and that it counted a moment ago.
pub(crate) async fn measure(tidegate: &Tidegate) {
    let stranger = Identity { port: tidegate.credentials, headers: String::new() };
    let keys = Client::connect(&stranger).await.ask(200, ("GET", "/.well-known/jwks.json"), "text/plain", "").await;
    let keys = KeySet(Json::trusted(String::from_utf8(keys).unwrap()));
    let issuer = tidegate.issuer();
    let verifier = TokenVerifier::new(Arc::new(Known(keys)), &issuer, &issuer, Arc::new(SystemClock));
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        for _ in 0..AT_ONCE {
            verifier.verify(&tidegate.token).await.unwrap();
        }
        took.push(begun.elapsed().as_secs_f64() / f64::from(AT_ONCE));
    }
    let took = middle(took);
    println!("{:<24} {:>12.0} on one thread, {:.0} µs each", "a token's check", 1.0 / took, took * 1e6);
}
