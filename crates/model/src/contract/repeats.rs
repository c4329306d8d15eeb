//! Which calls came before, so that one that is repeated is not carried out twice.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use ring::digest::{Context, SHA256};

use crate::{Error, ExecutionId, IntegrationId, Json, TenantId, Timestamp};

/// How long the answer to a call is kept for whoever repeats it: longer than any scheme's tolerance.
pub const REPEAT_WINDOW: Duration = Duration::from_hours(24);

/// The largest answer that is kept, in bytes. What a broker takes in one message has room for it.
pub const MAX_REPEATED_ANSWER: usize = 256 << 10;

/// What makes two calls of one Integration the same. Of the text that the caller sent only a hash is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepeatKey(pub [u8; 32]);

/// Who says that two calls are the same. What one says means nothing to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatedBy {
    /// The scheme of its signature: the id of a delivery.
    Delivery,
    /// The caller: `Idempotency-Key`.
    IdempotencyKey,
}

impl RepeatKey {
    /// The key of calls to this Integration that are the same by this text.
    pub fn of(integration: IntegrationId, by: RepeatedBy, text: &str) -> Self {
        let by: &[u8] = match by {
            RepeatedBy::Delivery => b"delivery",
            RepeatedBy::IdempotencyKey => b"idempotency-key",
        };
        Self(hash(&[integration.0.as_bytes(), by, text.as_bytes()]))
    }
}

impl fmt::Debug for RepeatKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepeatKey(..)")
    }
}

/// The hash of what a call says: two that are the same say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of these parts, in this order.
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(hash(parts))
    }
}

/// Of several parts, each with its length, so that none runs over into the next.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// A call that would be the first with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub tenant: TenantId,
    /// What makes it the same as another.
    pub key: RepeatKey,
    /// What it says.
    pub content: ContentHash,
    /// The call itself, by the id of its record.
    pub holder: ExecutionId,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing: this call is the first, and holds the key.
    First,
    /// A call that says the same holds it, and has no answer yet.
    Running,
    /// A call that said the same had this answer.
    Answered(Json),
    /// A call that says something else has it.
    OtherContent,
}

/// Remembers which calls came, and what they were answered. All gateways of an installation share one.
///
/// An entry is there until its time, which moves only by what is called here: with `now` at or after it, it is as if it were not there.
/// `Unavailable` when nothing can be told now: then the call must not run.
#[async_trait]
pub trait Repeats: Send + Sync {
    /// Takes the key for this call until `until`, unless another has it at `now`. Claiming again what this call holds is [`Claimed::First`].
    async fn claim(&self, claim: &Claim, now: Timestamp, until: Timestamp) -> Result<Claimed, Error>;

    /// Keeps the answer until `until`; nothing is kept when another call has the key by now.
    async fn settle(&self, claim: &Claim, answer: &Json, until: Timestamp) -> Result<(), Error>;

    /// Lets the key go, so that the next call is the first; nothing happens when another call has it by now.
    async fn release(&self, claim: &Claim) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn keys_differ_by_integration_by_who_says_so_and_by_text() {
        let (one, two) = (IntegrationId(Uuid::from_u128(1)), IntegrationId(Uuid::from_u128(2)));
        let key = RepeatKey::of(one, RepeatedBy::Delivery, "a");
        assert_eq!(key, RepeatKey::of(one, RepeatedBy::Delivery, "a"));
        for other in [
            RepeatKey::of(two, RepeatedBy::Delivery, "a"),
            RepeatKey::of(one, RepeatedBy::IdempotencyKey, "a"),
            RepeatKey::of(one, RepeatedBy::Delivery, "b"),
        ] {
            assert_ne!(key, other);
        }
        assert_ne!(ContentHash::of(&[b"ab", b"c"]), ContentHash::of(&[b"a", b"bc"]));
    }
}
