//! Lanes: how much of each Integration's work this process has in hand.
//!
//! Each Integration has a lane of bounded width, and all lanes together hold a bounded number of deliveries, so memory is bounded too.
//! What does not fit is given back and waits in the table. A lane that had to give something back has a *backlog*: from then on it takes
//! what waits in the table, in the order in which it became due, before anything fresh, and only as much as it has room for. Claims for
//! everybody leave it out. So one Integration with a million deliveries due costs one claim that mostly gives back; after that neither
//! the claims of others walk into its rows, nor is a row leased and given back again and again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_model::{ExecutionId, IntegrationId};
use tokio::sync::Notify;

/// All lanes of this process.
#[derive(Debug)]
pub(crate) struct Lanes {
    width: usize,
    in_hand: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_hand: usize,
    lanes: HashMap<IntegrationId, Lane>,
    held: HashSet<ExecutionId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    in_hand: usize,
    backlog: bool,
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
    /// It is in hand already: its lease ran out while it waited, and this process claimed it again.
    InHand,
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
#[derive(Debug)]
pub(crate) struct Slot {
    lanes: Arc<Lanes>,
    lane: IntegrationId,
}

/// Keeps a delivery from being taken up a second time, until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lanes: Arc<Lanes>,
    id: ExecutionId,
}

impl Lanes {
    pub(crate) fn new(width: usize, in_hand: usize) -> Arc<Self> {
        Arc::new(Self { width, in_hand, state: Mutex::default(), freed: Notify::new() })
    }

    /// Takes a place for a delivery.
    pub(crate) fn enter(self: &Arc<Self>, id: ExecutionId, lane: IntegrationId, from: From) -> Entry {
        let mut state = self.state();
        if state.held.contains(&id) {
            return Entry::InHand;
        }
        let room = state.in_hand < self.in_hand;
        let known = state.lanes.entry(lane).or_default();
        let behind = from == From::Intake && known.backlog;
        if !room || behind || known.in_hand >= self.width {
            known.backlog = true;
            return Entry::Full;
        }
        known.in_hand += 1;
        state.in_hand += 1;
        state.held.insert(id);
        let held = Held { lanes: self.clone(), id };
        Entry::Place(Place { slot: Slot { lanes: self.clone(), lane }, held })
    }

    /// How many more fit, all lanes together.
    pub(crate) fn room(&self) -> usize {
        self.in_hand.saturating_sub(self.state().in_hand)
    }

    /// Lanes that claims for everybody leave out: they have a backlog, or are full.
    pub(crate) fn apart(&self) -> Vec<IntegrationId> {
        let state = self.state();
        let apart = state.lanes.iter().filter(|(_, lane)| lane.backlog || lane.in_hand >= self.width);
        apart.map(|(id, _)| *id).collect()
    }

    /// Lanes with a backlog that have room, and how much; the emptiest first, so that none waits for ever when all lanes together are full.
    pub(crate) fn behind(&self) -> Vec<(IntegrationId, usize)> {
        let state = self.state();
        let behind = state.lanes.iter().filter(|(_, lane)| lane.backlog && lane.in_hand < self.width);
        let mut behind: Vec<_> = behind.map(|(id, lane)| (*id, self.width - lane.in_hand)).collect();
        behind.sort_by_key(|(_, room)| std::cmp::Reverse(*room));
        behind
    }

    /// Says that nothing of this lane waits in the table any more.
    pub(crate) fn caught_up(&self, id: IntegrationId) {
        let mut state = self.state();
        if let Some(lane) = state.lanes.get_mut(&id) {
            lane.backlog = false;
            if lane.in_hand == 0 {
                state.lanes.remove(&id);
            }
        }
    }

    /// Returns when places that somebody waits for became free. A lane says so when a quarter of it is free, not for each place:
    /// a claim costs about as much for four as for one.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn leave(&self, id: IntegrationId) {
        let mut state = self.state();
        let awaited = state.in_hand >= self.in_hand;
        state.in_hand = state.in_hand.saturating_sub(1);
        let Some(lane) = state.lanes.get_mut(&id) else { return };
        lane.in_hand = lane.in_hand.saturating_sub(1);
        let awaited = awaited || (lane.backlog && self.width - lane.in_hand >= self.width.div_ceil(4));
        if lane.in_hand == 0 && !lane.backlog {
            state.lanes.remove(&id);
        }
        if awaited {
            self.freed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lanes.leave(self.lane);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lanes.state().held.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use uuid::Uuid;

    use super::*;

    fn lane(n: u128) -> IntegrationId {
        IntegrationId(Uuid::from_u128(n))
    }

    /// Enters with a delivery that was never seen.
    fn enter(lanes: &Arc<Lanes>, n: u128, from: From) -> Option<Place> {
        let id = ExecutionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()));
        match lanes.enter(id, lane(n), from) {
            Entry::Place(place) => Some(place),
            Entry::Full => None,
            Entry::InHand => panic!("it was never seen"),
        }
    }

    static NEXT: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn a_full_lane_leaves_room_in_the_others() {
        let lanes = Lanes::new(2, 10);
        let places: Vec<_> = (0..5).filter_map(|_| enter(&lanes, 1, From::Intake)).collect();
        assert_eq!(places.len(), 2);
        assert!(enter(&lanes, 2, From::Intake).is_some());
        assert_eq!(lanes.apart(), [lane(1)]);
    }

    #[test]
    fn what_is_fresh_waits_behind_a_backlog_until_the_lane_has_caught_up() {
        let lanes = Lanes::new(1, 10);
        let place = enter(&lanes, 1, From::Intake);
        assert!(enter(&lanes, 1, From::Intake).is_none());
        assert_eq!(lanes.behind(), []);
        drop(place);
        assert_eq!(lanes.behind(), [(lane(1), 1)]);
        assert!(enter(&lanes, 1, From::Intake).is_none());
        assert!(enter(&lanes, 1, From::Table).is_some());
        lanes.caught_up(lane(1));
        assert!(enter(&lanes, 1, From::Intake).is_some());
    }

    #[test]
    fn all_lanes_together_are_bounded() {
        let lanes = Lanes::new(5, 3);
        let places: Vec<_> = (0..9).filter_map(|n| enter(&lanes, n % 3, From::Table)).collect();
        assert_eq!((places.len(), lanes.room()), (3, 0));
        drop(places);
        assert_eq!(lanes.room(), 3);
    }

    #[test]
    fn idle_lanes_are_forgotten() {
        let lanes = Lanes::new(1, 10);
        drop(enter(&lanes, 1, From::Table));
        let place = enter(&lanes, 2, From::Table);
        assert!(enter(&lanes, 2, From::Table).is_none());
        drop(place);
        lanes.caught_up(lane(2));
        assert!(lanes.state().lanes.is_empty());
    }

    #[test]
    fn a_delivery_is_in_hand_once_until_its_state_is_stored() {
        let lanes = Lanes::new(5, 5);
        let id = ExecutionId(Uuid::from_u128(u128::MAX));
        let Entry::Place(place) = lanes.enter(id, lane(1), From::Intake) else { panic!("there is room") };
        assert!(matches!(lanes.enter(id, lane(1), From::Table), Entry::InHand));
        let Place { slot, held } = place;
        drop(slot);
        assert!(matches!(lanes.enter(id, lane(1), From::Table), Entry::InHand));
        drop(held);
        assert!(matches!(lanes.enter(id, lane(1), From::Table), Entry::Place(_)));
    }
}
