//! How often each Integration may be called.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::{IntegrationId, RateLimit, Timestamp};

/// How many Integrations are looked through at a time for those that are no longer called.
const SWEPT_FROM: usize = 1024;

/// The calls of late. Of each Integration one instant is known: until when its calls would last if they came as slowly as is always allowed
/// (the generic cell rate algorithm).
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    busy_until: HashMap<IntegrationId, Timestamp>,
    /// How many there may be before those that are past are forgotten.
    sweep_at: usize,
}

impl Rates {
    /// Counts a call at `now`; `Err` is how long its caller should wait, and the call does not count.
    ///
    /// As many calls as the limit has may come at once; then one after each share of its time.
    pub(crate) fn count(&self, integration: IntegrationId, limit: RateLimit, now: Timestamp) -> Result<(), Duration> {
        let per = TimeDelta::from_std(limit.per().duration()).unwrap_or(TimeDelta::MAX);
        let share = per / i32::try_from(limit.calls().get()).unwrap_or(i32::MAX);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let busy_until = known.busy_until.get(&integration).copied();
        // A clock that was set back far must not shut anybody out.
        let busy_until = busy_until.filter(|until| *until <= now + per).unwrap_or(now).max(now);
        let too_early = busy_until + share - (now + per);
        if too_early > TimeDelta::zero() {
            return Err(too_early.to_std().unwrap_or_default());
        }
        known.note(integration, busy_until + share, now);
        Ok(())
    }
}

impl Known {
    fn note(&mut self, integration: IntegrationId, busy_until: Timestamp, now: Timestamp) {
        self.busy_until.insert(integration, busy_until);
        if self.busy_until.len() >= self.sweep_at.max(SWEPT_FROM) {
            self.busy_until.retain(|_, until| *until > now);
            self.sweep_at = self.busy_until.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    const SHOP: IntegrationId = IntegrationId(Uuid::from_u128(1));

    fn at(millis: i64) -> Timestamp {
        DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn as_many_as_allowed_come_at_once_and_then_one_at_a_time() {
        let (rates, limit) = (Rates::default(), "4/s".parse().unwrap());
        for _ in 0..4 {
            assert_eq!(rates.count(SHOP, limit, at(0)), Ok(()));
        }
        assert_eq!(rates.count(SHOP, limit, at(0)), Err(Duration::from_millis(250)));
        assert_eq!(rates.count(SHOP, limit, at(249)), Err(Duration::from_millis(1)));
        assert_eq!(rates.count(SHOP, limit, at(250)), Ok(()));
        assert_eq!(rates.count(SHOP, limit, at(260)), Err(Duration::from_millis(240)), "a refused call does not count");
        assert_eq!(rates.count(IntegrationId(Uuid::from_u128(2)), limit, at(260)), Ok(()), "another one's call");
        for _ in 0..4 {
            assert_eq!(rates.count(SHOP, limit, at(9000)), Ok(()));
        }
        assert!(rates.count(SHOP, limit, at(9000)).is_err());
    }

    #[test]
    fn a_limit_that_is_changed_holds_at_once_and_a_clock_set_back_shuts_nobody_out() {
        let rates = Rates::default();
        assert_eq!(rates.count(SHOP, "1/h".parse().unwrap(), at(0)), Ok(()));
        assert!(rates.count(SHOP, "1/h".parse().unwrap(), at(1000)).is_err());
        assert_eq!(rates.count(SHOP, "1/s".parse().unwrap(), at(1000)), Ok(()));
        assert_eq!(rates.count(SHOP, "1/s".parse().unwrap(), at(-86_400_000)), Ok(()));
    }

    #[test]
    fn integrations_that_are_no_longer_called_are_forgotten() {
        let (rates, limit) = (Rates::default(), "1/s".parse().unwrap());
        for n in 0..10_000 {
            let id = IntegrationId(Uuid::from_u128(n));
            assert_eq!(rates.count(id, limit, at(i64::try_from(n).unwrap() * 10)), Ok(()));
        }
        assert!(rates.0.lock().unwrap().busy_until.len() <= SWEPT_FROM);
    }
}
