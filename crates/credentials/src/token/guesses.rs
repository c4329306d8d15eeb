//! How often wrong secrets were given for a client.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use tidegate_model::{ClientId, Timestamp};

use super::refusal::Refusal;

/// Wrong secrets for one client within [`WINDOW`] that are answered one by one.
const ALLOWED: u32 = 10;

const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Clients that are guessed at within one window; past this all counts begin anew, which lets a guesser have a few more.
const CAPACITY: usize = 10_000;

/// The counts of this process. A secret has 256 random bits, so this is not what keeps it; it keeps a mistaken client from a loop that
/// costs everybody, and is seen in the log once per window rather than once per guess.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<ClientId, Count>>);

struct Count {
    since: Timestamp,
    wrong: u32,
}

impl Guesses {
    /// Counts a wrong secret, and says how it is refused.
    pub(super) fn wrong(&self, client: ClientId, now: Timestamp) -> Refusal {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |count: &Count| !(TimeDelta::zero()..WINDOW).contains(&(now - count.since));
        if counts.len() >= CAPACITY {
            counts.retain(|_, count| !is_over(count));
        }
        if counts.len() >= CAPACITY {
            counts.clear();
        }
        let count = counts.entry(client).or_insert(Count { since: now, wrong: 0 });
        if is_over(count) {
            *count = Count { since: now, wrong: 0 };
        }
        count.wrong = count.wrong.saturating_add(1);
        if count.wrong <= ALLOWED {
            return Refusal::Client;
        }
        if count.wrong == ALLOWED + 1 {
            tracing::warn!(%client, "too many wrong secrets for this client");
        }
        let left = (count.since + WINDOW - now).num_seconds().max(0);
        Refusal::Guessing { retry_after: u32::try_from(left).unwrap_or(0) + 1 }
    }
}
