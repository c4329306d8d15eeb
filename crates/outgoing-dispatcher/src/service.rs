//! The running dispatcher.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate_engine::{Attach, Egress, Engine};
use tidegate_model::contract::{EventLog, Notices, Registry, Vault};
use tidegate_model::{Clock, Randomness};
use tidegate_storage::Store;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::claims::Claims;
use crate::deliver::Deliverer;
use crate::in_hand::InHand;
use crate::intake::Intake;
use crate::lanes::Lanes;
use crate::settle::{BATCH, Settler};
use crate::standing::Standings;
use crate::{InvalidOptions, Options};

/// How long giving back and storing may take once the grace is over.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the dispatcher stands on.
#[derive(Clone)]
pub struct Parts {
    /// Deliveries and the position.
    pub store: Arc<dyn Store>,
    /// The bus.
    pub events: Arc<dyn EventLog>,
    /// Who listens to what.
    pub registry: Arc<dyn Registry>,
    /// Runs the scripts.
    pub engine: Engine,
    /// Makes the calls.
    pub egress: Egress,
    /// Attaches destinations' credentials to them.
    pub attach: Attach,
    /// Holds what they are signed with.
    pub vault: Arc<dyn Vault>,
    /// Hear that an Integration was paused.
    pub notices: Arc<dyn Notices>,
    /// Tells what is due.
    pub clock: Arc<dyn Clock>,
    /// Draws ids and jitter.
    pub randomness: Arc<dyn Randomness>,
}

/// Turns events into calls.
pub struct Dispatcher {
    options: Arc<Options>,
    parts: Parts,
}

/// Not everything could be stored before the end. Nothing is lost: the leases run out, and another process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before every delivery could be stored; what is left goes on when its lease has run out")]
pub struct Unsettled;

impl Dispatcher {
    /// Checks the options.
    pub fn build(options: Options, parts: Parts) -> Result<Self, InvalidOptions> {
        options.check()?;
        Ok(Self { options: Arc::new(options), parts })
    }

    /// Works until shutdown; then finishes what is under way within the grace and gives the other leases back.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Unsettled> {
        let Self { options, parts } = self;
        // A name that no other process has, and this one never has again.
        let holder = parts.randomness.uuid();
        let abandon = CancellationToken::new();
        // One batch waits while one is being stored; whoever finds it full waits, and so do the lanes behind.
        let (settlements, inbox) = mpsc::channel(BATCH);
        let writer = TaskTracker::new();
        let turns = Arc::new(Notify::new());
        let lanes = Lanes::new(options.lane, options.in_hand, options.circuit, parts.clock.clone());
        let settler = Settler { store: parts.store.clone(), holder, lanes: lanes.clone(), due: turns.clone() };
        writer.spawn(settler.run(inbox));
        writer.close();
        let standings = Standings {
            store: parts.store.clone(),
            notices: parts.notices,
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
            patience: options.pause_after,
            known: Mutex::default(),
        };
        let deliverer = Deliverer {
            options: options.clone(),
            registry: parts.registry.clone(),
            engine: parts.engine,
            egress: parts.egress,
            attach: parts.attach,
            vault: parts.vault,
            standings,
            clock: parts.clock.clone(),
            randomness: parts.randomness,
            holder,
            settlements,
            abandon: abandon.clone(),
        };
        let in_hand = Arc::new(InHand {
            lanes,
            deliverer: Arc::new(deliverer),
            tasks: TaskTracker::new(),
            shutdown: shutdown.clone(),
        });
        let intake = Intake {
            options: options.clone(),
            store: parts.store.clone(),
            events: parts.events,
            registry: parts.registry,
            in_hand: in_hand.clone(),
            log: Mutex::default(),
        };
        let claims = Claims { options: options.clone(), store: parts.store.clone(), in_hand: in_hand.clone(), turns };

        if options.alone {
            release_all(&*parts.store, &shutdown).await;
        }
        tokio::select! {
            _ = async { tokio::join!(intake.run(), claims.run()) } => {}
            // While the store is away they may stand still where they cannot hear the shutdown.
            () = async { shutdown.cancelled().await; tokio::time::sleep(options.grace).await } => {}
        }

        let tasks = in_hand.tasks.clone();
        tasks.close();
        if tokio::time::timeout(options.grace, tasks.wait()).await.is_err() {
            tracing::warn!(deliveries = tasks.len(), "deliveries under way are given back: the grace is over");
        }
        abandon.cancel();
        drop((intake, claims, in_hand));
        let last = async {
            tasks.wait().await;
            writer.wait().await;
        };
        tokio::time::timeout(LAST_WORDS, last).await.map_err(|_| Unsettled)
    }
}

async fn release_all(store: &dyn Store, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        match store.release_all().await {
            Ok(0) => return,
            Ok(leases) => return tracing::info!(leases, "deliveries of the process before this one go on"),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
