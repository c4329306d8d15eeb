//! What of an Integration has a default.

use async_graphql::{InputObject, SimpleObject};
use tidegate_model::Settings;

/// The bounds that an Integration sets for its scripts; null is the operator's default.
#[derive(SimpleObject)]
pub(super) struct RunLimits {
    /// CPU time of enable logic, in milliseconds.
    enable_cpu_ms: Option<u32>,
    /// Time of enable logic by the clock on the wall, in milliseconds.
    enable_timeout_ms: Option<u32>,
    /// CPU time of core logic, in milliseconds.
    core_cpu_ms: Option<u32>,
    /// Time of core logic by the clock on the wall, waiting included, in milliseconds.
    core_timeout_ms: Option<u32>,
    /// Memory of a run, in MiB.
    #[graphql(name = "memoryMiB")]
    memory_mib: Option<u32>,
    /// Calls of `http.request` in a run.
    http_calls: Option<u32>,
}

impl From<tidegate_model::RunLimits> for RunLimits {
    fn from(limits: tidegate_model::RunLimits) -> Self {
        let tidegate_model::RunLimits {
            enable_cpu_ms,
            enable_timeout_ms,
            core_cpu_ms,
            core_timeout_ms,
            memory_mib,
            http_calls,
        } = limits;
        Self { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls }
    }
}

/// Bounds for an Integration's scripts, each within the operator's; absent is the operator's default.
#[derive(InputObject)]
pub(super) struct RunLimitsInput {
    /// CPU time of enable logic, in milliseconds.
    enable_cpu_ms: Option<u32>,
    /// Time of enable logic by the clock on the wall, in milliseconds.
    enable_timeout_ms: Option<u32>,
    /// CPU time of core logic, in milliseconds.
    core_cpu_ms: Option<u32>,
    /// Time of core logic by the clock on the wall, waiting included, in milliseconds.
    core_timeout_ms: Option<u32>,
    /// Memory of a run, in MiB.
    #[graphql(name = "memoryMiB")]
    memory_mib: Option<u32>,
    /// Calls of `http.request` in a run.
    http_calls: Option<u32>,
}

impl From<RunLimitsInput> for tidegate_model::RunLimits {
    fn from(input: RunLimitsInput) -> Self {
        let RunLimitsInput { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls } =
            input;
        Self { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls }
    }
}

/// The settings that an input asks for; what it leaves out has its default.
pub(super) fn settings(limits: Option<RunLimitsInput>) -> Settings {
    Settings { limits: limits.map(Into::into).unwrap_or_default(), ..Settings::default() }
}
