//! Storing what becomes of deliveries, in batches: what is waiting is the batch.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::{Delivery, Error, Execution, ExecutionId, Timestamp, micros};
use tidegate_storage::Store;
use tidegate_storage::contract::{Hold, Kept, Settled};
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

use crate::lanes::{Held, Lanes};

/// What becomes of a delivery that was in hand, and what keeps it in hand until that is stored.
#[derive(Debug)]
pub(crate) struct Settlement {
    end: End,
    held: Option<Held>,
}

#[derive(Debug)]
enum End {
    Ended(Box<Execution>),
    /// It stays open; whoever asked hears whether that is stored.
    Open(Box<Delivery>, Hold, Option<oneshot::Sender<bool>>),
}

impl Settlement {
    /// It ended; this is its record.
    pub(crate) fn ended(record: Execution, held: Held) -> Self {
        Self { end: End::Ended(Box::new(record)), held: Some(held) }
    }

    /// It is due again at this instant.
    pub(crate) fn again(delivery: Delivery, at: Timestamp, held: Option<Held>) -> Self {
        Self { end: End::Open(Box::new(due(delivery, at)), Hold::Due, None), held }
    }

    /// It waits in its lane, as due as it was.
    pub(crate) fn waiting(delivery: Delivery, held: Option<Held>) -> Self {
        let at = delivery.next_at;
        Self { end: End::Open(Box::new(due(delivery, at)), Hold::Waiting, None), held }
    }

    /// It goes on, leased until then; true is told once that is stored, and nothing or false where it is not.
    pub(crate) fn going_on(delivery: Delivery, leased_until: Timestamp) -> (Self, oneshot::Receiver<bool>) {
        let (answer, answered) = oneshot::channel();
        let end = End::Open(Box::new(delivery), Hold::Leased(leased_until), Some(answer));
        (Self { end, held: None }, answered)
    }
}

/// As exactly as instants are kept.
fn due(mut delivery: Delivery, at: Timestamp) -> Delivery {
    let at = micros(at);
    delivery.next_at = at;
    delivery.execution.next_attempt_at = Some(at);
    delivery
}

/// How many wait at most before those who make deliveries wait too, and how many make one batch.
pub(crate) const BATCH: usize = 256;
const PATIENCE: u32 = 3;

/// Stores settlements.
pub(crate) struct Settler {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) holder: Uuid,
    pub(crate) lanes: Arc<Lanes>,
    /// Hears when others are due because these have ended.
    pub(crate) due: Arc<Notify>,
}

/// What is stored in one transaction.
#[derive(Default)]
struct Batch {
    ended: Vec<Execution>,
    open: Vec<(Box<Delivery>, Hold)>,
    asked: Vec<(ExecutionId, oneshot::Sender<bool>)>,
}

impl Settler {
    /// Stores until all senders are gone. While the store is away it keeps asking: what arrived shall not be sent again.
    pub(crate) async fn run(self, mut inbox: mpsc::Receiver<Settlement>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while inbox.recv_many(&mut waiting, BATCH).await > 0 {
            let mut batch = Batch::default();
            let mut held = Vec::new();
            for settlement in waiting.drain(..) {
                held.extend(settlement.held);
                batch.add(settlement.end);
            }
            self.store(batch).await;
            drop(held);
        }
    }

    async fn store(&self, mut batch: Batch) {
        match self.ask(&batch.ended, &batch.open).await {
            Ok(settled) => return self.tell(&batch.open, batch.asked, &settled),
            // Without the attempt on record there is no call. The store has logged why.
            Err(_) => batch.asked.clear(),
        }
        batch.open.retain(|(_, hold)| !matches!(hold, Hold::Leased(_)));
        if let Ok(settled) = patiently(|| self.ask(&batch.ended, &batch.open)).await {
            return self.tell(&batch.open, Vec::new(), &settled);
        }
        // One of them cannot be stored; the others must not wait for it.
        for record in &batch.ended {
            match patiently(|| self.ask(std::slice::from_ref(record), &[])).await {
                Ok(settled) => self.tell(&[], Vec::new(), &settled),
                Err(error) => {
                    tracing::error!(tenant = %record.tenant, delivery = %record.id, %error, "the end of a delivery cannot be stored");
                }
            }
        }
        for one in &batch.open {
            match patiently(|| self.ask(&[], std::slice::from_ref(one))).await {
                Ok(settled) => self.tell(std::slice::from_ref(one), Vec::new(), &settled),
                Err(error) => {
                    let execution = &one.0.execution;
                    tracing::error!(tenant = %execution.tenant, delivery = %execution.id, %error, "a delivery cannot be given back; its lease must run out");
                }
            }
        }
    }

    async fn ask(&self, ended: &[Execution], open: &[(Box<Delivery>, Hold)]) -> Result<Settled, Error> {
        if ended.is_empty() && open.is_empty() {
            return Ok(Settled::default());
        }
        let kept: Vec<_> = open.iter().map(|(delivery, hold)| Kept { delivery, hold: *hold }).collect();
        self.store.settle(ended, &kept, self.holder).await
    }

    /// Says what is stored to those who wait for it.
    fn tell(
        &self,
        open: &[(Box<Delivery>, Hold)],
        asked: Vec<(ExecutionId, oneshot::Sender<bool>)>,
        settled: &Settled,
    ) {
        for (id, answer) in asked {
            // Who asked may have been given up meanwhile.
            let _gone = answer.send(settled.kept.contains(&id));
        }
        for (delivery, _) in open.iter().filter(|(_, hold)| *hold == Hold::Waiting) {
            self.lanes.waits(delivery.execution.integration);
        }
        if settled.freed {
            self.due.notify_one();
        }
    }
}

impl Batch {
    fn add(&mut self, end: End) {
        match end {
            End::Ended(record) => self.ended.push(*record),
            End::Open(delivery, hold, answer) => {
                self.asked.extend(answer.map(|answer| (delivery.execution.id, answer)));
                self.open.push((delivery, hold));
            }
        }
    }
}

/// Asks until the store is there; an error that is not its absence is believed after a few times.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(mut ask: impl FnMut() -> F) -> Result<T, Error> {
    let mut pause = Duration::from_millis(50);
    let mut faults = 0;
    loop {
        match ask().await {
            Ok(done) => return Ok(done),
            Err(Error::Unavailable(_)) => {}
            Err(error) => {
                faults += 1;
                if faults >= PATIENCE {
                    return Err(error);
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
