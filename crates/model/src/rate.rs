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
    unit: char,
}

/// The text is no rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", RateLimit::RULE)]
pub struct InvalidRateLimit;

impl RateLimit {
    /// What every rate limit looks like, as it is told to whoever wrote another text.
    pub const RULE: &'static str = "a number of calls from 1 to 1000000 per s, m or h, such as 50/s or 600/m";

    /// How many calls.
    pub fn calls(self) -> u32 {
        self.calls.get()
    }

    /// In which time.
    pub fn per(self) -> Duration {
        Duration::from_secs(match self.unit {
            's' => 1,
            'm' => 60,
            _ => 3600,
        })
    }
}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    fn from_str(text: &str) -> Result<Self, InvalidRateLimit> {
        let (calls, unit) = text.split_once('/').ok_or(InvalidRateLimit)?;
        let is_number = !calls.is_empty() && calls.bytes().all(|b| b.is_ascii_digit());
        let calls = calls.parse::<NonZeroU32>().ok().filter(|calls| is_number && calls.get() <= 1_000_000);
        let unit = match unit {
            "s" => 's',
            "m" => 'm',
            "h" => 'h',
            _ => return Err(InvalidRateLimit),
        };
        Ok(Self { calls: calls.ok_or(InvalidRateLimit)?, unit })
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
        write!(f, "{}/{}", self.calls, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_shown_as_it_was_written() {
        for (text, calls, seconds) in [("1/s", 1, 1), ("600/m", 600, 60), ("1000000/h", 1_000_000, 3600)] {
            let limit: RateLimit = text.parse().unwrap();
            assert_eq!((limit.calls(), limit.per().as_secs(), limit.to_string().as_str()), (calls, seconds, text));
        }
        for text in ["", "5", "/s", "0/s", "-1/s", "+1/s", "1/d", "1/ s", "1.5/s", "1000001/s", "1/s/s"] {
            assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text}");
        }
    }
}
