//! What an operator may set.

use std::time::Duration;

use tidegate_model::{RunBounds, RunLimits};

/// How the engine is set up. [`Options::default`] is what was measured to be good.
#[derive(Clone, Debug)]
pub struct Options {
    /// Lua threads; one per core is right, because they never wait. There is one more for tenants whose scripts do not give way.
    pub threads: usize,
    /// Runs that one Lua thread has in hand at once: one that runs, the others waiting for an answer from outside.
    pub runs_per_thread: usize,
    /// Runs of one tenant that the whole engine has in hand at once; more of them wait, and let others pass.
    pub runs_per_tenant: usize,
    /// Idle virtual machines that one Lua thread keeps, all tenants together.
    pub idle_machines: usize,
    /// The bounds of a run whose Integration sets none of its own.
    pub limits: Limits,
    /// How far an Integration may go with its own.
    pub bounds: RunBounds,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads,
            runs_per_thread: 64,
            runs_per_tenant: 32 * threads,
            idle_machines: 64,
            limits: Limits::default(),
            bounds: RunBounds::default(),
        }
    }
}

/// The bounds of a run. Hitting one ends that run alone, with an error that names the limit.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time for enable logic.
    pub enable: Time,
    /// Time for the core logic of an INCOMING Integration.
    pub incoming: Time,
    /// Time for the core logic of an OUTGOING Integration.
    pub outgoing: Time,
    /// Bytes of the virtual machine, everything in it counted.
    pub memory: usize,
    /// Bytes of a result, as JSON.
    pub result: usize,
    /// Bytes of all log lines of a run, enable and core logic together.
    pub log: usize,
    /// Calls of `http.request`.
    pub http_calls: u32,
    /// Calls of `objects`.
    pub object_calls: u32,
    /// Bytes of one HTTP answer; what is more is cut off and flagged.
    pub http_response: usize,
    /// How long one HTTP call may take, unless the script asks for less.
    pub http_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enable: Time { cpu: Duration::from_millis(10), wall: Duration::from_secs(5) },
            incoming: Time { cpu: Duration::from_millis(100), wall: Duration::from_secs(10) },
            outgoing: Time { cpu: Duration::from_millis(250), wall: Duration::from_secs(30) },
            memory: 32 << 20,
            result: 1 << 20,
            log: 256 << 10,
            http_calls: 20,
            object_calls: 200,
            http_response: 2 << 20,
            http_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The same with what an Integration sets of its own, as far as the operator's bounds go: they may have been lowered since it was saved.
    pub(crate) fn with(&self, own: &RunLimits, bounds: &RunBounds) -> Self {
        let millis = |own: Option<u32>, most: u32, default: Duration| {
            own.map_or(default, |own| Duration::from_millis(own.min(most).into()))
        };
        let cpu = |own, default| millis(own, bounds.cpu_ms, default);
        let core = |default: Time| Time {
            cpu: cpu(own.core_cpu_ms, default.cpu),
            wall: millis(own.core_timeout_ms, bounds.timeout_ms, default.wall),
        };
        Self {
            enable: Time {
                cpu: cpu(own.enable_cpu_ms, self.enable.cpu),
                wall: millis(own.enable_timeout_ms, bounds.enable_timeout_ms(), self.enable.wall),
            },
            incoming: core(self.incoming),
            outgoing: core(self.outgoing),
            memory: own.memory_mib.map_or(self.memory, |own| (own.min(bounds.memory_mib) as usize) << 20),
            http_calls: own.http_calls.map_or(self.http_calls, |own| own.min(bounds.http_calls)),
            ..self.clone()
        }
    }
}

/// How long one script may take.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// CPU time of the Lua thread, spent on this script: a busy machine does not count against it.
    pub cpu: Duration,
    /// Time by the clock on the wall, waiting included.
    pub wall: Duration,
}
