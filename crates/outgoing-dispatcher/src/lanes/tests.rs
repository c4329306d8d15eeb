use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;
use tidegate_model::ManualClock;
use uuid::Uuid;

use super::*;

fn lanes(width: usize, in_hand: usize) -> Arc<Lanes> {
    let clock = ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap());
    Lanes::new(width, in_hand, CircuitOptions::default(), Arc::new(clock))
}

fn lane(n: u128) -> IntegrationId {
    IntegrationId(Uuid::from_u128(n))
}

fn tenant(n: u128) -> TenantId {
    format!("t{n}").parse().unwrap()
}

/// Enters with a delivery that was never seen.
fn enter(lanes: &Arc<Lanes>, n: u128, from: From) -> Option<Place> {
    let id = ExecutionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()));
    match lanes.enter(id, (&tenant(1), lane(n)), from) {
        Entry::Place(place) => Some(place),
        Entry::Full => None,
        Entry::InHand => panic!("it was never seen"),
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_full_lane_leaves_room_in_the_others() {
    let lanes = lanes(2, 10);
    let places: Vec<_> = (0..5).filter_map(|_| enter(&lanes, 1, From::Intake)).collect();
    assert_eq!(places.len(), 2);
    assert!(enter(&lanes, 2, From::Intake).is_some());
    assert_eq!(behind(&lanes), [], "it has no room");
    drop(places);
    assert_eq!(behind(&lanes), [(lane(1), 2)]);
}

fn behind(lanes: &Lanes) -> Vec<(IntegrationId, usize)> {
    lanes.behind().iter().map(|lane| (lane.id, lane.room)).collect()
}

#[test]
fn what_comes_to_wait_while_the_table_is_looked_at_is_not_forgotten() {
    let lanes = lanes(2, 10);
    lanes.waits(lane(1));
    let seen = lanes.behind().remove(0);
    lanes.waits(lane(1));
    lanes.caught_up(&seen);
    let seen = lanes.behind().remove(0);
    lanes.caught_up(&seen);
    assert_eq!(behind(&lanes), []);
}

#[test]
fn what_is_fresh_waits_behind_a_backlog_until_the_lane_has_caught_up() {
    let lanes = lanes(1, 10);
    let place = enter(&lanes, 1, From::Intake);
    assert!(enter(&lanes, 1, From::Intake).is_none());
    assert_eq!(behind(&lanes), []);
    drop(place);
    assert_eq!(behind(&lanes), [(lane(1), 1)]);
    assert!(enter(&lanes, 1, From::Intake).is_none());
    assert!(enter(&lanes, 1, From::Table).is_some());
    lanes.waits(lane(1));
    lanes.caught_up(&lanes.behind().remove(0));
    assert!(enter(&lanes, 1, From::Intake).is_some());
}

#[test]
fn all_lanes_together_are_bounded() {
    let lanes = lanes(5, 3);
    let places: Vec<_> = (0..9).filter_map(|n| enter(&lanes, n % 3, From::Table)).collect();
    assert_eq!((places.len(), lanes.room()), (3, 0));
    drop(places);
    assert_eq!(lanes.room(), 3);
}

#[test]
fn who_was_denied_a_share_hears_when_a_place_becomes_free() {
    let lanes = lanes(4, 8);
    let mut places: Vec<_> = (1..=2).flat_map(|n| [n; 4]).filter_map(|n| enter(&lanes, n, From::Table)).collect();
    assert_eq!((places.len(), lanes.room()), (4, 4), "each leaves some to others");
    assert!(enter(&lanes, 3, From::Table).is_some(), "who comes with little finds a place");
    let _before = lanes.freed().now_or_never();
    assert_eq!(behind(&lanes), [], "what is free is for who has less");
    places.truncate(3);
    assert!(lanes.freed().now_or_never().is_some());
    assert_eq!(behind(&lanes), [(lane(2), 1)]);
}

#[test]
fn idle_lanes_are_forgotten() {
    let lanes = lanes(1, 10);
    drop(enter(&lanes, 1, From::Table));
    let place = enter(&lanes, 2, From::Table);
    assert!(enter(&lanes, 2, From::Table).is_none());
    drop(place);
    lanes.caught_up(&lanes.behind().remove(0));
    assert!(lanes.state().lanes.is_empty());
}

#[test]
fn a_delivery_is_in_hand_once_until_its_state_is_stored() {
    let lanes = lanes(5, 5);
    let id = ExecutionId(Uuid::from_u128(u128::MAX));
    let Entry::Place(place) = lanes.enter(id, (&tenant(1), lane(1)), From::Intake) else { panic!("there is room") };
    assert!(matches!(lanes.enter(id, (&tenant(1), lane(1)), From::Table), Entry::InHand));
    let Place { slot, held } = place;
    drop(slot);
    assert!(matches!(lanes.enter(id, (&tenant(1), lane(1)), From::Table), Entry::InHand));
    drop(held);
    assert!(matches!(lanes.enter(id, (&tenant(1), lane(1)), From::Table), Entry::Place(_)));
}
