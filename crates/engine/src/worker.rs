//! A Lua thread: takes runs from its queue and carries them out, several at once while they wait for the outside.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tidegate_model::{Failure, FailureKind, Json, LogicKind, Outcome, Runnable, SkipReason};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answers::{Answer, Answers};
use crate::apart::Apart;
use crate::counts::Counters;
use crate::engine::{Parts, Run};
use crate::io::Io;
use crate::options::Options;
use crate::pool::{Pool, Rented};
use crate::running::{Input, Running};
use crate::script::Task;
use crate::trial::Sheet;
use crate::turns::Turns;
use crate::watchdog::{Counted, Watch, Watchdog};

/// Deeply nested patterns and pcalls use the native stack.
const STACK: usize = 8 << 20;

/// What is waiting for a Lua thread beyond this waits with its caller instead: enough to bridge a turn of the runs in hand.
const QUEUE: usize = 64;

/// After so many runs that waited already, those that have been answered from outside go on.
const IN_A_ROW: u32 = 32;

/// A run to carry out.
struct Job {
    runnable: Arc<Runnable>,
    input: Input,
    trial: Option<Arc<Sheet>>,
    reply: oneshot::Sender<Run>,
    counted: Counted,
}

/// The near end of a Lua thread.
#[derive(Debug)]
pub(crate) struct Worker {
    queue: mpsc::Sender<Job>,
    watch: Arc<Watch>,
}

/// What every Lua thread gets.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) options: Arc<Options>,
    pub(crate) parts: Arc<Parts>,
    pub(crate) io: Io,
    pub(crate) stop: CancellationToken,
    pub(crate) counters: Arc<Counters>,
    pub(crate) apart: Arc<Apart>,
}

impl Worker {
    /// Starts the thread; it ends once `setup.stop` is cancelled and what it has taken is done.
    pub(crate) fn start(
        number: usize,
        watchdog: Arc<Watchdog>,
        setup: Setup,
        threads: &TaskTracker,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let alive = threads.token();
        let watch = watchdog.watch(number);
        let watched = Arc::clone(&watch);
        std::thread::Builder::new().name(format!("lua-{number}")).stack_size(STACK).spawn(move || {
            LocalSet::new().block_on(&runtime, serve(jobs, watched, setup));
            // Not before: a run that outlives the engine's handles is watched too.
            drop(watchdog);
            drop(alive);
        })?;
        Ok(Self { queue, watch })
    }

    /// Runs that this thread has and has not finished.
    pub(crate) fn load(&self) -> usize {
        self.watch.load()
    }

    /// Has a run carried out; `None` when the thread is stopping or the run was lost.
    pub(crate) async fn run(&self, runnable: Arc<Runnable>, input: Input, trial: Option<Arc<Sheet>>) -> Option<Run> {
        let (reply, answer) = oneshot::channel();
        let counted = Counted::new(Arc::clone(&self.watch));
        self.queue.send(Job { runnable, input, trial, reply, counted }).await.ok()?;
        answer.await.ok()
    }
}

/// What every run on a Lua thread shares.
pub(crate) struct Thread {
    pool: Pool,
    answers: Rc<Answers>,
    pub(crate) turns: Turns,
    pub(crate) setup: Setup,
}

async fn serve(mut jobs: mpsc::Receiver<Job>, watch: Arc<Watch>, setup: Setup) {
    let slots = Arc::new(Semaphore::new(setup.options.runs_per_thread));
    let (stop, mut stopping) = (setup.stop.clone(), false);
    let mut stopped = std::pin::pin!(stop.cancelled());
    let answers = Rc::new(Answers::default());
    let pool = Pool::new(setup.options.idle_machines, watch, Rc::clone(&answers), Arc::clone(&setup.counters));
    let thread = Rc::new(Thread { pool, answers, turns: Turns::new(), setup });
    let turns = &thread.turns;
    let (tasks, mut in_a_row) = (TaskTracker::new(), 0);
    loop {
        let goes_on = in_a_row < IN_A_ROW && !stop.is_cancelled() && turns.begin_with_new();
        let at_hand = if goes_on { take_at_hand(&slots, &mut jobs) } else { None };
        let mut job = if let Some(taken) = at_hand {
            in_a_row += 1;
            taken
        } else {
            thread.answers.give();
            if std::mem::take(&mut in_a_row) >= IN_A_ROW {
                tokio::task::yield_now().await;
            }
            tokio::select! {
                biased;
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    jobs.close();
                    continue;
                }
                taken = take(&slots, &mut jobs), if turns.begin_with_new() => match taken {
                    Some(taken) => taken,
                    None => break,
                },
                () = turns.wanted() => {
                    turns.give().await;
                    continue;
                }
            }
        };
        job.counted.begin();
        let of = job.trial.is_none().then_some(job.runnable.integration.id);
        thread.answers.begin(of);
        let on = Rc::clone(&thread);
        let mut run = Box::pin(async move {
            let (run, took) = carry_out(&on, job.runnable, job.input, job.trial).await;
            drop(job.counted);
            on.answers.take(Answer { reply: job.reply, run }, of, took);
        });
        // Most runs wait for nothing and end here; only one that does not becomes a task. A panic ends that run alone.
        let begun = AssertUnwindSafe(async { futures::poll!(run.as_mut()) }).catch_unwind().await;
        if !matches!(begun, Ok(Poll::Ready(()))) {
            thread.answers.give();
        }
        if matches!(begun, Ok(Poll::Pending)) {
            // There is one: nobody else takes any.
            let slot = Arc::clone(&slots).try_acquire_owned();
            tasks.spawn_local(async move {
                run.await;
                drop(slot);
            });
        }
    }
    tasks.close();
    let mut ended = std::pin::pin!(tasks.wait());
    loop {
        tokio::select! {
            biased;
            () = &mut ended => break,
            () = turns.wanted() => turns.give().await,
        }
    }
}

/// Takes the next run as soon as there is a place for it; `None` when there will be no more.
async fn take(slots: &Semaphore, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
    drop(slots.acquire().await.ok()?);
    jobs.recv().await
}

/// Takes the next run where one waits already, without asking to be woken for one.
fn take_at_hand(slots: &Semaphore, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
    if slots.available_permits() == 0 {
        return None;
    }
    jobs.recv().now_or_never()?
}

/// Answers what came of a run, and the CPU time that its scripts spent.
async fn carry_out(
    thread: &Rc<Thread>,
    runnable: Arc<Runnable>,
    input: Input,
    trial: Option<Arc<Sheet>>,
) -> (Run, Duration) {
    let pool = &thread.pool;
    let began = trial.is_some().then(Instant::now);
    let running = Rc::new(Running::new(Rc::clone(thread), runnable, input, trial));
    let tenant = &running.runnable.integration.tenant;
    let rented = if running.trial.is_some() { pool.lend(tenant) } else { pool.rent(tenant) };
    let (enable_result, outcome) = match rented {
        Ok(mut rented) => {
            let came = decide_and_work(&mut rented, &running).await;
            pool.take_back(rented);
            came
        }
        Err(e) => {
            tracing::error!(error = %e, "no virtual machine could be made");
            let failure = Failure { message: "internal error".to_owned(), kind: FailureKind::Platform };
            (None, Outcome::Failed(failure))
        }
    };
    let (log, warned) = running.take_log();
    if let (Some(sheet), Some(began)) = (&running.trial, began) {
        sheet.note_wall(began.elapsed());
    }
    (Run { outcome, enable_result, log, warned, calls: running.calls.take() }, running.spent())
}

/// Enable logic, where there is one, then core logic.
async fn decide_and_work(rented: &mut Rented, running: &Rc<Running>) -> (Option<Json>, Outcome) {
    let limits = running.limits();
    let mut enable_result = None;
    if running.runnable.enable.is_some() {
        match (Task { kind: LogicKind::Enable, time: limits.enable }).perform(rented, running).await {
            Ok(result) => {
                let enabled = is_enabled(&result);
                let stops_here = running.trial.as_ref().is_some_and(|sheet| sheet.is_over_after_enable());
                enable_result = Some(result.clone());
                if !enabled {
                    return (enable_result, Outcome::Skipped(SkipReason::NotEnabled));
                }
                if stops_here {
                    return (enable_result, Outcome::Succeeded(result));
                }
            }
            Err(failure) => return (None, Outcome::Failed(failure)),
        }
    }
    let time = match running.input {
        Input::Incoming(_) => limits.incoming,
        Input::Outgoing(_) => limits.outgoing,
    };
    let outcome = match (Task { kind: LogicKind::Core, time }).perform(rented, running).await {
        Ok(result) => Outcome::Succeeded(result),
        Err(failure) => Outcome::Failed(failure),
    };
    (enable_result, outcome)
}

/// Exactly `result == true` enables.
fn is_enabled(result: &Json) -> bool {
    // What nearly every script returns needs no reading.
    if let Some(said) = result.as_str().strip_prefix("{\"result\":").and_then(|rest| rest.strip_suffix('}'))
        && (said == "true" || said == "false")
    {
        return said == "true";
    }
    let attributes = result.attributes().unwrap_or_default();
    attributes.iter().any(|(key, value)| key == "result" && value.as_str() == "true")
}
