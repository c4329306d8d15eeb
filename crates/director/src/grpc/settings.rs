//! What of an Integration has a default.

use std::num::NonZeroU32;

use tidegate_model::{Error, IdempotencyKey, IncomingSettings, RateLimit, RatePeriod, RunLimits, Settings};
use tidegate_wire::api::v1;

use super::convert::optional_json;
use super::outgoing;

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

/// The settings that an input asks for, but for its signature; what it leaves out has its default.
pub(super) fn input(
    limits: Option<v1::RunLimitsInput>,
    (incoming, outgoing): (Option<&v1::IncomingSettingsInput>, Option<v1::OutgoingSettingsInput>),
    masked_headers: Vec<String>,
) -> Result<Settings, Error> {
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
    let incoming = incoming.map(incoming_of).transpose()?.unwrap_or_default();
    Ok(Settings { limits, incoming, outgoing: outgoing::input(outgoing)?, masked_headers })
}

pub(super) fn rate_limit(limit: RateLimit) -> v1::RateLimit {
    let per = match limit.per() {
        RatePeriod::Second => v1::RatePeriod::Second,
        RatePeriod::Minute => v1::RatePeriod::Minute,
        RatePeriod::Hour => v1::RatePeriod::Hour,
    };
    v1::RateLimit { calls: i32::try_from(limit.calls().get()).unwrap_or(i32::MAX), per: per.into() }
}

fn incoming_of(input: &v1::IncomingSettingsInput) -> Result<IncomingSettings, Error> {
    let concurrency = input.concurrency.map(u32::try_from).transpose();
    Ok(IncomingSettings {
        signature: None,
        rate_limit: input.rate_limit.map(rate_limit_of).transpose()?,
        idempotency_key: input.idempotency_key.map(idempotency_key_of).transpose()?.unwrap_or_default(),
        run_repeated_deliveries: input.run_repeated_deliveries.unwrap_or_default(),
        body_schema: optional_json("in.incoming.bodySchema", input.body_schema.clone())?,
        check_body: input.check_body.unwrap_or_default(),
        concurrency: concurrency.map_err(|_| Error::invalid("in.incoming.concurrency", "1 to 10000, or nothing"))?,
    })
}

pub(super) fn idempotency_key(key: IdempotencyKey) -> v1::IdempotencyKey {
    match key {
        IdempotencyKey::None => v1::IdempotencyKey::None,
        IdempotencyKey::Accepted => v1::IdempotencyKey::Accepted,
        IdempotencyKey::Required => v1::IdempotencyKey::Required,
    }
}

fn idempotency_key_of(key: i32) -> Result<IdempotencyKey, Error> {
    match v1::IdempotencyKey::try_from(key) {
        Ok(v1::IdempotencyKey::None) => Ok(IdempotencyKey::None),
        Ok(v1::IdempotencyKey::Accepted) => Ok(IdempotencyKey::Accepted),
        Ok(v1::IdempotencyKey::Required) => Ok(IdempotencyKey::Required),
        Ok(v1::IdempotencyKey::Unspecified) | Err(_) => {
            Err(Error::invalid("in.incoming.idempotencyKey", "NONE, ACCEPTED or REQUIRED"))
        }
    }
}

fn rate_limit_of(input: v1::RateLimitInput) -> Result<RateLimit, Error> {
    let per = match v1::RatePeriod::try_from(input.per) {
        Ok(v1::RatePeriod::Second) => RatePeriod::Second,
        Ok(v1::RatePeriod::Minute) => RatePeriod::Minute,
        Ok(v1::RatePeriod::Hour) => RatePeriod::Hour,
        Ok(v1::RatePeriod::Unspecified) | Err(_) => {
            return Err(Error::invalid("in.incoming.rateLimit.per", "SECOND, MINUTE or HOUR"));
        }
    };
    let calls = u32::try_from(input.calls).ok().and_then(NonZeroU32::new);
    let limit = calls.and_then(|calls| RateLimit::new(calls, per));
    limit.ok_or_else(|| Error::invalid("in.incoming.rateLimit.calls", "1 to 1000000"))
}
