//! What the check of a token costs those who are called with it.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use tidegate_credentials::TokenVerifier;
use tidegate_model::contract::{KeySet, TokenAuthority, Verifier as _};
use tidegate_model::{ClientId, Error, Json, SystemClock, TokenId};

use crate::client::Client;
use crate::subject::{Subject, issuer};

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
pub(crate) async fn measure(subject: &Subject) {
    let keys =
        Client::connect(&subject.identity()).await.ask(200, ("GET", "/.well-known/jwks.json"), "text/plain", "").await;
    let keys = KeySet(Json::trusted(String::from_utf8(keys).unwrap()));
    let issuer = issuer(subject.port);
    let verifier = TokenVerifier::new(Arc::new(Known(keys)), &issuer, &issuer, Arc::new(SystemClock));
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        for _ in 0..AT_ONCE {
            verifier.verify(&subject.token).await.unwrap();
        }
        took.push(begun.elapsed().as_secs_f64() / f64::from(AT_ONCE));
    }
    took.sort_by(f64::total_cmp);
    println!(
        "{:<24} {:>12.0} on one thread, {:.0} µs each",
        "a token's check",
        1.0 / took[TIMES / 2],
        took[TIMES / 2] * 1e6
    );
}
