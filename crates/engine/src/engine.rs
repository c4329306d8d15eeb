//! The engine's public face.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use tidegate_model::contract::Objects;
use tidegate_model::{
    Call, Clock, Event, Failure, FailureKind, IncomingCall, Json, LogLine, Outcome, Randomness, Runnable, Timestamp,
    enabling,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::apart::Apart;
use crate::attach::Attach;
use crate::counts::{Counters, Counts};
use crate::egress::Egress;
use crate::io::Io;
use crate::lanes::Lanes;
use crate::options::Options;
use crate::running::Input;
use crate::trial::Sheet;
use crate::watchdog::Watchdog;
use crate::worker::{Setup, Worker};

/// What the engine is built of.
pub struct Parts {
    /// The tenants' domain objects.
    pub objects: Arc<dyn Objects>,
    /// Tells scripts the time.
    pub clock: Arc<dyn Clock>,
    /// Makes UUIDs, and the seed of each run's `math.random`.
    pub randomness: Arc<dyn Randomness>,
    /// Carries scripts' HTTP calls.
    pub egress: Egress,
    /// Attaches the credentials that scripts name for their calls; without it they can name none.
    pub attach: Option<Attach>,
    /// What scripts see as `application`.
    pub application: Application,
}

/// What scripts see as `application`.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A call that scripts are to be run for. One that is shared already is not copied.
pub trait Called: Borrow<IncomingCall> + Sync {
    /// The call, for as long as its run takes.
    fn shared(&self) -> Arc<IncomingCall>;
}

impl Called for IncomingCall {
    fn shared(&self) -> Arc<IncomingCall> {
        Arc::new(self.clone())
    }
}

impl Called for Arc<IncomingCall> {
    fn shared(&self) -> Arc<IncomingCall> {
        Self::clone(self)
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// What enable logic returned, where it ran and returned something.
    pub enable_result: Option<Json>,
    /// What the scripts logged, failed ones too.
    pub log: Vec<LogLine>,
    /// Whether a line of the log warns.
    pub warned: bool,
    /// The HTTP calls that the scripts made, masked, as the record keeps them.
    pub calls: Vec<Call>,
}

impl Run {
    /// A run in which no script ran.
    pub fn without_scripts(outcome: Outcome) -> Self {
        Self { outcome, enable_result: None, log: Vec::new(), warned: false, calls: Vec::new() }
    }
}

/// The engine could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the script engine's threads")]
pub struct Error(#[from] std::io::Error);

/// Runs scripts; a handle that is cheap to clone. It must be made, and its runs awaited, on a multi-threaded runtime or one that is
/// never blocked: that is where HTTP calls and objects are waited for.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    workers: Vec<Worker>,
    /// For those that run apart.
    other: Worker,
    apart: Arc<Apart>,
    places: RandomState,
    stop: CancellationToken,
    threads: TaskTracker,
    io: Io,
    lanes: Lanes,
    parts: Arc<Parts>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("workers", &self.0.workers).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the Lua threads.
    pub fn start(options: Options, parts: Parts) -> Result<Self, Error> {
        let count = options.threads.max(1);
        let watchdog = Arc::new(Watchdog::start(count + 1)?);
        let apart = Arc::new(Apart::default());
        let threads = TaskTracker::new();
        let lanes = Lanes::new(options.runs_per_tenant);
        let setup = Setup {
            options: Arc::new(options),
            parts: Arc::new(parts),
            io: Io::here(),
            stop: CancellationToken::new(),
            counters: Arc::default(),
            apart: Arc::clone(&apart),
        };
        let start = |number| Worker::start(number, Arc::clone(&watchdog), setup.clone(), &threads);
        let workers = (0..count).map(start).collect::<Result<_, _>>()?;
        let other = start(count)?;
        threads.close();
        let Setup { io, stop, parts, counters, .. } = setup;
        let places = RandomState::new();
        Ok(Self(Arc::new(Inner { workers, other, apart, places, stop, threads, io, lanes, parts, counters })))
    }

    /// Runs an INCOMING Integration for a call that came at `call.time`: the enabling rules, enable logic, core logic.
    ///
    /// Waits for its turn when all Lua threads are busy. Dropping the future does not end a run that has begun.
    pub async fn run_incoming(&self, runnable: &Arc<Runnable>, call: &impl Called) -> Run {
        self.run(runnable, call.borrow().time, || Input::Incoming(call.shared())).await
    }

    /// Runs an OUTGOING Integration for an event, at `now`: the enabling rules, enable logic, core logic. What the result asks for
    /// is the caller's to do.
    pub async fn run_outgoing(&self, runnable: &Arc<Runnable>, event: &Event, now: Timestamp) -> Run {
        let input = || Input::Outgoing(Arc::new(event.clone()));
        self.run(runnable, now, input).await
    }

    /// What it has done since it was started.
    pub fn counts(&self) -> Counts {
        self.0.counters.counts()
    }

    /// Finishes what has begun, refuses what has not, and ends the threads.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.threads.wait().await;
        self.0.io.drain().await;
    }

    async fn run(&self, runnable: &Arc<Runnable>, now: Timestamp, input: impl FnOnce() -> Input) -> Run {
        if let Some(reason) = enabling::skip_reason(&runnable.integration, now) {
            return Run::without_scripts(Outcome::Skipped(reason));
        }
        let lost = || Failure { message: "the script engine could not run it".to_owned(), kind: FailureKind::Platform };
        let run = self.carry_out(runnable, input(), None).await;
        run.unwrap_or_else(|| Run::without_scripts(Outcome::Failed(lost())))
    }

    /// Runs the scripts; `None` when the engine is stopping.
    pub(crate) async fn carry_out(
        &self,
        runnable: &Arc<Runnable>,
        input: Input,
        trial: Option<Arc<Sheet>>,
    ) -> Option<Run> {
        let _place = self.0.lanes.enter(&runnable.integration.tenant).await;
        self.worker_for(runnable).run(Arc::clone(runnable), input, trial).await
    }

    /// What the engine is built of.
    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The tenant's own thread while it is free, so that machines are found again; else the least busy one. Those that run apart have one
    /// for themselves.
    fn worker_for(&self, runnable: &Runnable) -> &Worker {
        let tenant = &runnable.integration.tenant;
        if !self.0.apart.is_empty() && self.0.apart.has(tenant, Instant::now()) {
            return &self.0.other;
        }
        let mut hasher = self.0.places.build_hasher();
        hasher.write(tenant.as_str().as_bytes());
        let workers = &self.0.workers;
        let own = usize::try_from(hasher.finish() % workers.len() as u64).unwrap_or(0);
        let from_own = || workers[own..].iter().chain(&workers[..own]);
        from_own().min_by_key(|worker| worker.load()).unwrap_or(&workers[own])
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
