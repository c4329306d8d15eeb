//! How the calls of an OUTGOING Integration are made.

use tidegate_model::{DeliveryOrdering, Error, OutgoingSettings, Pause, PauseReason, RetrySchedule};
use tidegate_wire::api::v1;

use super::convert::instant;

pub(super) fn outgoing(outgoing: OutgoingSettings) -> v1::OutgoingSettings {
    let told = |number: Option<u32>| number.map(count);
    let schedule = |schedule: RetrySchedule| v1::RetrySchedule {
        delays_seconds: schedule.delays_seconds.into_iter().map(count).collect(),
    };
    let OutgoingSettings {
        credential,
        signing_credentials,
        schedule: repeated,
        timeout_ms,
        concurrency,
        rate_per_second,
        ordering,
    } = outgoing;
    let ordering = match ordering {
        DeliveryOrdering::None => v1::DeliveryOrdering::None,
        DeliveryOrdering::PerObject => v1::DeliveryOrdering::PerObject,
    };
    v1::OutgoingSettings {
        credential,
        signing_credentials,
        schedule: repeated.map(schedule),
        timeout_ms: told(timeout_ms),
        concurrency: told(concurrency),
        rate_per_second: told(rate_per_second),
        ordering: ordering.into(),
    }
}

pub(super) fn pause(pause: Pause) -> v1::Pause {
    let reason = match pause.reason {
        PauseReason::Gone => v1::PauseReason::Gone,
        PauseReason::Failing => v1::PauseReason::Failing,
    };
    v1::Pause { reason: reason.into(), since: Some(instant(pause.since)) }
}

/// The settings that an input asks for; what it leaves out has its default.
pub(super) fn input(input: Option<v1::OutgoingSettingsInput>) -> Result<OutgoingSettings, Error> {
    let input = input.unwrap_or_default();
    let read = |field: &str, number: i32| {
        let refused = |_| Error::invalid(format!("in.outgoing.{field}"), "a number that is not negative");
        u32::try_from(number).map_err(refused)
    };
    let schedule = |schedule: v1::RetryScheduleInput| {
        let delays = schedule.delays_seconds.into_iter().map(|delay| read("schedule.delaysSeconds", delay));
        delays.collect::<Result<_, Error>>().map(|delays_seconds| RetrySchedule { delays_seconds })
    };
    Ok(OutgoingSettings {
        credential: input.credential,
        signing_credentials: input.signing_credentials,
        schedule: input.schedule.map(schedule).transpose()?,
        timeout_ms: input.timeout_ms.map(|ms| read("timeoutMs", ms)).transpose()?,
        concurrency: input.concurrency.map(|n| read("concurrency", n)).transpose()?,
        rate_per_second: input.rate_per_second.map(|n| read("ratePerSecond", n)).transpose()?,
        ordering: input.ordering.map(ordering).transpose()?.unwrap_or_default(),
    })
}

fn ordering(ordering: i32) -> Result<DeliveryOrdering, Error> {
    match v1::DeliveryOrdering::try_from(ordering) {
        Ok(v1::DeliveryOrdering::None) => Ok(DeliveryOrdering::None),
        Ok(v1::DeliveryOrdering::PerObject) => Ok(DeliveryOrdering::PerObject),
        Ok(v1::DeliveryOrdering::Unspecified) | Err(_) => {
            Err(Error::invalid("in.outgoing.ordering", "NONE or PER_OBJECT"))
        }
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
