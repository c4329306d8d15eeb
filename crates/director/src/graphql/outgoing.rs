//! How the calls of an OUTGOING Integration are made.

use async_graphql::{Enum, InputObject, SimpleObject};

use super::enums::DeliveryOrdering;
use super::scalars::DateTime;

/// How the calls of an OUTGOING Integration are made; null is the operator's default.
#[derive(SimpleObject)]
pub(super) struct OutgoingSettings {
    /// The name of the credential that goes with each call.
    credential: Option<String>,
    /// Names of the credentials of kind SIGNING that sign each call as Standard Webhooks says.
    signing_credentials: Vec<String>,
    /// When a call is repeated.
    schedule: Option<RetrySchedule>,
    /// How long one call may take, in milliseconds.
    timeout_ms: Option<u32>,
    /// How many of its deliveries a dispatcher has in hand at once.
    concurrency: Option<u32>,
    /// How many calls a dispatcher begins in a second; null is no limit.
    rate_per_second: Option<u32>,
    /// In which order deliveries are made.
    ordering: DeliveryOrdering,
}

/// The waits between the attempts of a call: so many and one attempts in all.
#[derive(SimpleObject)]
struct RetrySchedule {
    /// How long after each failed attempt the next one comes, in seconds.
    delays_seconds: Vec<u32>,
}

/// How the calls of an OUTGOING Integration are made; what is absent is the operator's default.
#[derive(InputObject)]
pub(super) struct OutgoingSettingsInput {
    /// The name of a credential of kind BASIC, BEARER, HEADER or OAUTH2 that goes with each call; its `allowedHosts` have to cover the URL.
    credential: Option<String>,
    /// Names of credentials of kind SIGNING, at most 2: each call carries a signature of each of their secrets, as Standard Webhooks says.
    signing_credentials: Option<Vec<String>>,
    /// When a call is repeated.
    schedule: Option<RetryScheduleInput>,
    /// How long one call may take, in milliseconds.
    timeout_ms: Option<u32>,
    /// How many of its deliveries a dispatcher has in hand at once.
    concurrency: Option<u32>,
    /// How many calls a dispatcher begins in a second: 1 to 10000. Those beyond wait in their order. Absent is no limit.
    rate_per_second: Option<u32>,
    /// In which order deliveries are made; absent is NONE.
    ordering: Option<DeliveryOrdering>,
}

/// The waits between the attempts of a call: so many and one attempts in all.
#[derive(InputObject)]
struct RetryScheduleInput {
    /// How long after each failed attempt the next one comes, in seconds: at most 30 waits of 1 to 604800. None repeats nothing.
    delays_seconds: Vec<u32>,
}

/// That the deliveries of an Integration wait until somebody resumes it.
#[derive(SimpleObject)]
pub(super) struct Pause {
    reason: PauseReason,
    since: DateTime,
}

/// Why deliveries wait.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "tidegate_model::PauseReason")]
pub(super) enum PauseReason {
    /// The destination answered 410: it is gone for good.
    Gone,
    /// For days no call arrived.
    Failing,
}

impl From<tidegate_model::Pause> for Pause {
    fn from(pause: tidegate_model::Pause) -> Self {
        Self { reason: pause.reason.into(), since: pause.since.into() }
    }
}

impl From<tidegate_model::OutgoingSettings> for OutgoingSettings {
    fn from(outgoing: tidegate_model::OutgoingSettings) -> Self {
        let tidegate_model::OutgoingSettings {
            credential,
            signing_credentials,
            schedule,
            timeout_ms,
            concurrency,
            rate_per_second,
            ordering,
        } = outgoing;
        let schedule = schedule.map(|schedule| RetrySchedule { delays_seconds: schedule.delays_seconds });
        let ordering = ordering.into();
        Self { credential, signing_credentials, schedule, timeout_ms, concurrency, rate_per_second, ordering }
    }
}

impl From<OutgoingSettingsInput> for tidegate_model::OutgoingSettings {
    fn from(input: OutgoingSettingsInput) -> Self {
        let schedule =
            |schedule: RetryScheduleInput| tidegate_model::RetrySchedule { delays_seconds: schedule.delays_seconds };
        Self {
            credential: input.credential,
            signing_credentials: input.signing_credentials.unwrap_or_default(),
            schedule: input.schedule.map(schedule),
            timeout_ms: input.timeout_ms,
            concurrency: input.concurrency,
            rate_per_second: input.rate_per_second,
            ordering: input.ordering.map(Into::into).unwrap_or_default(),
        }
    }
}
