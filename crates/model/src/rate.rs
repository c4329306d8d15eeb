//! How often something may be done.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many calls in a second, a minute or an hour: `50/s`, `600/m`, `1000/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RateLimit {
    calls: NonZeroU32,
    per: RatePeriod,
}

/// The time in which so many are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RatePeriod {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
}

/// The text is no rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", RateLimit::RULE)]
pub struct InvalidRateLimit;

impl RateLimit {
    /// What every rate limit looks like, as it is told to whoever wrote another text.
    pub const RULE: &'static str = "a number of calls from 1 to 1000000 per s, m or h, such as 50/s or 600/m";

    /// The most calls that a limit may have.
    pub const MAX_CALLS: u32 = 1_000_000;

    /// So many calls in that time; `None` where they are more than [`RateLimit::MAX_CALLS`].
    pub fn new(calls: NonZeroU32, per: RatePeriod) -> Option<Self> {
        (calls.get() <= Self::MAX_CALLS).then_some(Self { calls, per })
    }

    /// How many calls.
    pub fn calls(self) -> NonZeroU32 {
        self.calls
    }

    /// In which time.
    pub fn per(self) -> RatePeriod {
        self.per
    }
}

impl RatePeriod {
    /// How long it is.
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        })
    }
}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    fn from_str(text: &str) -> Result<Self, InvalidRateLimit> {
        let (calls, per) = text.split_once('/').ok_or(InvalidRateLimit)?;
        let per = match per {
            "s" => RatePeriod::Second,
            "m" => RatePeriod::Minute,
            "h" => RatePeriod::Hour,
            _ => return Err(InvalidRateLimit),
        };
        let calls = Some(calls).filter(|calls| calls.bytes().all(|b| b.is_ascii_digit())).and_then(|c| c.parse().ok());
        calls.and_then(|calls| Self::new(calls, per)).ok_or(InvalidRateLimit)
    }
}

impl TryFrom<String> for RateLimit {
    type Error = InvalidRateLimit;

    fn try_from(text: String) -> Result<Self, InvalidRateLimit> {
        text.parse()
    }
}

impl From<RateLimit> for String {
    fn from(limit: RateLimit) -> Self {
        limit.to_string()
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            RatePeriod::Second => 's',
            RatePeriod::Minute => 'm',
            RatePeriod::Hour => 'h',
        };
        write!(f, "{}/{per}", self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_shown_as_it_was_written() {
        for (text, calls, seconds) in [("1/s", 1, 1), ("600/m", 600, 60), ("1000000/h", 1_000_000, 3600)] {
            let limit: RateLimit = text.parse().unwrap();
            assert_eq!(
                (limit.calls().get(), limit.per().duration().as_secs(), limit.to_string().as_str()),
                (calls, seconds, text)
            );
        }
        for text in ["", "5", "/s", "0/s", "-1/s", "+1/s", "1/d", "1/ s", "1.5/s", "1000001/s", "1/s/s"] {
            assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text}");
        }
    }
}
