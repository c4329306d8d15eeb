//! Whether a destination that fails is left alone for a while. Pure: the clock is an argument.
//!
//! The circuit is *closed* while calls get through. It *opens* when, of the calls of the last while, enough were made and too many of
//! them failed; one bad event is not enough. While it is open nothing is called. Then one call goes through, the *probe*: when it arrives
//! the circuit closes, when it fails the circuit stays open, longer each time up to a limit.

use std::time::Duration;

use chrono::TimeDelta;
use tidegate_model::Timestamp;

/// The window is as many slices, each of which is forgotten whole.
const SLICES: usize = 10;
const OF_THEM: i64 = 10;

/// The pause doubles so often.
const DOUBLINGS: u32 = 4;

/// When a destination is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitOptions {
    /// Calls of this long ago still count.
    pub window: Duration,
    /// Fewer calls than this open nothing.
    pub calls: u32,
    /// Of a hundred calls, so many failed ones open it.
    pub failed_percent: u32,
    /// How long until the first probe; twice as long after each that fails, up to sixteen times as long.
    pub pause: Duration,
}

impl Default for CircuitOptions {
    fn default() -> Self {
        Self { window: Duration::from_mins(1), calls: 20, failed_percent: 50, pause: Duration::from_secs(15) }
    }
}

/// What of a destination's calls is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Circuit {
    slices: [Slice; SLICES],
    state: State,
}

/// A part of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slice {
    /// Which part of all time it is.
    number: i64,
    arrived: u32,
    failed: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    /// Nothing is called before `until`. So many probes have failed.
    Open { until: Timestamp, failed: u32 },
    /// One call is under way.
    Probing { failed: u32 },
}

/// What a call's end changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// Nothing.
    Nothing,
    /// It is left alone from now on.
    Opened,
    /// Its calls go on.
    Closed,
}

impl Circuit {
    /// How many calls may begin, of as many as there might be.
    pub(crate) fn room(&self, most: usize, now: Timestamp) -> usize {
        match self.state {
            State::Closed => most,
            State::Open { until, .. } if until <= now => most.min(1),
            State::Open { .. } | State::Probing { .. } => 0,
        }
    }

    /// Notes that a call begins: the probe, where the circuit is open. Answers whether it is.
    pub(crate) fn begin(&mut self) -> bool {
        if let State::Open { failed, .. } = self.state {
            self.state = State::Probing { failed };
            return true;
        }
        false
    }

    /// Notes how a call ended; one that was begun before the circuit opened changes nothing.
    pub(crate) fn end(&mut self, arrived: bool, probe: bool, options: &CircuitOptions, now: Timestamp) -> Changed {
        match (self.state, probe) {
            (State::Probing { .. }, true) if arrived => {
                *self = Self::default();
                Changed::Closed
            }
            (State::Probing { failed }, true) => {
                let longer = options.pause.saturating_mul(1 << failed.min(DOUBLINGS));
                self.open(longer, failed.saturating_add(1), now);
                Changed::Nothing
            }
            (State::Closed, _) => {
                self.count(arrived, options, now);
                let (calls, failed) = self.counted(options, now);
                let too_many = u64::from(failed) * 100 >= u64::from(calls) * u64::from(options.failed_percent);
                if arrived || calls < options.calls || !too_many {
                    return Changed::Nothing;
                }
                self.open(options.pause, 1, now);
                Changed::Opened
            }
            (State::Open { .. } | State::Probing { .. }, _) => Changed::Nothing,
        }
    }

    /// Notes that the probe never came to its call: the next one may begin.
    pub(crate) fn abandon(&mut self, now: Timestamp) {
        if let State::Probing { failed } = self.state {
            self.state = State::Open { until: now, failed };
        }
    }

    /// When the probe may begin; `None` where nobody waits for one.
    pub(crate) fn probes_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::Closed | State::Probing { .. } => None,
        }
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_blank(&self, options: &CircuitOptions, now: Timestamp) -> bool {
        self.state == State::Closed && self.counted(options, now).0 == 0
    }

    fn open(&mut self, pause: Duration, failed: u32, now: Timestamp) {
        let until = TimeDelta::from_std(pause).ok().and_then(|pause| now.checked_add_signed(pause)).unwrap_or(now);
        *self = Self { slices: Default::default(), state: State::Open { until, failed } };
    }

    fn count(&mut self, arrived: bool, options: &CircuitOptions, now: Timestamp) {
        let number = slice_of(options, now);
        let place = usize::try_from(number.rem_euclid(OF_THEM)).unwrap_or(0);
        let slice = &mut self.slices[place];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        let count = if arrived { &mut slice.arrived } else { &mut slice.failed };
        *count = count.saturating_add(1);
    }

    /// The calls within the window, and how many of them failed.
    fn counted(&self, options: &CircuitOptions, now: Timestamp) -> (u32, u32) {
        let newest = slice_of(options, now);
        let within = self.slices.iter().filter(|slice| (0..OF_THEM).contains(&(newest - slice.number)));
        within.fold((0, 0), |(calls, failed), slice| {
            (calls.saturating_add(slice.arrived).saturating_add(slice.failed), failed.saturating_add(slice.failed))
        })
    }
}

fn slice_of(options: &CircuitOptions, now: Timestamp) -> i64 {
    let length = i64::try_from(options.window.as_micros()).unwrap_or(i64::MAX) / OF_THEM;
    now.timestamp_micros().div_euclid(length.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: CircuitOptions =
        CircuitOptions { window: Duration::from_mins(1), calls: 10, failed_percent: 50, pause: Duration::from_secs(8) };

    fn at(seconds: i64) -> Timestamp {
        "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn after(calls: &[(i64, bool)]) -> Circuit {
        let mut circuit = Circuit::default();
        for (second, arrived) in calls {
            circuit.begin();
            circuit.end(*arrived, false, &OPTIONS, at(*second));
        }
        circuit
    }

    fn failing(calls: usize) -> Circuit {
        after(&vec![(0, false); calls])
    }

    fn probe(circuit: &mut Circuit, arrived: bool, second: i64) -> Changed {
        assert_eq!(circuit.room(16, at(second)), 1);
        assert!(circuit.begin());
        assert_eq!(circuit.room(16, at(second)), 0, "one probe at a time");
        circuit.end(arrived, true, &OPTIONS, at(second))
    }

    #[test]
    fn it_opens_on_the_rate_over_time_and_not_on_a_few_bad_calls() {
        assert_eq!(failing(9).room(16, at(0)), 16);
        assert_eq!(failing(10).room(16, at(0)), 0);
        let mut mixed: Vec<_> = (0..20).map(|n| (n, n % 3 != 0)).collect();
        assert_eq!(after(&mixed).room(16, at(20)), 16, "a third of them failed");
        mixed.extend((20..35).map(|n| (n, false)));
        assert_eq!(after(&mixed).room(16, at(35)), 0);
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let mut circuit = failing(9);
        assert!(!circuit.is_blank(&OPTIONS, at(50)));
        assert!(circuit.is_blank(&OPTIONS, at(61)));
        assert_eq!(circuit.end(false, false, &OPTIONS, at(61)), Changed::Nothing);
        assert_eq!(circuit.room(16, at(61)), 16);
    }

    #[test]
    fn one_probe_goes_through_after_a_while_and_its_success_closes_it() {
        let mut circuit = failing(10);
        assert_eq!((circuit.probes_at(), circuit.room(16, at(7))), (Some(at(8)), 0));
        assert_eq!(probe(&mut circuit, true, 8), Changed::Closed);
        assert_eq!(circuit.room(16, at(8)), 16);
        assert!(circuit.is_blank(&OPTIONS, at(8)), "it begins anew");
    }

    #[test]
    fn after_each_failed_probe_the_next_one_waits_longer_up_to_a_limit() {
        let mut circuit = failing(10);
        let mut now = 8;
        for wait in [16, 32, 64, 128, 128, 128] {
            assert_eq!(probe(&mut circuit, false, now), Changed::Nothing);
            assert_eq!(circuit.probes_at(), Some(at(now + wait)));
            now += wait;
        }
        assert_eq!(probe(&mut circuit, true, now), Changed::Closed);
    }

    #[test]
    fn a_probe_that_was_never_made_leaves_its_place_to_the_next() {
        let mut circuit = failing(10);
        assert!(circuit.begin());
        circuit.abandon(at(9));
        assert_eq!(probe(&mut circuit, true, 9), Changed::Closed);
    }

    #[test]
    fn calls_that_were_under_way_when_it_opened_change_nothing() {
        let mut circuit = failing(10);
        for arrived in [true, false] {
            assert_eq!(circuit.end(arrived, false, &OPTIONS, at(1)), Changed::Nothing);
        }
        assert!(circuit.begin());
        assert_eq!(circuit.end(true, false, &OPTIONS, at(9)), Changed::Nothing);
        assert_eq!(circuit.room(16, at(9)), 0);
    }

    proptest! {
        #[test]
        fn whatever_happens_it_opens_only_on_enough_failures_and_never_for_good(
            calls in prop::collection::vec((0i64..10, any::<bool>()), 1..200),
        ) {
            let mut circuit = Circuit::default();
            let mut now = 0;
            let mut made: Vec<(i64, bool)> = Vec::new();
            for (pause, arrived) in calls {
                now += pause;
                if circuit.room(1, at(now)) == 0 {
                    let until = circuit.probes_at().unwrap();
                    prop_assert!(until > at(now) && until <= at(now + 8 * 16));
                    continue;
                }
                let probe = circuit.begin();
                if !probe {
                    made.push((now, arrived));
                }
                match circuit.end(arrived, probe, &OPTIONS, at(now)) {
                    Changed::Opened => {
                        let late: Vec<_> = made.iter().filter(|(second, _)| now - second <= 60).collect();
                        prop_assert!(late.len() >= 10 && late.iter().any(|(_, arrived)| !arrived));
                        made.clear();
                    }
                    Changed::Closed => prop_assert!(probe && arrived),
                    Changed::Nothing => {}
                }
            }
        }

        #[test]
        fn a_destination_that_answers_is_never_left_alone(pauses in prop::collection::vec(0i64..5, 1..300)) {
            let mut circuit = Circuit::default();
            let mut now = 0;
            for pause in pauses {
                now += pause;
                circuit.begin();
                prop_assert_eq!(circuit.end(true, false, &OPTIONS, at(now)), Changed::Nothing);
                prop_assert_eq!(circuit.room(16, at(now)), 16);
            }
        }
    }
}
