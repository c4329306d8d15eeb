//! The authority's public keys, as this process knows them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{Clock, Error, Timestamp};
use tokio::sync::Mutex;

/// Between two questions to the authority: strangers who make up key ids cause one each time, not one per token.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// After this the set is asked for anew, so that a withdrawn key is forgotten.
const MAX_AGE: TimeDelta = TimeDelta::minutes(5);

/// Keys by id. What is known goes on counting while the authority is away.
pub(super) struct KnownKeys {
    authority: Arc<dyn TokenAuthority>,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    /// Held while the authority is asked, with the time and the result of the last question.
    asking: Mutex<Option<(Timestamp, Result<(), Error>)>>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    since: Option<Timestamp>,
}

impl KnownKeys {
    pub(super) fn new(authority: Arc<dyn TokenAuthority>, clock: Arc<dyn Clock>) -> Self {
        Self { authority, clock, known: RwLock::default(), asking: Mutex::default() }
    }

    /// Finds a key; an unknown one is asked for at most once per [`ASK_AGAIN`].
    pub(super) async fn find(&self, id: &str) -> Result<Arc<DecodingKey>, Error> {
        if let Some((key, is_old)) = self.get(id) {
            if !is_old {
                return Ok(key);
            }
            // One request renews an old set; the others do not wait for it.
            if let Ok(mut asked) = self.asking.try_lock() {
                let renewed = self.ask(&mut asked).await;
                return if renewed.is_ok() { self.get(id).map(|(key, _)| key).ok_or(UNKNOWN) } else { Ok(key) };
            }
            return Ok(key);
        }
        let mut asked = self.asking.lock().await;
        if let Some((key, _)) = self.get(id) {
            return Ok(key);
        }
        self.ask(&mut asked).await?;
        self.get(id).map(|(key, _)| key).ok_or(UNKNOWN)
    }

    fn get(&self, id: &str) -> Option<(Arc<DecodingKey>, bool)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let is_old = known.since.is_none_or(|since| now - since > MAX_AGE || now < since);
        known.keys.get(id).map(|key| (key.clone(), is_old))
    }

    /// Asks the authority, or repeats what it said a moment ago.
    async fn ask(&self, asked: &mut Option<(Timestamp, Result<(), Error>)>) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some((last, result)) = asked
            && (TimeDelta::zero()..ASK_AGAIN).contains(&(now - *last))
        {
            return result.clone();
        }
        let result = self.authority.key_set().await.and_then(|set| read(&set));
        let result = result.map(|keys| {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, since: Some(now) };
        });
        if let Err(error) = &result {
            tracing::warn!(%error, "the token authority does not tell its keys; those known go on counting");
        }
        *asked = Some((now, result.clone()));
        result
    }
}

const UNKNOWN: Error = Error::Unauthorized("the token is signed with an unknown key");

/// The keys of a set that can verify ES256; others are not for us.
fn read(set: &KeySet) -> Result<HashMap<String, Arc<DecodingKey>>, Error> {
    let set: JwkSet = serde_json::from_str(set.0.as_str()).map_err(|error| {
        tracing::error!(%error, "the token authority's key set cannot be read");
        Error::Unavailable("the token authority")
    })?;
    Ok(set.keys.iter().filter_map(verifying).collect())
}

fn verifying(jwk: &Jwk) -> Option<(String, Arc<DecodingKey>)> {
    let on_curve =
        matches!(&jwk.algorithm, AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256);
    let for_signing = jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let algorithm =
        jwk.common.key_algorithm.is_none_or(|name| Algorithm::try_from(name).ok() == Some(Algorithm::ES256));
    if !(on_curve && for_signing && algorithm) {
        return None;
    }
    Some((jwk.common.key_id.clone()?, Arc::new(DecodingKey::from_jwk(jwk).ok()?)))
}
