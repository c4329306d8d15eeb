//! The delivery loop: what is due in the table, retries, leases that ran out and what waited for its turn, into the lanes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::Error;
use tidegate_storage::Store;
use tidegate_storage::contract::Whose;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Options;
use crate::in_hand::InHand;
use crate::lanes::From;

/// How many one claim for everybody leases at most: enough to be cheap per delivery, few enough that giving most of them back is cheap too.
const CLAIM: usize = 128;

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
        while !shutdown.is_cancelled() {
            let crowded = lanes.room() == 0;
            let for_everybody = due <= Instant::now();
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
            self.look_for_resumed().await?;
        }
        self.claim_backlogs().await?;
        while for_everybody && self.claim_for_everybody().await? {}
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

    async fn claim_backlogs(&self) -> Result<(), Error> {
        let lanes = &self.in_hand.lanes;
        for (lane, room) in lanes.behind() {
            let max = room.min(lanes.room());
            if max > 0 && self.claim(max, Whose::Of(lane)).await? < max {
                lanes.caught_up(lane);
            }
        }
        Ok(())
    }

    /// Whether there may be more.
    async fn claim_for_everybody(&self) -> Result<bool, Error> {
        let max = self.in_hand.lanes.room().min(CLAIM);
        if max == 0 || self.in_hand.shutdown.is_cancelled() {
            return Ok(false);
        }
        let apart = self.in_hand.lanes.apart();
        Ok(self.claim(max, Whose::AllBut(&apart)).await? == max)
    }

    async fn claim(&self, max: usize, whose: Whose<'_>) -> Result<usize, Error> {
        let deliverer = &self.in_hand.deliverer;
        let now = deliverer.clock.now();
        let most = u32::try_from(max).unwrap_or(u32::MAX);
        let claimed = self.store.claim(deliverer.holder, now, now + self.options.lease, most, whose).await?;
        let count = claimed.len();
        for delivery in claimed {
            self.in_hand.take_up(delivery, From::Table).await;
        }
        Ok(count)
    }
}
