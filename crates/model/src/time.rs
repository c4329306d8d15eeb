//! Clock and randomness, handed down as arguments so that tests decide what time it is and what is drawn.

use std::sync::Mutex;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use uuid::Uuid;

/// An instant in UTC, cut to microseconds: what PostgreSQL keeps.
pub type Timestamp = DateTime<Utc>;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, cut to microseconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    fn now(&self) -> Timestamp {
        micros(Utc::now())
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// Starts at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(micros(now)))
    }

    /// Moves forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Cuts an instant to microseconds, so that what was stored equals what is read back; a leap second is the one after it.
pub fn micros(time: Timestamp) -> Timestamp {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// What [`parse_instant`] reads.
pub const INSTANT: &str = "RFC 3339 in the years 1 to 9999, like 2026-01-31T12:00:00Z";

/// Reads an instant as callers write it: [`INSTANT`].
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().and_then(|time| writable(time.to_utc()))
}

/// An instant cut by [`micros`]; `None` outside of the years 1 to 9999 in UTC, where callers could not be told of it: RFC 3339 and protobuf
/// end there.
pub fn writable(time: Timestamp) -> Option<Timestamp> {
    Some(micros(time)).filter(|time| (1..=9999).contains(&time.year()))
}

/// Draws random bytes fit for keys.
pub trait Randomness: Send + Sync {
    /// Fills `bytes`; a machine that cannot give random bytes must not go on, so this aborts rather than fail.
    fn fill(&self, bytes: &mut [u8]);

    /// A random UUID (RFC 9562, version 4): a name that nobody else has.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The operating system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        let filled = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), bytes);
        if filled.is_err() {
            std::process::abort();
        }
    }
}
