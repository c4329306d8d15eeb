//! Lanes: how much of each Integration's work this process has in hand.
//!
//! Each Integration has a lane ([`lane`](crate::lane)) of bounded width, and all lanes together hold a bounded number of deliveries, so
//! memory is bounded too; these they [share](crate::shares) so that who is slow does not have them all. What does not fit, or is more than
//! the Integration's rate allows, waits in the table, and is marked as waiting in its lane. A lane of which something waits has a *backlog*:
//! from then on it takes what waits in the table, in the order in which it became due, before anything fresh, and only as much as it has
//! room for. Claims for everybody do not see what waits in lanes. So an Integration with a million deliveries that wait costs the others
//! nothing: no claim of theirs walks past its rows, and none of these is leased and given back again and again.
//!
//! How wide a lane is, its Integration says. A delivery enters before that is known: it finds its Integration, and is *admitted* or
//! leaves again. So a registry that is slow holds up nobody else.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_model::{Clock, ExecutionId, IntegrationId, TenantId};
use tokio::sync::Notify;

use crate::circuit::{Changed, CircuitOptions};
use crate::lane::{Lane, Terms, Ticket};
use crate::shares::Shares;

/// All lanes of this process.
pub(crate) struct Lanes {
    width: usize,
    circuit: CircuitOptions,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    freed: Notify,
    let_go: Notify,
}

#[derive(Debug)]
struct State {
    shares: Shares,
    lanes: HashMap<IntegrationId, Lane>,
    held: HashSet<ExecutionId>,
    /// Somebody had room in its lane and got no place: the next that becomes free may be its.
    denied: bool,
}

/// Where a delivery comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// Just taken in: it waits behind what waits in the table.
    Intake,
    /// Claimed from the table.
    Table,
}

/// Whether a delivery may be taken up.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It has a place.
    Place(Place),
    /// There is none; the lane has a backlog from now on.
    Full,
    /// It is in hand already: this process claimed it again, because its lease ran out while it waited, or because it was given back and
    /// due a moment before that was known here.
    InHand,
}

/// A lane of which something waits in the table, as it was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub(crate) id: IntegrationId,
    /// How many more may enter.
    pub(crate) room: usize,
    waits: u64,
}

/// A delivery's place in its lane.
#[derive(Debug)]
pub(crate) struct Place {
    /// Until the delivery has been made, as far as it can be now.
    pub(crate) slot: Slot,
    /// Until its state is stored.
    pub(crate) held: Held,
}

/// One of a lane's places; free again when this is dropped.
pub(crate) struct Slot {
    lanes: Arc<Lanes>,
    lane: IntegrationId,
    tenant: TenantId,
    ticket: Option<Ticket>,
    called: bool,
    judged: bool,
}

/// Keeps a delivery from being taken up a second time, until this is dropped.
pub(crate) struct Held {
    lanes: Arc<Lanes>,
    id: ExecutionId,
}

impl Lanes {
    /// `width` is that of lanes whose Integrations are not known yet.
    pub(crate) fn new(width: usize, in_hand: usize, circuit: CircuitOptions, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            width,
            circuit,
            clock,
            state: Mutex::new(State {
                shares: Shares::new(in_hand),
                lanes: HashMap::new(),
                held: HashSet::new(),
                denied: false,
            }),
            freed: Notify::new(),
            let_go: Notify::new(),
        })
    }

    /// Takes a place for a delivery.
    pub(crate) fn enter(
        self: &Arc<Self>,
        id: ExecutionId,
        (tenant, lane): (&TenantId, IntegrationId),
        from: From,
    ) -> Entry {
        let now = self.clock.now();
        let mut state = self.state();
        let State { shares, lanes, held, denied } = &mut *state;
        if held.contains(&id) {
            return Entry::InHand;
        }
        let known = lanes.entry(lane).or_default();
        known.is_of(tenant);
        let behind = from == From::Intake && known.has_backlog();
        let room = !behind && known.room(self.width, now) > 0;
        let share = shares.room(Some(tenant), known.in_hand()) > 0;
        *denied |= room && !share;
        if !room || !share {
            known.wait();
            return Entry::Full;
        }
        let ticket = known.enter(now);
        shares.take(Some(tenant), 1);
        held.insert(id);
        let held = Held { lanes: self.clone(), id };
        let slot = Slot { lanes: self.clone(), lane, tenant: tenant.clone(), ticket, called: false, judged: false };
        Entry::Place(Place { slot, held })
    }

    /// How many more fit, all lanes together.
    pub(crate) fn room(&self) -> usize {
        self.state().shares.free()
    }

    /// Forgets the lanes that are idle by now.
    pub(crate) fn forget_idle(&self) {
        let now = self.clock.now();
        self.state().lanes.retain(|_, lane| !lane.is_idle(&self.circuit, now));
    }

    /// Lanes with a backlog that have room, and how much of what is free each of them gets: those of whoever has least in hand first, so that
    /// none waits for ever when all lanes together are full.
    pub(crate) fn behind(&self) -> Vec<Behind> {
        let now = self.clock.now();
        let mut state = self.state();
        let State { shares, lanes, denied, .. } = &mut *state;
        let mut behind: Vec<_> = lanes
            .iter()
            .filter(|(_, lane)| lane.has_backlog())
            .map(|(id, lane)| (lane, Behind { id: *id, room: lane.room(self.width, now), waits: lane.waits() }))
            .filter(|(_, behind)| behind.room > 0)
            .collect();
        behind.sort_by_key(|(lane, _)| (shares.held_by(lane.tenant()), lane.in_hand()));
        let mut left = shares.clone();
        for (lane, behind) in &mut behind {
            let share = left.room(lane.tenant(), lane.in_hand());
            *denied |= share < behind.room;
            behind.room = behind.room.min(share);
            left.take(lane.tenant(), behind.room);
        }
        behind.into_iter().map(|(_, behind)| behind).filter(|behind| behind.room > 0).collect()
    }

    /// Says that something of this Integration waits in the table, in its lane.
    pub(crate) fn waits(&self, id: IntegrationId) {
        let now = self.clock.now();
        let mut state = self.state();
        let State { shares, lanes, .. } = &mut *state;
        let lane = lanes.entry(id).or_default();
        lane.wait();
        if shares.room(lane.tenant(), lane.in_hand()) > 0 && lane.is_worth_a_claim(self.width, now) {
            self.freed.notify_one();
        }
    }

    /// How long until a lane with a backlog has room again although none of its places becomes free; `None` where there is no such lane.
    pub(crate) fn next_opening(&self) -> Option<Duration> {
        let now = self.clock.now();
        let next = self.state().lanes.values().filter_map(|lane| lane.opens_at(self.width, now)).min()?;
        Some((next - now).to_std().unwrap_or_default())
    }

    /// Lanes of Integrations that are paused, as far as is known here.
    pub(crate) fn paused(&self) -> Vec<IntegrationId> {
        self.state().lanes.iter().filter(|(_, lane)| lane.is_paused()).map(|(id, _)| *id).collect()
    }

    /// Says that this Integration is not paused any more.
    pub(crate) fn resume(&self, id: IntegrationId) {
        if let Some(lane) = self.state().lanes.get_mut(&id) {
            lane.ask_anew();
        }
    }

    /// Says that nothing of this lane waits in the table any more, unless something came since it was seen to be behind.
    pub(crate) fn caught_up(&self, behind: &Behind) {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(lane) = state.lanes.get_mut(&behind.id) {
            lane.catch_up(behind.waits);
            if lane.is_idle(&self.circuit, now) {
                state.lanes.remove(&behind.id);
            }
        }
    }

    /// Returns when places that somebody waits for became free. A lane says so when a quarter of it is free, not for each place:
    /// a claim costs about as much for four as for one.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Returns when a delivery is in hand no more.
    pub(crate) async fn let_go(&self, id: ExecutionId) {
        loop {
            let mut told = pin!(self.let_go.notified());
            told.as_mut().enable();
            if !self.state().held.contains(&id) {
                return;
            }
            told.await;
        }
    }

    fn leave(&self, slot: &Slot) {
        let now = self.clock.now();
        let mut state = self.state();
        let awaited = std::mem::take(&mut state.denied) || state.shares.free() == 0;
        state.shares.leave(&slot.tenant);
        let Some(lane) = state.lanes.get_mut(&slot.lane) else { return };
        lane.leave(slot.ticket, (!slot.called, !slot.judged), now);
        let awaited = awaited || lane.is_worth_a_claim(self.width, now);
        if lane.is_idle(&self.circuit, now) {
            state.lanes.remove(&slot.lane);
        }
        if awaited {
            self.freed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Tells the lane's terms, as the Integration has them now. Whether the delivery may go on; otherwise it waits in the table.
    pub(crate) fn admit(&mut self, terms: Terms) -> bool {
        let now = self.lanes.clock.now();
        let mut state = self.lanes.state();
        self.ticket = state.lanes.entry(self.lane).or_default().admit(terms, self.ticket, now);
        self.ticket.is_some()
    }

    /// Says that a call is made, which the lane's rate counts.
    pub(crate) fn calls(&mut self) {
        self.called = true;
    }

    /// Says whether the destination was able to take the call: a lane whose destination is not is left alone for a while.
    pub(crate) fn took(&mut self, took: bool) {
        let (now, options) = (self.lanes.clock.now(), self.lanes.circuit);
        let probe = self.ticket.is_some_and(|ticket| ticket.probe);
        self.judged = true;
        let mut state = self.lanes.state();
        let lane = state.lanes.entry(self.lane).or_default();
        match lane.called(took, probe, &options, now) {
            Changed::Opened => {
                tracing::warn!(integration = %self.lane, "its calls fail: its destination is left alone");
            }
            Changed::Closed => tracing::info!(integration = %self.lane, "its destination is there again"),
            Changed::Nothing => {}
        }
    }

    /// Says that the Integration is paused.
    pub(crate) fn pause(&self) {
        self.lanes.state().lanes.entry(self.lane).or_default().pause();
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.lane).finish()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.id).finish()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lanes.leave(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lanes.state().held.remove(&self.id);
        self.lanes.let_go.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
