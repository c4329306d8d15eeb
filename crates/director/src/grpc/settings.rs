//! What of an Integration has a default.

use tidegate_model::{Error, RunLimits, Settings};
use tidegate_wire::api::v1;

pub(super) fn limits(limits: RunLimits) -> v1::RunLimits {
    let told = |limit: Option<u32>| limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
    let RunLimits { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls } = limits;
    v1::RunLimits {
        enable_cpu_ms: told(enable_cpu_ms),
        enable_timeout_ms: told(enable_timeout_ms),
        core_cpu_ms: told(core_cpu_ms),
        core_timeout_ms: told(core_timeout_ms),
        memory_mib: told(memory_mib),
        http_calls: told(http_calls),
    }
}

/// The settings that an input asks for; what it leaves out has its default.
pub(super) fn input(limits: Option<v1::RunLimitsInput>) -> Result<Settings, Error> {
    let limits = limits.unwrap_or_default();
    let read = |field: &str, limit: Option<i32>| {
        let refused = |_| Error::invalid(format!("in.limits.{field}"), "a number that is not negative");
        limit.map(|limit| u32::try_from(limit).map_err(refused)).transpose()
    };
    let limits = RunLimits {
        enable_cpu_ms: read("enableCpuMs", limits.enable_cpu_ms)?,
        enable_timeout_ms: read("enableTimeoutMs", limits.enable_timeout_ms)?,
        core_cpu_ms: read("coreCpuMs", limits.core_cpu_ms)?,
        core_timeout_ms: read("coreTimeoutMs", limits.core_timeout_ms)?,
        memory_mib: read("memoryMiB", limits.memory_mib)?,
        http_calls: read("httpCalls", limits.http_calls)?,
    };
    Ok(Settings { limits, ..Settings::default() })
}
