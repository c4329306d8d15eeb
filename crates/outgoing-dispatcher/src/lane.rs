//! One Integration's lane: how much of its work this process may take up now. Pure.

use chrono::TimeDelta;
use tidegate_model::{TenantId, Timestamp};

use crate::circuit::{Changed, Circuit, CircuitOptions};

/// As many calls as a rate has in this time may begin at once.
const PERIOD: TimeDelta = TimeDelta::seconds(1);

/// A waiting lane takes this share of a period's calls at a time, if it is more than one: a claim costs about as much for four as for one.
const SHARES: u32 = 20;

/// How wide a lane is, as its Integration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Deliveries in hand at once.
    pub(crate) width: usize,
    /// Calls that begin in a second; as many as there are where there is none.
    pub(crate) rate: Option<u32>,
    /// Nothing may enter until somebody resumes the Integration.
    pub(crate) paused: bool,
}

/// That a delivery may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Its call shows whether the destination is there again.
    pub(crate) probe: bool,
}

/// What of an Integration is in hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// Whose it is; `None` until a delivery has come.
    tenant: Option<TenantId>,
    /// As they were last seen; `None` until a delivery in hand has found its Integration.
    terms: Option<Terms>,
    /// With those that do not know yet whether they may go on.
    in_hand: usize,
    /// Those that go on.
    admitted: usize,
    /// Something of it waits in the table.
    backlog: bool,
    /// Grows with each that waits there.
    waits: u64,
    /// Until when its calls would last if they came as slowly as its rate always allows (the generic cell rate algorithm).
    busy_until: Option<Timestamp>,
    /// Whether the destination is left alone.
    circuit: Circuit,
}

impl Lane {
    /// Learns whose it is.
    pub(crate) fn is_of(&mut self, tenant: &TenantId) {
        self.tenant.get_or_insert_with(|| tenant.clone());
    }

    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// How many more may enter. Until its terms are known, `width` stands for them.
    pub(crate) fn room(&self, width: usize, now: Timestamp) -> usize {
        self.circuit.room(self.places(width).min(self.calls(now)), now)
    }

    /// Takes a place. Without a ticket the delivery finds its Integration first, and asks [`Lane::admit`].
    pub(crate) fn enter(&mut self, now: Timestamp) -> Option<Ticket> {
        self.in_hand += 1;
        self.terms?;
        Some(self.let_in(now))
    }

    /// Learns the terms. One without a ticket gets it, or leaves: then something waits.
    pub(crate) fn admit(&mut self, terms: Terms, ticket: Option<Ticket>, now: Timestamp) -> Option<Ticket> {
        if self.terms.is_some_and(|known| known.rate != terms.rate) {
            self.busy_until = None;
        }
        self.terms = Some(terms);
        if ticket.is_some() {
            return ticket;
        }
        let full = terms.paused || self.admitted >= terms.width;
        if full || self.calls(now) == 0 || self.circuit.room(1, now) == 0 {
            self.backlog = true;
            return None;
        }
        Some(self.let_in(now))
    }

    /// Gives a place back. A call that was not made does not count; one whose end was not told (`open`) says nothing of the destination.
    pub(crate) fn leave(&mut self, ticket: Option<Ticket>, (unused, open): (bool, bool), now: Timestamp) {
        self.in_hand = self.in_hand.saturating_sub(1);
        let Some(Ticket { probe }) = ticket else { return };
        self.admitted = self.admitted.saturating_sub(1);
        if let (true, Some(share), Some(until)) = (unused, self.share(), &mut self.busy_until) {
            *until -= share;
        }
        if probe && open {
            self.circuit.abandon(now);
        }
    }

    /// Notes whether a call found its destination able to take it.
    pub(crate) fn called(&mut self, took: bool, probe: bool, options: &CircuitOptions, now: Timestamp) -> Changed {
        let changed = self.circuit.end(took, probe, options, now);
        self.backlog |= changed == Changed::Opened;
        changed
    }

    /// Something of it waits in the table from now on.
    pub(crate) fn wait(&mut self) {
        self.backlog = true;
        self.waits = self.waits.wrapping_add(1);
    }

    /// How many have waited, so that who looks into the table knows whether one came meanwhile.
    pub(crate) fn waits(&self) -> u64 {
        self.waits
    }

    /// Nothing of it waits in the table any more, unless something came since so many had waited.
    pub(crate) fn catch_up(&mut self, waits: u64) {
        self.backlog &= self.waits != waits;
    }

    pub(crate) fn has_backlog(&self) -> bool {
        self.backlog
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.terms.is_some_and(|terms| terms.paused)
    }

    /// Lets nothing enter any more.
    pub(crate) fn pause(&mut self) {
        if let Some(terms) = &mut self.terms {
            terms.paused = true;
        }
        self.backlog = true;
    }

    /// Its pause may be over: who enters next finds out.
    pub(crate) fn ask_anew(&mut self) {
        self.terms = None;
        self.circuit = Circuit::default();
    }

    /// Whether somebody waits for a place, and a quarter of them is free: a claim costs about as much for four as for one.
    pub(crate) fn is_worth_a_claim(&self, width: usize, now: Timestamp) -> bool {
        let width = self.terms.map_or(width, |terms| terms.width);
        self.backlog && self.room(width, now) > 0 && self.places(width) >= width.div_ceil(4)
    }

    /// When something that waits only for the rate, or for its destination, may enter.
    pub(crate) fn opens_at(&self, width: usize, now: Timestamp) -> Option<Timestamp> {
        if !self.backlog || self.places(width) == 0 {
            return None;
        }
        self.rate_at(now).max(self.circuit.probes_at().filter(|at| *at > now))
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_idle(&self, options: &CircuitOptions, now: Timestamp) -> bool {
        let free = self.in_hand == 0 && !self.backlog && self.busy_until.is_none_or(|until| until <= now);
        free && self.circuit.is_blank(options, now)
    }

    fn let_in(&mut self, now: Timestamp) -> Ticket {
        self.admitted += 1;
        if let Some(share) = self.share() {
            self.busy_until = Some(self.busy(now) + share);
        }
        Ticket { probe: self.circuit.begin() }
    }

    /// When the rate lets some in again, where nothing else holds them.
    fn rate_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (rate, share) = (self.terms?.rate?, self.share()?);
        let some = i32::try_from((rate / SHARES).max(1)).unwrap_or(i32::MAX);
        (self.calls(now) == 0).then_some(self.busy_until? + share * some - PERIOD)
    }

    fn places(&self, width: usize) -> usize {
        let width = self.terms.map_or(width, |terms| if terms.paused { 0 } else { terms.width });
        width.saturating_sub(self.in_hand)
    }

    /// How many calls may begin.
    fn calls(&self, now: Timestamp) -> usize {
        let Some(share) = self.share() else { return usize::MAX };
        let free = now + PERIOD - self.busy(now);
        let calls = free.num_microseconds().unwrap_or(0) / share.num_microseconds().unwrap_or(1).max(1);
        usize::try_from(calls).unwrap_or(0)
    }

    /// A clock that was set back far must not shut the lane.
    fn busy(&self, now: Timestamp) -> Timestamp {
        self.busy_until.filter(|until| *until <= now + PERIOD).unwrap_or(now).max(now)
    }

    /// One call's share of the period.
    fn share(&self) -> Option<TimeDelta> {
        let rate = self.terms?.rate?;
        Some(PERIOD / i32::try_from(rate.max(1)).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn start() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    const TICKET: Option<Ticket> = Some(Ticket { probe: false });
    const UNUSED: (bool, bool) = (true, true);
    const USED: (bool, bool) = (false, false);

    fn terms(width: usize, rate: Option<u32>) -> Terms {
        Terms { width, rate, paused: false }
    }

    fn lane(width: usize, rate: Option<u32>) -> Lane {
        let mut lane = Lane::default();
        assert_eq!(lane.enter(start()), None, "nothing is known of it");
        assert_eq!(lane.admit(terms(width, rate), None, start()), TICKET);
        lane.leave(TICKET, UNUSED, start());
        lane
    }

    #[test]
    fn until_its_terms_are_known_a_lane_is_as_wide_as_usual_and_then_as_its_integration_says() {
        let mut lane = Lane::default();
        assert_eq!(lane.room(16, start()), 16);
        for _ in 0..3 {
            lane.enter(start());
        }
        assert_eq!([(); 3].map(|()| lane.admit(terms(2, None), None, start())), [TICKET, TICKET, None]);
        assert!(lane.has_backlog(), "who was turned away waits in the table");
        lane.leave(None, USED, start());
        assert_eq!(lane.room(16, start()), 0);
        lane.leave(TICKET, USED, start());
        assert_eq!(lane.room(16, start()), 1);
    }

    #[test]
    fn who_has_been_let_in_goes_on_when_the_lane_becomes_narrower() {
        let mut lane = lane(4, None);
        assert_eq!((lane.enter(start()), lane.enter(start())), (TICKET, TICKET));
        assert_eq!(lane.admit(terms(1, None), TICKET, start()), TICKET);
        assert_eq!(lane.room(16, start()), 0);
    }

    #[test]
    fn a_rate_lets_a_seconds_calls_in_at_once_and_then_one_for_each_share() {
        let mut lane = lane(100, Some(4));
        assert_eq!(lane.room(16, start()), 4);
        for _ in 0..4 {
            lane.enter(start());
        }
        lane.wait();
        assert_eq!(lane.room(16, start()), 0);
        assert_eq!(lane.opens_at(16, start()), Some(start() + TimeDelta::milliseconds(250)));
        assert_eq!(lane.room(16, start() + TimeDelta::milliseconds(249)), 0);
        assert_eq!(lane.room(16, start() + TimeDelta::milliseconds(250)), 1);
        assert_eq!(lane.room(16, start() + TimeDelta::seconds(9)), 4);
    }

    #[test]
    fn a_call_that_was_not_made_does_not_count() {
        let mut lane = lane(10, Some(1));
        assert_eq!(lane.enter(start()), TICKET);
        lane.leave(TICKET, UNUSED, start());
        assert_eq!(lane.room(16, start()), 1);
        assert_eq!(lane.enter(start()), TICKET);
        lane.leave(TICKET, USED, start());
        assert_eq!(lane.room(16, start()), 0);
        assert!(!lane.is_idle(&OPTIONS, start()) && lane.is_idle(&OPTIONS, start() + TimeDelta::seconds(1)));
    }

    const OPTIONS: CircuitOptions =
        CircuitOptions { window: Duration::from_mins(1), calls: 3, failed_percent: 50, pause: Duration::from_secs(8) };

    #[test]
    fn nothing_enters_a_paused_lane_until_it_asks_anew() {
        let mut lane = lane(4, None);
        assert_eq!(lane.enter(start()), TICKET);
        lane.pause();
        assert_eq!((lane.room(16, start()), lane.opens_at(16, start())), (0, None));
        assert!(lane.is_paused() && lane.has_backlog());
        lane.leave(TICKET, USED, start());
        assert!(!lane.is_worth_a_claim(16, start()) && !lane.is_idle(&OPTIONS, start()));
        lane.ask_anew();
        assert_eq!((lane.room(16, start()), lane.enter(start())), (16, None));
        assert_eq!(lane.admit(Terms { paused: true, ..terms(4, None) }, None, start()), None);
    }

    #[test]
    fn a_lane_whose_destination_fails_lets_one_in_after_a_while() {
        let mut lane = lane(4, None);
        for _ in 0..3 {
            assert_eq!(lane.enter(start()), TICKET);
            lane.called(false, false, &OPTIONS, start());
            lane.leave(TICKET, USED, start());
        }
        let later = start() + TimeDelta::seconds(8);
        assert_eq!((lane.room(16, start()), lane.opens_at(16, start())), (0, Some(later)));
        assert_eq!(lane.room(16, later), 1);
        let probe = lane.enter(later);
        assert_eq!((probe, lane.room(16, later)), (Some(Ticket { probe: true }), 0));
        lane.leave(probe, UNUSED, later);
        assert_eq!(lane.room(16, later), 1, "it made no call: the next one is the probe");
        let probe = lane.enter(later);
        assert_eq!(lane.called(true, true, &OPTIONS, later), Changed::Closed);
        lane.leave(probe, USED, later);
        assert_eq!(lane.room(16, later), 4);
    }

    proptest! {
        #[test]
        fn in_no_second_more_calls_begin_than_twice_the_rate_and_in_the_long_run_not_more_than_it(
            rate in 1u32..50, pauses in prop::collection::vec(0i64..400, 1..60),
        ) {
            let mut lane = lane(10_000, Some(rate));
            let mut now = start();
            let mut begun = Vec::new();
            for pause in pauses {
                now += TimeDelta::milliseconds(pause);
                for _ in 0..lane.room(16, now).min(5) {
                    lane.enter(now);
                    lane.leave(TICKET, USED, now);
                    begun.push(now);
                }
            }
            let rate = usize::try_from(rate).unwrap();
            let within = |from: Timestamp| begun.iter().filter(|at| (from..from + PERIOD).contains(at)).count();
            prop_assert!(begun.iter().all(|from| within(*from) <= 2 * rate));
            let elapsed = usize::try_from((now - start()).num_milliseconds()).unwrap();
            prop_assert!(begun.len() <= rate + rate * elapsed / 1000 + 1);
        }
    }
}
