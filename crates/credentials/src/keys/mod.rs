//! The keys that tokens are signed with, and their life: made, sealed, stored; published before they sign, and after, until the last token
//! that they signed has expired. All processes read the same table, so they agree without talking to each other.

mod key;

use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use jsonwebtoken::jwk::JwkSet;
use tidegate_model::contract::KeySet;
use tidegate_model::{Clock, Error, Json, Randomness, Timestamp};
use tidegate_storage::Sealer;
use tidegate_storage::contract::SigningKeyRow;
use tokio::sync::Mutex;

use crate::ClientStore;
use crate::claims::Claims;
use key::{SigningKey, draw};

/// How long a new key is published before it signs: longer than anybody holds a set that lacks it (`max-age` of the endpoint, the
/// verifiers' own limit, [`REREAD`]).
const AHEAD: TimeDelta = TimeDelta::minutes(10);

/// How long a key is published after its last token has expired: for clocks that differ.
const BEHIND: TimeDelta = TimeDelta::minutes(1);

/// How old may be what this process knows of the table.
const REREAD: TimeDelta = TimeDelta::seconds(5);

/// What the keys live by.
pub(crate) struct SigningKeys {
    pub(crate) store: Arc<ClientStore>,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// How long a key signs before another one takes its place.
    pub(crate) lifetime: TimeDelta,
    /// How long a token lives.
    pub(crate) token_lifetime: TimeDelta,
}

/// The keys as this process knows them.
pub(crate) struct KeyRing {
    keys: SigningKeys,
    known: RwLock<Arc<Known>>,
    /// Held by whoever reads the table.
    reading: Mutex<()>,
}

struct Known {
    signer: SigningKey,
    public: KeySet,
    as_of: Timestamp,
}

impl KeyRing {
    /// Loads the keys, or makes the first one; of two processes that start at once, both sign with the same.
    pub(crate) async fn load(keys: SigningKeys) -> Result<Self, Error> {
        let known = RwLock::new(Arc::new(keys.read().await?));
        Ok(Self { keys, known, reading: Mutex::default() })
    }

    /// The public halves, as a JWK set.
    pub(crate) async fn public(&self) -> KeySet {
        self.current().await.public.clone()
    }

    /// Signs claims into an access token.
    pub(crate) async fn sign(&self, claims: &Claims) -> Result<String, Error> {
        self.current().await.signer.sign(claims)
    }

    /// What is known, read anew when it is old. One request does that, and the others go on with what was known; so do all while the store
    /// is away.
    async fn current(&self) -> Arc<Known> {
        let known = self.known();
        let age = self.keys.clock.now() - known.as_of;
        if (TimeDelta::zero()..REREAD).contains(&age) {
            return known;
        }
        let Ok(_reading) = self.reading.try_lock() else { return known };
        match self.keys.read().await {
            Ok(read) => {
                let read = Arc::new(read);
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
                read
            }
            Err(error) => {
                tracing::warn!(%error, "the signing keys cannot be read anew; those known go on counting");
                known
            }
        }
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes a key that takes the place of the newest one. `at_once`: withdraws all before it, which ends their tokens; answers how many.
pub async fn renew_signing_key(
    store: &ClientStore,
    sealer: &Sealer,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    at_once: bool,
) -> Result<usize, Error> {
    let before = store.signing_keys().await?;
    make(store, sealer, clock, randomness, before.first()).await?;
    if !at_once {
        return Ok(0);
    }
    for row in &before {
        store.delete_signing_key(&row.id).await?;
    }
    Ok(before.len())
}

/// Makes the key that follows `newest`, unless another process was faster.
async fn make(
    store: &ClientStore,
    sealer: &Sealer,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    newest: Option<&SigningKeyRow>,
) -> Result<(), Error> {
    // Later than the newest whatever the clock says, for the order of keys is that of their times.
    let created_at = newest.map_or(clock.now(), |row| clock.now().max(row.created_at + TimeDelta::microseconds(1)));
    let row = draw(sealer, randomness, created_at)?;
    if store.insert_signing_key(&row, newest.map(|row| row.id.as_str())).await? {
        tracing::info!(key = %row.id, "made a key that will sign access tokens");
    }
    Ok(())
}

impl SigningKeys {
    async fn read(&self) -> Result<Known, Error> {
        let as_of = self.clock.now();
        let mut rows = self.store.signing_keys().await?;
        if rows.first().is_none_or(|newest| newest.created_at + self.lifetime <= as_of) {
            make(self.store.as_ref(), &self.sealer, self.clock.as_ref(), self.randomness.as_ref(), rows.first())
                .await?;
            rows = self.store.signing_keys().await?;
        }
        let mut keys = rows.iter().map(|row| SigningKey::open(row, &self.sealer)).collect::<Result<Vec<_>, _>>()?;
        let times: Vec<_> = keys.iter().map(|key| key.created_at).collect();
        let signs = signs(&times, as_of);
        for retired in keys.drain(kept(&times, as_of, self.token_lifetime)..) {
            self.store.delete_signing_key(&retired.id).await?;
            tracing::info!(key = %retired.id, "a signing key is withdrawn: its last token has expired");
        }
        let public = KeySet(Json::of(&JwkSet { keys: keys.iter().map(|key| key.public.clone()).collect() }));
        let signer = keys.into_iter().nth(signs).ok_or_else(|| broken("none is stored"))?;
        Ok(Known { signer, public, as_of })
    }
}

/// Which of the keys, newest first, signs: the newest that has been published for long enough; where there is none, the oldest.
fn signs(made_at: &[Timestamp], now: Timestamp) -> usize {
    made_at.iter().position(|at| *at + AHEAD <= now).unwrap_or(made_at.len().saturating_sub(1))
}

/// How many of the keys, newest first, are still needed: a key is not once the one after it has signed for longer than a token lives.
fn kept(made_at: &[Timestamp], now: Timestamp, token_lifetime: TimeDelta) -> usize {
    let over = made_at.iter().position(|at| *at + AHEAD + REREAD + token_lifetime + BEHIND <= now);
    over.map_or(made_at.len(), |successor| successor + 1)
}

fn broken(reason: &'static str) -> Error {
    tracing::error!(reason, "the signing key cannot be used");
    Error::Internal { id: "signing-key".to_owned() }
}
