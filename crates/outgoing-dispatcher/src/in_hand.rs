//! What this process works on right now.

use std::sync::Arc;

use tidegate_model::Delivery;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::deliver::Deliverer;
use crate::lanes::{Entry, From, Lanes, Place};
use crate::settle::Settlement;

/// Takes up deliveries that are leased to this process, or gives them back.
pub(crate) struct InHand {
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) deliverer: Arc<Deliverer>,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

impl InHand {
    /// Begins the delivery when its lane has room. Otherwise it waits in the table, as due as it was; `false` then.
    pub(crate) async fn take_up(&self, delivery: Delivery, from: From) -> bool {
        if self.shutdown.is_cancelled() {
            self.give_back(delivery).await;
            return true;
        }
        let execution = &delivery.execution;
        match self.lanes.enter(execution.id, (&execution.tenant, execution.integration), from) {
            Entry::Place(place) => self.begin(delivery, place).await,
            // It fails only when the process is past its end; then the lease runs out.
            Entry::Full => {
                let _ = self.deliverer.settlements.send(Settlement::waiting(delivery, None)).await;
                return false;
            }
            // Given back once it is let go; else it would wait for the end of a lease that nobody works under. What was ended meanwhile is
            // there no more, and stays so.
            Entry::InHand => {
                let (lanes, deliverer) = (self.lanes.clone(), self.deliverer.clone());
                self.tasks.spawn(async move {
                    lanes.let_go(delivery.execution.id).await;
                    let at = delivery.next_at;
                    let _ = deliverer.settlements.send(Settlement::again(delivery, at, None)).await;
                });
            }
        }
        true
    }

    /// Begins the delivery, which has its place.
    pub(crate) async fn begin(&self, delivery: Delivery, place: Place) {
        if self.shutdown.is_cancelled() {
            drop(place);
            return self.give_back(delivery).await;
        }
        let deliverer = self.deliverer.clone();
        self.tasks.spawn(async move { deliverer.deliver(delivery, place).await });
    }

    async fn give_back(&self, delivery: Delivery) {
        let at = delivery.next_at;
        // It fails only when the process is past its end; then the lease runs out.
        let _ = self.deliverer.settlements.send(Settlement::again(delivery, at, None)).await;
    }
}
