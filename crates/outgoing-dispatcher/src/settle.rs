//! Storing how deliveries ended, in batches: what is waiting is the batch.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tidegate_model::{Delivery, Error, Execution, Timestamp};
use tidegate_storage::Store;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::lanes::Held;

/// What becomes of a delivery that was in hand, and what keeps it in hand until that is stored.
#[derive(Debug)]
pub(crate) struct Settlement {
    end: End,
    held: Option<Held>,
}

#[derive(Debug)]
enum End {
    Ended(Box<Execution>),
    Again(Box<Delivery>),
}

impl Settlement {
    /// It ended; this is its record.
    pub(crate) fn ended(record: Execution, held: Held) -> Self {
        Self { end: End::Ended(Box::new(record)), held: Some(held) }
    }

    /// It is due again at this instant.
    pub(crate) fn again(mut delivery: Delivery, at: Timestamp, held: Option<Held>) -> Self {
        delivery.next_at = at;
        delivery.execution.next_attempt_at = Some(at);
        Self { end: End::Again(Box::new(delivery)), held }
    }
}

/// How many wait at most before those who make deliveries wait too, and how many make one batch.
pub(crate) const BATCH: usize = 256;
const PATIENCE: u32 = 3;

/// Stores settlements until all senders are gone. While the store is away it keeps asking: what arrived shall not be sent again.
/// `due` hears when others are due because these have ended.
pub(crate) async fn settle(
    store: Arc<dyn Store>,
    holder: Uuid,
    mut inbox: mpsc::Receiver<Settlement>,
    due: Arc<Notify>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut batch, BATCH).await > 0 {
        let mut ended = Vec::new();
        let mut again = Vec::new();
        let mut held = Vec::new();
        for settlement in batch.drain(..) {
            held.extend(settlement.held);
            match settlement.end {
                End::Ended(record) => ended.push(*record),
                End::Again(delivery) => again.push(delivery),
            }
        }
        let releases = join_all(again.iter().map(|delivery| release(&*store, holder, delivery)));
        let (freed, _) = tokio::join!(finish(&*store, holder, &ended), releases);
        drop(held);
        if freed {
            due.notify_one();
        }
    }
}

/// Whether others are due now that waited for one of these.
async fn finish(store: &dyn Store, holder: Uuid, records: &[Execution]) -> bool {
    if records.is_empty() {
        return false;
    }
    if let Ok(freed) = patiently(|| store.finish(records, holder)).await {
        return freed;
    }
    // One of them cannot be stored; the others must not wait for it.
    let mut freed = false;
    for record in records {
        match patiently(|| store.finish(std::slice::from_ref(record), holder)).await {
            Ok(some) => freed |= some,
            Err(error) => {
                tracing::error!(tenant = %record.tenant, delivery = %record.id, %error, "the end of a delivery cannot be stored");
            }
        }
    }
    freed
}

async fn release(store: &dyn Store, holder: Uuid, delivery: &Delivery) {
    if let Err(error) = patiently(|| store.release(delivery, holder)).await {
        let execution = &delivery.execution;
        tracing::error!(tenant = %execution.tenant, delivery = %execution.id, %error, "a delivery cannot be given back; its lease must run out");
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
