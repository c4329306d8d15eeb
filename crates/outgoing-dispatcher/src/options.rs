//! What an operator may set.

use std::time::Duration;

use tidegate_model::{CallBounds, Integration, OutgoingSettings};

use crate::circuit::CircuitOptions;
use crate::lane::Terms;
use crate::retry::Rhythm;

/// How the dispatcher is set up. [`Options::default`] is what CONTRACT section 4 promises.
#[derive(Clone, Debug)]
pub struct Options {
    /// When an attempt that failed is followed by another, unless the Integration says otherwise.
    pub schedule: Schedule,
    /// How long one call may take, the answer's body included, unless the Integration says otherwise.
    pub call_timeout: Duration,
    /// Deliveries of one Integration in hand at once, unless it says otherwise: the width of its lane.
    pub lane: usize,
    /// How far an Integration may go.
    pub bounds: CallBounds,
    /// When a destination that fails is left alone for a while.
    pub circuit: CircuitOptions,
    /// After how long without a call that arrived an Integration is paused.
    pub pause_after: Duration,
    /// Deliveries in hand at once, all lanes together; bounds memory.
    pub in_hand: usize,
    /// How long a delivery belongs to this process without a sign of life, until its call is made. After a crash, this long passes before
    /// another one goes on; or as long as the call may take and a fifth more, where its Integration allows it more time.
    pub lease: Duration,
    /// The longest time that the engine gives to the scripts of one run: enable and core logic together.
    pub script_limit: Duration,
    /// Bytes of an answer's body that are read and kept.
    pub response_limit: usize,
    /// The longest wait between two looks at what is due.
    pub poll: Duration,
    /// Entries of the log that are taken in at once.
    pub batch: usize,
    /// How long a stop waits for what is under way.
    pub grace: Duration,
    /// Whether no other process works on the same store: then every lease found at the start is a dead one's, and is given back at once.
    pub alone: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            call_timeout: Duration::from_secs(15),
            lane: 16,
            bounds: CallBounds::default(),
            circuit: CircuitOptions::default(),
            pause_after: Duration::from_hours(5 * 24),
            in_hand: 512,
            lease: Duration::from_mins(1),
            script_limit: Duration::from_secs(35),
            response_limit: 64 << 10,
            poll: Duration::from_secs(1),
            batch: 256,
            grace: Duration::from_secs(20),
            alone: false,
        }
    }
}

/// How often, and when, a call is repeated.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Attempts in all; after the last one the delivery is dead.
    pub attempts: u32,
    /// The longest wait before the second attempt. Every wait is drawn between nothing and its longest.
    pub first: Duration,
    /// By how much the longest wait grows from one attempt to the next.
    pub factor: u32,
    /// What the longest wait never exceeds.
    pub cap: Duration,
    /// The most that a destination can ask for with `Retry-After`.
    pub retry_after_cap: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            attempts: 8,
            first: Duration::from_secs(5),
            factor: 7,
            cap: Duration::from_hours(22),
            retry_after_cap: Duration::from_hours(24),
        }
    }
}

/// Why the dispatcher is not built with these options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOptions {
    /// A delivery could be taken from a process that still works on it.
    #[error("the lease ({lease:?}) must be longer than the script limit and the call timeout together ({work:?})")]
    Lease {
        /// As it was set.
        lease: Duration,
        /// What it must exceed.
        work: Duration,
    },
    /// Nothing would ever happen.
    #[error("{0} must not be zero")]
    Zero(&'static str),
}

impl Options {
    /// How wide the lane of an Integration is.
    pub(crate) fn terms(&self, integration: &Integration) -> Terms {
        let settings = &integration.settings.outgoing;
        let own = settings.concurrency.map(|own| own.min(self.bounds.concurrency));
        let width = own.and_then(|own| usize::try_from(own).ok()).unwrap_or(self.lane);
        Terms { width, rate: settings.rate_per_second, paused: integration.paused.is_some() }
    }

    /// How long one call of an Integration may take.
    pub(crate) fn timeout(&self, settings: &OutgoingSettings) -> Duration {
        let own = settings.timeout_ms.map(|own| Duration::from_millis(own.min(self.bounds.timeout_ms).into()));
        own.unwrap_or(self.call_timeout)
    }

    /// How long a delivery is leased whose call may take so long.
    pub(crate) fn lease_for(&self, timeout: Duration) -> Duration {
        self.lease.max(timeout.mul_f32(1.2))
    }

    /// When a call of an Integration is repeated.
    pub(crate) fn rhythm<'a>(&'a self, settings: &'a OutgoingSettings) -> Rhythm<'a> {
        Rhythm::of(settings.schedule.as_ref(), &self.schedule)
    }

    pub(crate) fn check(&self) -> Result<(), InvalidOptions> {
        let work = self.script_limit + self.call_timeout;
        if self.lease <= work {
            return Err(InvalidOptions::Lease { lease: self.lease, work });
        }
        let zeros = [
            ("attempts", self.schedule.attempts == 0),
            ("the call timeout", self.call_timeout.is_zero()),
            ("the lane's concurrency", self.lane == 0),
            ("the overall concurrency", self.in_hand == 0),
            ("the poll interval", self.poll.is_zero()),
            ("the batch", self.batch == 0),
            ("the circuit's window", self.circuit.window.is_zero()),
            ("the circuit's calls", self.circuit.calls == 0),
            ("the circuit's share of failed calls", self.circuit.failed_percent == 0),
        ];
        zeros.iter().find(|(_, zero)| *zero).map_or(Ok(()), |(what, _)| Err(InvalidOptions::Zero(what)))
    }
}
