//! Whether a token still counts, remembered for a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::contract::TokenAuthority;
use tidegate_model::{ClientId, Clock, Error, Timestamp, TokenId};

/// How long an answer counts: a revoked token, and those of a deleted client, end within this time.
pub const LIVENESS_AGE: Duration = Duration::from_secs(1);

/// Valid tokens in one second; past this the oldest answers are forgotten early, which costs a question each.
const CAPACITY: usize = 10_000;

pub(super) struct Liveness {
    authority: Arc<dyn TokenAuthority>,
    clock: Arc<dyn Clock>,
    answers: Mutex<HashMap<(ClientId, TokenId), (Timestamp, bool)>>,
}

impl Liveness {
    pub(super) fn new(authority: Arc<dyn TokenAuthority>, clock: Arc<dyn Clock>) -> Self {
        Self { authority, clock, answers: Mutex::default() }
    }

    /// Asks the authority, unless it said so within [`LIVENESS_AGE`]. Only for tokens whose signature has been verified.
    pub(super) async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        let asked_at = self.clock.now();
        if let Some((since, is_live)) = self.answers().get(&(client, token))
            && is_fresh(*since, asked_at)
        {
            return Ok(*is_live);
        }
        let is_live = self.authority.is_live(client, token).await?;
        let mut answers = self.answers();
        if answers.len() >= CAPACITY {
            answers.retain(|_, (since, _)| is_fresh(*since, asked_at));
        }
        if answers.len() >= CAPACITY {
            answers.clear();
        }
        // Counted from before the question: the answer may be that old.
        answers.insert((client, token), (asked_at, is_live));
        Ok(is_live)
    }

    /// Forgets what was said of a token.
    pub(super) fn forget(&self, client: ClientId, token: TokenId) {
        self.answers().remove(&(client, token));
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<(ClientId, TokenId), (Timestamp, bool)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back makes nothing fresh for longer.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    let age = now - since;
    age >= TimeDelta::zero() && age.to_std().is_ok_and(|age| age < LIVENESS_AGE)
}
