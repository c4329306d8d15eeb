//! The delivery loop: what is due in the table, retries, leases that ran out and what waited for its turn, into the lanes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{Delivery, Error, IntegrationId};
use tidegate_storage::Store;
use tidegate_storage::contract::Whose;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Options;
use crate::in_hand::InHand;
use crate::lanes::From;

/// How many one claim for everybody leases at most: enough to be cheap per delivery, few enough that giving most of them back is cheap too.
const CLAIM: usize = 128;

/// How many of a full lane are marked at a time as waiting in it: as many as one statement writes in some milliseconds, others wait for it.
const PARKED: u32 = 1_000;

/// How many such claims follow each other before those who wait in lanes have their turn.
const IN_A_ROW: usize = 8;

/// How often the table is asked which lanes have a backlog: what another process left there, or one that was here before.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) struct Claims {
    pub(crate) options: Arc<Options>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) in_hand: Arc<InHand>,
    /// Hears when something became due before its time: it waited for another delivery, and that has ended.
    pub(crate) turns: Arc<Notify>,
}

impl Claims {
    /// Claims until shutdown.
    pub(crate) async fn run(&self) {
        let shutdown = &self.in_hand.shutdown;
        let lanes = &self.in_hand.lanes;
        // Places that become free serve their own lanes' backlogs at once; everybody's claim follows the clock, or room where there was none.
        let mut due = Instant::now();
        let mut look = due;
        while !shutdown.is_cancelled() {
            let crowded = lanes.room() == 0;
            let for_everybody = due <= Instant::now();
            if look <= Instant::now() && self.look_for_waiting().await.is_ok() {
                look = Instant::now() + LOOK;
            }
            let wait = self.turn(for_everybody).await.unwrap_or(self.options.poll);
            let now = Instant::now();
            due = if for_everybody { now + wait } else { due.min(now + wait) };
            let next = lanes.next_opening().map_or(due, |opening| due.min(now + opening));
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep_until(next) => {}
                () = self.turns.notified() => due = Instant::now(),
                () = lanes.freed() => if crowded { due = Instant::now() },
            }
        }
    }

    /// Claims what fits, and answers how long there is nothing to claim.
    async fn turn(&self, for_everybody: bool) -> Result<Duration, Error> {
        if for_everybody {
            self.in_hand.lanes.forget_idle();
            self.look_for_resumed().await?;
        }
        self.claim_backlogs().await?;
        let mut more = for_everybody;
        for _ in 0..IN_A_ROW {
            more = more && self.claim_for_everybody().await?;
        }
        if more {
            return Ok(Duration::ZERO);
        }
        let now = self.in_hand.deliverer.clock.now();
        let due = self.store.next_due().await?;
        // What is due already waits for a place, not for the clock.
        let wait = due.and_then(|at| (at - now).to_std().ok()).filter(|wait| !wait.is_zero());
        Ok(wait.unwrap_or(self.options.poll).min(self.options.poll))
    }

    /// Lanes of Integrations that somebody resumed take up again what waits.
    async fn look_for_resumed(&self) -> Result<(), Error> {
        let lanes = &self.in_hand.lanes;
        let paused = lanes.paused();
        if paused.is_empty() {
            return Ok(());
        }
        let still: HashSet<_> = self.store.paused(&paused).await?.into_iter().collect();
        paused.into_iter().filter(|id| !still.contains(id)).for_each(|id| lanes.resume(id));
        Ok(())
    }

    /// Lanes of which something waits that nobody here put there.
    async fn look_for_waiting(&self) -> Result<(), Error> {
        let lanes = &self.in_hand.lanes;
        self.store.waiting_lanes().await?.into_iter().for_each(|id| lanes.waits(id));
        Ok(())
    }

    /// What waits in lanes that have room, of all of them in one claim.
    async fn claim_backlogs(&self) -> Result<(), Error> {
        let lanes = &self.in_hand.lanes;
        let asked = lanes.behind();
        if asked.is_empty() {
            return Ok(());
        }
        let of: Vec<_> = asked.iter().map(|lane| (lane.id, u32::try_from(lane.room).unwrap_or(u32::MAX))).collect();
        let claimed = self.claim(asked.iter().map(|lane| lane.room).sum(), Whose::Of(&of)).await?;
        let mut counts: HashMap<_, usize> = HashMap::new();
        for delivery in &claimed {
            *counts.entry(delivery.execution.integration).or_default() += 1;
        }
        for lane in &asked {
            if counts.get(&lane.id).is_none_or(|count| *count < lane.room) {
                lanes.caught_up(lane);
            }
        }
        self.take_up(claimed).await;
        Ok(())
    }

    /// Whether there may be more.
    async fn claim_for_everybody(&self) -> Result<bool, Error> {
        let max = self.in_hand.lanes.room().min(CLAIM);
        if max == 0 || self.in_hand.shutdown.is_cancelled() {
            return Ok(false);
        }
        let claimed = self.claim(max, Whose::Anybodys).await?;
        let more = claimed.len() == max;
        let full = self.take_up(claimed).await;
        if more {
            self.park(full).await?;
        }
        Ok(more)
    }

    /// Lets what else is due of these lanes, which are full or paused, wait in them: it need not be claimed and given back for that.
    async fn park(&self, full: BTreeSet<IntegrationId>) -> Result<(), Error> {
        if full.is_empty() {
            return Ok(());
        }
        let full: Vec<_> = full.into_iter().collect();
        let now = self.in_hand.deliverer.clock.now();
        if self.store.park(&full, now, PARKED).await? > 0 {
            for id in full {
                self.in_hand.lanes.waits(id);
            }
        }
        Ok(())
    }

    async fn claim(&self, max: usize, whose: Whose<'_>) -> Result<Vec<Delivery>, Error> {
        let deliverer = &self.in_hand.deliverer;
        let now = deliverer.clock.now();
        let most = u32::try_from(max).unwrap_or(u32::MAX);
        self.store.claim(deliverer.holder, now, now + self.options.lease, most, whose).await
    }

    /// Answers whose lanes had no room.
    async fn take_up(&self, claimed: Vec<Delivery>) -> BTreeSet<IntegrationId> {
        let mut full = BTreeSet::new();
        for delivery in claimed {
            let lane = delivery.execution.integration;
            if !self.in_hand.take_up(delivery, From::Table).await {
                full.insert(lane);
            }
        }
        full
    }
}
