//! What of an Integration has a default.

use std::num::NonZeroU32;

use async_graphql::{Enum, InputObject, SimpleObject};
use tidegate_model::{Error, IncomingSettings, Settings};

use super::outgoing::OutgoingSettingsInput;

/// The bounds that an Integration sets for its scripts, each within the operator's; null is the operator's default.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "RunLimitsInput")]
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

impl From<RunLimits> for tidegate_model::RunLimits {
    fn from(limits: RunLimits) -> Self {
        let RunLimits { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls } =
            limits;
        Self { enable_cpu_ms, enable_timeout_ms, core_cpu_ms, core_timeout_ms, memory_mib, http_calls }
    }
}

/// So many calls in that time.
#[derive(SimpleObject)]
pub(super) struct RateLimit {
    calls: NonZeroU32,
    per: RatePeriod,
}

/// So many calls in that time.
#[derive(InputObject)]
pub(super) struct RateLimitInput {
    /// 1 to 1000000.
    calls: NonZeroU32,
    per: RatePeriod,
}

/// The time in which so many calls are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "tidegate_model::RatePeriod")]
pub(super) enum RatePeriod {
    Second,
    Minute,
    Hour,
}

impl From<tidegate_model::RateLimit> for RateLimit {
    fn from(limit: tidegate_model::RateLimit) -> Self {
        Self { calls: limit.calls(), per: limit.per().into() }
    }
}

impl TryFrom<RateLimitInput> for tidegate_model::RateLimit {
    type Error = Error;

    fn try_from(input: RateLimitInput) -> Result<Self, Error> {
        let too_many = || Error::invalid("in.incoming.rateLimit.calls", "1 to 1000000");
        Self::new(input.calls, input.per.into()).ok_or_else(too_many)
    }
}

/// The settings that an input asks for, but for its signature; what it leaves out has its default.
pub(super) fn settings(
    limits: Option<RunLimits>,
    (incoming, outgoing): (IncomingSettings, Option<OutgoingSettingsInput>),
    masked_headers: Option<Vec<String>>,
) -> Settings {
    Settings {
        limits: limits.map(Into::into).unwrap_or_default(),
        incoming,
        outgoing: outgoing.map(Into::into).unwrap_or_default(),
        masked_headers: masked_headers.unwrap_or_default(),
    }
}
