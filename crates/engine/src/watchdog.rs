//! Notices when a Lua thread has been busy for long enough to look at its CPU clock.
//!
//! Reading a thread's CPU clock costs a system call, and Lua gives a chance to look at it at every loop and call. So one more thread
//! looks at the wall clock instead: CPU time never runs faster. It raises a flag; only then the Lua thread reads its CPU clock and
//! decides. A turn of less than a millisecond is charged by the wall clock, and the CPU clock is read once in a millisecond at most
//! where turns are short.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

const TICK: Duration = Duration::from_millis(1);
const NEVER: u64 = u64::MAX;

/// Not due, but about to be armed again: more runs wait.
const RESTING: u64 = NEVER - 1;

/// Never due, either: centuries.
const LATEST: u64 = RESTING - 1;

/// The flag of one Lua thread.
#[derive(Debug)]
pub(crate) struct Watch {
    due_at: AtomicU64,
    due: AtomicBool,
    /// When its thread last read its CPU clock, and what that said, both in nanoseconds.
    read_at: AtomicU64,
    cpu: AtomicU64,
    /// Runs that its thread has not taken from its queue yet.
    queued: AtomicUsize,
    /// Runs that its thread has and has not finished, those in its queue included.
    load: AtomicUsize,
    shared: Arc<Shared>,
}

/// A run that counts for the load of a Lua thread until dropped, whether or not somebody still waits for it. It is in the queue there
/// until it is begun; the run in hand hears of it at once.
#[derive(Debug)]
pub(crate) struct Counted {
    watch: Arc<Watch>,
    queued: bool,
}

impl Counted {
    pub(crate) fn new(watch: Arc<Watch>) -> Self {
        watch.load.fetch_add(1, Ordering::Relaxed);
        watch.queued.fetch_add(1, Ordering::Relaxed);
        watch.raise();
        Self { watch, queued: true }
    }

    /// Notes that it has left the queue.
    pub(crate) fn begin(&mut self) {
        if std::mem::take(&mut self.queued) {
            self.watch.queued.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.begin();
        self.watch.load.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    asleep: AtomicBool,
    ended: AtomicBool,
    thread: std::sync::OnceLock<Thread>,
}

impl Shared {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            asleep: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            thread: std::sync::OnceLock::new(),
        }
    }
}

impl Watch {
    /// Makes a flag that nobody raises.
    pub(crate) fn unwatched() -> Self {
        Self::of(Arc::new(Shared::new()))
    }

    fn of(shared: Arc<Shared>) -> Self {
        let (read_at, cpu) = (AtomicU64::new(0), AtomicU64::new(0));
        let (due_at, due) = (AtomicU64::new(NEVER), AtomicBool::new(false));
        Self { due_at, due, read_at, cpu, queued: AtomicUsize::new(0), load: AtomicUsize::new(0), shared }
    }

    /// The time by the clock on the wall since some moment.
    pub(crate) fn now(&self) -> Duration {
        self.shared.origin.elapsed()
    }

    /// The moment that [`Self::now`] said.
    pub(crate) fn moment(&self, now: Duration) -> Instant {
        self.shared.origin + now
    }

    /// The CPU clock of its thread, which is the only one to ask, as it was at most a millisecond before `now`.
    pub(crate) fn recent_cpu(&self, now: Duration) -> Duration {
        let read_at = Duration::from_nanos(self.read_at.load(Ordering::Relaxed));
        if read_at.is_zero() || now.saturating_sub(read_at) > TICK {
            return self.read_cpu(now);
        }
        Duration::from_nanos(self.cpu.load(Ordering::Relaxed))
    }

    /// The CPU clock of its thread, which is the only one to ask.
    pub(crate) fn read_cpu(&self, now: Duration) -> Duration {
        let cpu = thread_time();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.read_at.store(nanos(now).max(1), Ordering::Relaxed);
        self.cpu.store(nanos(cpu), Ordering::Relaxed);
        cpu
    }

    /// Whether somebody new waits for its thread.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    /// Runs that its thread has and has not finished.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Whether it is time to look at the CPU clock.
    pub(crate) fn is_due(&self) -> bool {
        self.due.load(Ordering::Relaxed)
    }

    /// Asks to be told `wait` after `now`.
    pub(crate) fn arm(&self, now: Duration, wait: Duration) {
        self.due.store(false, Ordering::Relaxed);
        let at = now + wait;
        self.due_at.store(u64::try_from(at.as_micros()).unwrap_or(LATEST).min(LATEST), Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst)
            && let Some(thread) = self.shared.thread.get()
        {
            thread.unpark();
        }
    }

    /// Asks not to be told any more. While others wait the watching thread is not sent to sleep: it would be woken at once.
    pub(crate) fn disarm(&self) {
        self.due_at.store(if self.is_waited_for() { RESTING } else { NEVER }, Ordering::SeqCst);
    }

    /// Has the flag raised from now on, so that the next step of the script looks.
    pub(crate) fn raise(&self) {
        self.due.store(true, Ordering::Relaxed);
    }
}

/// The thread that watches all Lua threads of an engine; it sleeps while none of them is busy.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    watches: Vec<Arc<Watch>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts it, for so many Lua threads.
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new());
        let watch = || Watch::of(Arc::clone(&shared));
        let watches: Vec<_> = std::iter::repeat_with(|| Arc::new(watch())).take(threads).collect();
        let looked_after = watches.clone();
        let state = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("lua-watchdog".to_owned())
            .spawn(move || look_after(&state, &looked_after))?;
        shared.thread.get_or_init(|| thread.thread().clone());
        Ok(Self { shared, watches, thread: Some(thread) })
    }

    /// The flag of the Lua thread with this number.
    pub(crate) fn watch(&self, number: usize) -> Arc<Watch> {
        Arc::clone(&self.watches[number])
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It only ends by the flag above; a panic in it has nothing to tell here.
            let _ = thread.join();
        }
    }
}

/// The CPU time that this thread has used since it began.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn look_after(shared: &Shared, watches: &[Arc<Watch>]) {
    while !shared.ended.load(Ordering::SeqCst) {
        if look(shared, watches) {
            std::thread::sleep(TICK);
            continue;
        }
        shared.asleep.store(true, Ordering::SeqCst);
        // Armed in between: it may not have seen that this thread is about to sleep.
        if !look(shared, watches) && !shared.ended.load(Ordering::SeqCst) {
            std::thread::park();
        }
        shared.asleep.store(false, Ordering::SeqCst);
    }
}

/// Raises the flags that are due and says whether any Lua thread is busy.
fn look(shared: &Shared, watches: &[Arc<Watch>]) -> bool {
    let now = u64::try_from(shared.origin.elapsed().as_micros()).unwrap_or(LATEST).min(LATEST);
    let mut busy = false;
    for watch in watches {
        let due_at = watch.due_at.load(Ordering::SeqCst);
        busy |= due_at != NEVER;
        if due_at <= now {
            watch.due.store(true, Ordering::Relaxed);
        }
    }
    busy
}
