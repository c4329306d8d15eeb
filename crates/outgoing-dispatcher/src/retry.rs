//! What follows an attempt: a pure function of the answer, the schedule and one draw (CONTRACT section 4).

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use tidegate_model::{RetrySchedule, Timestamp};

use crate::Schedule;

/// By how much an Integration's own wait may be longer than it says, so that what failed together does not come back together.
const STRETCH: f64 = 0.1;

/// The schedule that a delivery is repeated by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rhythm<'a> {
    /// The operator's.
    Usual(&'a Schedule),
    /// The Integration's own; the operator's still says how long a destination may put it off.
    Own(&'a RetrySchedule, &'a Schedule),
}

impl<'a> From<&'a Schedule> for Rhythm<'a> {
    fn from(schedule: &'a Schedule) -> Self {
        Self::Usual(schedule)
    }
}

impl<'a> Rhythm<'a> {
    /// The Integration's own where there is one.
    pub(crate) fn of(own: Option<&'a RetrySchedule>, usual: &'a Schedule) -> Self {
        own.map_or(Self::Usual(usual), |own| Self::Own(own, usual))
    }

    /// Attempts in all.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            Self::Usual(schedule) => schedule.attempts,
            Self::Own(own, _) => u32::try_from(own.delays_seconds.len()).unwrap_or(u32::MAX).saturating_add(1),
        }
    }

    /// How long after attempt `number` (1, 2, ...) the next one comes.
    fn wait(self, number: u32, draw: f64) -> Duration {
        match self {
            Self::Usual(schedule) => backoff(number, schedule, draw),
            Self::Own(own, _) => {
                let place = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
                let seconds = own.delays_seconds.get(place).copied().unwrap_or_default();
                Duration::from_secs(seconds.into()).mul_f64(1.0 + STRETCH * draw.clamp(0.0, 1.0))
            }
        }
    }

    fn retry_after_cap(self) -> Duration {
        let (Self::Usual(schedule) | Self::Own(_, schedule)) = self;
        schedule.retry_after_cap
    }
}

/// How an attempt ended, as far as the schedule is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// The destination answered.
    Status {
        /// With this status,
        status: u16,
        /// and this `Retry-After`.
        retry_after: Option<&'a str>,
    },
    /// It did not answer in time, or could not be reached; or the platform could not make the call.
    None,
    /// The platform never makes this call.
    Refused,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has arrived.
    Arrived,
    /// Another attempt, at this instant.
    Again(Timestamp),
    /// That was the last attempt.
    Dead,
    /// Another attempt would end the same way.
    Failed,
}

/// Whether a status says that the same call may be taken another time.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Judges attempt `number` (1, 2, ...). `draw` is uniform over `0.0..1.0`.
pub(crate) fn verdict<'a>(
    answer: Answer<'_>,
    number: u32,
    now: Timestamp,
    rhythm: impl Into<Rhythm<'a>>,
    draw: f64,
) -> Verdict {
    let rhythm = rhythm.into();
    let retry_after = match answer {
        Answer::Status { status: 200..=299, .. } => return Verdict::Arrived,
        Answer::Status { status, retry_after } if is_passing(status) => retry_after,
        Answer::Status { .. } | Answer::Refused => return Verdict::Failed,
        Answer::None => None,
    };
    if number >= rhythm.attempts() {
        return Verdict::Dead;
    }
    let asked = retry_after.and_then(|text| wished(text, now)).unwrap_or_default().min(rhythm.retry_after_cap());
    let delay = rhythm.wait(number, draw).max(asked);
    Verdict::Again(TimeDelta::from_std(delay).ok().and_then(|delay| now.checked_add_signed(delay)).unwrap_or(now))
}

/// Exponential with full jitter: anything between nothing and the ceiling, so that many deliveries that failed together come back apart.
fn backoff(number: u32, schedule: &Schedule, draw: f64) -> Duration {
    let factor = schedule.factor.checked_pow(number.saturating_sub(1)).unwrap_or(u32::MAX);
    let ceiling = schedule.first.saturating_mul(factor).min(schedule.cap);
    ceiling.mul_f64(draw.clamp(0.0, 1.0))
}

/// How long from now the destination wants to be left alone (RFC 9110 section 10.2.3): seconds, or a date in one of its three forms.
fn wished(retry_after: &str, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::parse_from_rfc2822(text).map(|date| date.to_utc()).ok().or_else(|| {
        ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|date| date.and_utc())
    })?;
    Some((date - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "1994-11-06T08:49:00Z".parse().unwrap()
    }

    fn judged(status: u16, number: u32) -> Verdict {
        verdict(Answer::Status { status, retry_after: None }, number, now(), &Schedule::default(), 0.5)
    }

    fn wait(retry_after: &str) -> i64 {
        let answer = Answer::Status { status: 503, retry_after: Some(retry_after) };
        match verdict(answer, 1, now(), &Schedule::default(), 0.0) {
            Verdict::Again(at) => (at - now()).num_seconds(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_status_has_one_verdict() {
        for status in 100..=999 {
            let verdict = judged(status, 1);
            match status {
                200..=299 => assert_eq!(verdict, Verdict::Arrived, "{status}"),
                408 | 425 | 429 | 500..=599 => assert!(matches!(verdict, Verdict::Again(_)), "{status}"),
                _ => assert_eq!(verdict, Verdict::Failed, "{status}"),
            }
        }
    }

    #[test]
    fn no_answer_is_tried_again_and_a_refused_address_is_not() {
        let schedule = Schedule::default();
        assert!(matches!(verdict(Answer::None, 7, now(), &schedule, 0.5), Verdict::Again(_)));
        assert_eq!(verdict(Answer::None, 8, now(), &schedule, 0.5), Verdict::Dead);
        assert_eq!(verdict(Answer::Refused, 1, now(), &schedule, 0.5), Verdict::Failed);
        assert_eq!(judged(500, 8), Verdict::Dead);
        assert_eq!(judged(200, 8), Verdict::Arrived);
    }

    #[test]
    fn retry_after_is_honoured_in_seconds_and_in_each_form_of_date() {
        assert_eq!(wait("120"), 120);
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), 37);
        assert_eq!(wait("Sunday, 06-Nov-94 08:49:37 GMT"), 37);
        assert_eq!(wait("Sun Nov  6 08:49:37 1994"), 37);
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), 0, "what is past asks for nothing");
        for nonsense in ["", "soon", "-5", "1.5"] {
            assert_eq!(wait(nonsense), 0, "{nonsense}");
        }
    }

    #[test]
    fn retry_after_has_a_cap() {
        let cap = i64::try_from(Schedule::default().retry_after_cap.as_secs()).unwrap();
        for far in ["99999999", "99999999999999999999999999", "Sat, 06 Nov 2094 08:49:37 GMT"] {
            assert_eq!(wait(far), cap, "{far}");
        }
    }

    #[test]
    fn an_integrations_own_waits_are_what_they_say_and_up_to_a_tenth_more() {
        let (own, usual) = (RetrySchedule { delays_seconds: vec![5, 300] }, Schedule::default());
        let rhythm = Rhythm::Own(&own, &usual);
        let wait = |number, draw| match verdict(Answer::None, number, now(), rhythm, draw) {
            Verdict::Again(at) => (at - now()).num_milliseconds(),
            other => panic!("{other:?}"),
        };
        assert_eq!((wait(1, 0.0), wait(1, 1.0), wait(2, 0.0)), (5_000, 5_500, 300_000));
        assert_eq!(rhythm.attempts(), 3);
        assert_eq!(verdict(Answer::None, 3, now(), rhythm, 0.5), Verdict::Dead);
        let none = RetrySchedule::default();
        assert_eq!(verdict(Answer::None, 1, now(), Rhythm::Own(&none, &usual), 0.5), Verdict::Dead);
        let asked = Answer::Status { status: 429, retry_after: Some("60") };
        assert!(
            matches!(verdict(asked, 1, now(), rhythm, 0.0), Verdict::Again(at) if (at - now()).num_seconds() == 60)
        );
    }

    #[test]
    fn eight_attempts_span_about_a_day() {
        let schedule = Schedule::default();
        let span: Duration = (1..schedule.attempts).map(|number| backoff(number, &schedule, 0.5)).sum();
        assert!((20..=28).contains(&(span.as_secs() / 3600)), "{span:?}");
    }

    proptest! {
        #[test]
        fn a_delay_lies_between_nothing_and_the_ceiling(number in 1u32..200, draw in 0.0..1.0f64, first in 1u64..1000, factor in 1u32..20) {
            let schedule = Schedule { attempts: 1000, first: Duration::from_secs(first), factor, ..Schedule::default() };
            let ceiling = backoff(number, &schedule, 1.0);
            let Verdict::Again(at) = verdict(Answer::None, number, now(), &schedule, draw) else { panic!("again") };
            let delay = (at - now()).to_std().unwrap();
            prop_assert!(delay <= ceiling && ceiling <= schedule.cap);
            prop_assert!(backoff(number, &schedule, 1.0) <= backoff(number + 1, &schedule, 1.0));
        }

        #[test]
        fn whatever_a_destination_says_the_next_attempt_is_neither_past_nor_beyond_the_cap(text in any::<String>(), seconds: u64, as_number: bool) {
            let text = if as_number { seconds.to_string() } else { text };
            let schedule = Schedule::default();
            let answer = Answer::Status { status: 429, retry_after: Some(&text) };
            let Verdict::Again(at) = verdict(answer, 1, now(), &schedule, 0.3) else { panic!("again") };
            prop_assert!(at >= now());
            prop_assert!((at - now()).to_std().unwrap() <= schedule.retry_after_cap.max(schedule.cap));
        }
    }
}
