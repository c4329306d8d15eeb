//! What an operator may set.

use std::time::Duration;

/// How the engine is set up. [`Options::default`] is what was measured to be good.
#[derive(Clone, Debug)]
pub struct Options {
    /// Lua threads; one per core is right, because they never wait.
    pub threads: usize,
    /// Runs that one Lua thread has in hand at once: one that runs, the others waiting for an answer from outside.
    pub runs_per_thread: usize,
    /// Runs of one tenant that the whole engine has in hand at once; more of them wait, and let others pass.
    pub runs_per_tenant: usize,
    /// Idle virtual machines that one Lua thread keeps, all tenants together.
    pub idle_machines: usize,
    /// The bounds of every run.
    pub limits: Limits,
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

/// How long one script may take.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// CPU time of the Lua thread, spent on this script: a busy machine does not count against it.
    pub cpu: Duration,
    /// Time by the clock on the wall, waiting included.
    pub wall: Duration,
}
