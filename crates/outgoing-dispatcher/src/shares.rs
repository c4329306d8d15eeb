//! How the places in hand are shared out: whoever holds much leaves some to whoever holds little. Pure.
//!
//! No place is kept for anybody by name, and none stays empty that only one has use for. A lane gets one more while it holds less than a
//! third of as many as are free, a tenant while it holds less than eight times as many, and for a lane of its that has none 32 times (dynamic
//! thresholds; A. Choudhury, E. Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998). So a lane alone has up to
//! a quarter of all places and a tenant eight of nine; the more of them are slow, the fewer each of them has. Who has more than its share by
//! now gets no more until it has less, and what becomes free meanwhile is for who comes with little.

use std::collections::HashMap;

use tidegate_model::TenantId;

/// A lane may hold one for so many that are free.
const OF_A_LANE: usize = 3;

/// A tenant may hold so many for each that is free.
const OF_A_TENANT: usize = 8;

/// The same for a lane that holds none: the tenant's other ones may all be slow.
const OF_A_TENANT_FOR_A_FIRST: usize = 32;

/// Who holds how many.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    free: usize,
    tenants: HashMap<TenantId, usize>,
}

impl Shares {
    pub(crate) fn new(places: usize) -> Self {
        Self { free: places, tenants: HashMap::new() }
    }

    pub(crate) fn free(&self) -> usize {
        self.free
    }

    /// How many a tenant holds.
    pub(crate) fn held_by(&self, tenant: Option<&TenantId>) -> usize {
        tenant.and_then(|tenant| self.tenants.get(tenant)).copied().unwrap_or(0)
    }

    /// How many more a lane may take that holds so many; of a tenant that is not known, as if it held none.
    pub(crate) fn room(&self, tenant: Option<&TenantId>, held: usize) -> usize {
        let of_tenant = self.held_by(tenant);
        // With each that is taken there is one fewer that is free.
        let lane = self.free.saturating_sub(held * OF_A_LANE).div_ceil(OF_A_LANE + 1);
        let tenant = (self.free * OF_A_TENANT).saturating_sub(of_tenant).div_ceil(OF_A_TENANT + 1);
        let first = held == 0 && self.free * OF_A_TENANT_FOR_A_FIRST > of_tenant;
        lane.min(tenant).max(usize::from(first))
    }

    pub(crate) fn take(&mut self, tenant: Option<&TenantId>, places: usize) {
        self.free = self.free.saturating_sub(places);
        if let Some(tenant) = tenant {
            *self.tenants.entry(tenant.clone()).or_default() += places;
        }
    }

    /// Gives one back.
    pub(crate) fn leave(&mut self, tenant: &TenantId) {
        self.free += 1;
        if let Some(held) = self.tenants.get_mut(tenant) {
            *held -= 1;
            if *held == 0 {
                self.tenants.remove(tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(n: usize) -> TenantId {
        format!("t{n}").parse().unwrap()
    }

    /// All of these want as many as they can get, one by one in turns; answers how many each has.
    fn fill(shares: &mut Shares, lanes: &[(usize, usize)]) -> Vec<usize> {
        let mut held = vec![0; lanes.len()];
        loop {
            let mut taken = false;
            for (held, (of, width)) in held.iter_mut().zip(lanes) {
                if *held < *width && shares.room(Some(&tenant(*of)), *held) > 0 {
                    shares.take(Some(&tenant(*of)), 1);
                    *held += 1;
                    taken = true;
                }
            }
            if !taken {
                return held;
            }
        }
    }

    #[test]
    fn a_lane_alone_has_all_that_its_integration_may_ask_for() {
        assert_eq!(fill(&mut Shares::new(512), &[(1, 128)]), [128]);
    }

    #[test]
    fn however_many_slow_lanes_a_tenant_has_others_find_places() {
        for (lanes, width, free) in [(36, 16, 36), (5, 128, 64), (100, 1, 300), (1_000, 16, 15)] {
            let mut shares = Shares::new(512);
            fill(&mut shares, &vec![(1, width); lanes]);
            assert!(shares.free() >= free, "{} are free beside {lanes} lanes of {width}", shares.free());
            assert!(shares.room(Some(&tenant(2)), 0) >= free / 4);
        }
    }

    #[test]
    fn a_tenants_own_lanes_find_places_beside_its_slow_ones() {
        let mut shares = Shares::new(512);
        fill(&mut shares, &[(1, 16); 100]);
        assert!(shares.room(Some(&tenant(1)), 0) > 0);
    }

    #[test]
    fn what_becomes_free_is_not_for_who_has_more_than_its_share() {
        let mut shares = Shares::new(512);
        let first = fill(&mut shares, &[(1, 16); 40]);
        let lanes: Vec<_> = (2..30).flat_map(|n| vec![(n, 16); 40]).collect();
        fill(&mut shares, &lanes);
        assert!(shares.free() < 3, "{} are free", shares.free());
        for _ in 0..3 {
            shares.leave(&tenant(1));
        }
        assert_eq!(shares.room(Some(&tenant(1)), first[0]), 0);
        assert!(shares.room(Some(&tenant(99)), 0) > 0);
    }

    proptest! {
        #[test]
        fn room_is_what_can_be_taken_one_by_one(free in 0usize..600, others in 0usize..600, held in 0usize..140) {
            let (mut shares, tenant) = (Shares::new(free + others + held), tenant(1));
            shares.take(Some(&tenant), others + held);
            let (room, mut held, mut taken) = (shares.room(Some(&tenant), held), held, 0);
            while shares.room(Some(&tenant), held) > 0 {
                shares.take(Some(&tenant), 1);
                (held, taken) = (held + 1, taken + 1);
            }
            prop_assert_eq!(room, taken);
            for _ in 0..others + held {
                shares.leave(&tenant);
            }
            prop_assert!(shares.tenants.is_empty());
        }
    }
}
