//! What of an Integration has a default. Stored and sent as JSON, so that a setting can be added without moving a column; what an older
//! version wrote reads as the default here, and what a newer one wrote is left alone.

use serde::{Deserialize, Serialize};

use crate::{Json, RateLimit, SignatureSettings};

/// The settings of an Integration; the default is what holds when its author says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// The bounds of its scripts.
    pub limits: RunLimits,
    /// How callers are met; INCOMING only.
    pub incoming: IncomingSettings,
    /// How calls are made; OUTGOING only.
    pub outgoing: OutgoingSettings,
    /// Headers whose values its records must not keep, besides those that carry credentials by their name. In any case.
    pub masked_headers: Vec<String>,
}

impl Settings {
    /// The most headers that may be named.
    pub const MAX_MASKED_HEADERS: usize = 32;
}

/// How the callers of an INCOMING Integration are met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IncomingSettings {
    /// What every call must be signed with; nothing requires no signature.
    pub signature: Option<SignatureSettings>,
    /// How often it may be called; the operator's default where none is set.
    pub rate_limit: Option<RateLimit>,
    /// How many of its calls a gateway has in hand at once; the operator's default where none is set.
    pub concurrency: Option<u32>,
    /// Whether callers may, or must, say by an `Idempotency-Key` which calls are the same.
    pub idempotency_key: IdempotencyKey,
    /// Whether a delivery that comes again, by the id that its signature's scheme gives it, runs again; if not, it gets the first one's answer.
    pub run_repeated_deliveries: bool,
    /// A JSON Schema of what callers send, for the Integration's own document; of a GET it is about the decoded query.
    pub body_schema: Option<Json>,
    /// Whether what does not fit [`IncomingSettings::body_schema`] is refused.
    pub check_body: bool,
}

impl IncomingSettings {
    /// Whether a call may be recognised as one that was here before.
    pub fn knows_repeats(&self) -> bool {
        let by_delivery = self.signature.as_ref().is_some_and(|signature| signature.scheme.names_deliveries());
        self.idempotency_key != IdempotencyKey::None || (by_delivery && !self.run_repeated_deliveries)
    }

    /// The most that `concurrency` may be.
    pub const MAX_CONCURRENCY: u32 = 10_000;
}

/// What becomes of the header `Idempotency-Key` of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IdempotencyKey {
    /// It means nothing.
    #[default]
    None,
    /// A call that comes again with it gets the first one's answer.
    Accepted,
    /// As `Accepted`, and a call without it is refused.
    Required,
}

/// How the calls of an OUTGOING Integration are made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OutgoingSettings {
    /// The name of the tenant's credential that goes with each call.
    pub credential: Option<String>,
    /// Names of the tenant's credentials of kind SIGNING: each call carries a signature of each of their secrets.
    pub signing_credentials: Vec<String>,
    /// When a call is repeated; the operator's schedule where none is set.
    pub schedule: Option<RetrySchedule>,
    /// How long one call may take, in milliseconds; the operator's default where none is set.
    pub timeout_ms: Option<u32>,
    /// How many of its deliveries a dispatcher has in hand at once; the operator's default where none is set.
    pub concurrency: Option<u32>,
    /// How many calls a dispatcher begins in a second; as many as there are where none is set.
    pub rate_per_second: Option<u32>,
    /// In which order its deliveries are made.
    pub ordering: DeliveryOrdering,
}

/// In which order an Integration's deliveries are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryOrdering {
    /// None waits for another.
    #[default]
    None,
    /// Those about one object one after the other, in the order of its events, each when the one before has ended; other objects go on.
    PerObject,
}

/// The waits between the attempts of a call: so many and one attempts in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RetrySchedule {
    /// How long after each failed attempt the next one comes, in seconds.
    pub delays_seconds: Vec<u32>,
}

impl OutgoingSettings {
    /// How many credentials may sign at once: two while one takes the other's place.
    pub const MAX_SIGNING_CREDENTIALS: usize = 2;
    /// The most that `rate_per_second` may be.
    pub const MAX_RATE: u32 = 10_000;

    /// The settings that are outside of what is allowed: name of the field, and what it is to be.
    pub fn outside(&self, bounds: &CallBounds) -> Vec<(&'static str, String)> {
        let schedule = self.schedule.as_ref().is_none_or(RetrySchedule::is_sensible);
        let within = |value: Option<u32>, most: u32| value.is_none_or(|value| (1..=most).contains(&value));
        let up_to = |most: u32| format!("1 to {most}, or nothing");
        let all = [
            ("schedule.delaysSeconds", schedule, RetrySchedule::RULE.to_owned()),
            ("timeoutMs", within(self.timeout_ms, bounds.timeout_ms), up_to(bounds.timeout_ms)),
            ("concurrency", within(self.concurrency, bounds.concurrency), up_to(bounds.concurrency)),
            ("ratePerSecond", within(self.rate_per_second, Self::MAX_RATE), up_to(Self::MAX_RATE)),
        ];
        all.into_iter().filter(|(_, fits, _)| !fits).map(|(name, _, expected)| (name, expected)).collect()
    }
}

impl RetrySchedule {
    /// How many repetitions there may be.
    pub const MAX_DELAYS: usize = 30;
    /// The longest wait, in seconds: a week.
    pub const MAX_DELAY: u32 = 7 * 24 * 3600;
    /// What every schedule obeys, as it is told to whoever wrote another one.
    pub const RULE: &'static str = "at most 30 waits of 1 to 604800 seconds; none repeats nothing";

    fn is_sensible(&self) -> bool {
        let delays = &self.delays_seconds;
        delays.len() <= Self::MAX_DELAYS && delays.iter().all(|delay| (1..=Self::MAX_DELAY).contains(delay))
    }
}

/// How far an Integration may go with its [`OutgoingSettings`]: the operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBounds {
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u32,
    /// How many deliveries a dispatcher has in hand at once.
    pub concurrency: u32,
}

impl Default for CallBounds {
    fn default() -> Self {
        Self { timeout_ms: 60_000, concurrency: 128 }
    }
}

/// The bounds that an Integration sets for its own scripts; where it sets none, the operator's default holds, and never more than the
/// operator's [`RunBounds`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunLimits {
    /// CPU time of enable logic, in milliseconds.
    pub enable_cpu_ms: Option<u32>,
    /// Time of enable logic by the clock on the wall, in milliseconds.
    pub enable_timeout_ms: Option<u32>,
    /// CPU time of core logic, in milliseconds.
    pub core_cpu_ms: Option<u32>,
    /// Time of core logic by the clock on the wall, waiting included, in milliseconds.
    pub core_timeout_ms: Option<u32>,
    /// Memory of a run, in MiB (1024 * 1024 bytes).
    #[serde(rename = "memoryMiB")]
    pub memory_mib: Option<u32>,
    /// Calls of `http.request` in a run.
    pub http_calls: Option<u32>,
}

/// How far an Integration may go with its [`RunLimits`]: the operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunBounds {
    /// CPU time of one script, in milliseconds.
    pub cpu_ms: u32,
    /// Time of core logic by the clock on the wall, in milliseconds. Enable logic only decides: it has [`RunBounds::enable_timeout_ms`].
    pub timeout_ms: u32,
    /// Memory of a run, in MiB.
    pub memory_mib: u32,
    /// Calls of `http.request` in a run.
    pub http_calls: u32,
}

impl Default for RunBounds {
    fn default() -> Self {
        Self { cpu_ms: 1_000, timeout_ms: 30_000, memory_mib: 128, http_calls: 100 }
    }
}

impl RunBounds {
    /// Time of enable logic by the clock on the wall, in milliseconds: never more than 5 seconds, since a delivery whose process died waits
    /// until both scripts would have ended.
    pub fn enable_timeout_ms(&self) -> u32 {
        self.timeout_ms.min(5_000)
    }
}

/// The least memory that a script can be given, in MiB: the libraries are in it.
const LEAST_MEMORY_MIB: u32 = 2;

impl RunLimits {
    /// The limits that are outside of what the operator allows: name of the field, and the least and the most that it may be.
    pub fn outside(&self, bounds: &RunBounds) -> Vec<(&'static str, u32, u32)> {
        let all = [
            ("enableCpuMs", self.enable_cpu_ms, 1, bounds.cpu_ms),
            ("enableTimeoutMs", self.enable_timeout_ms, 1, bounds.enable_timeout_ms()),
            ("coreCpuMs", self.core_cpu_ms, 1, bounds.cpu_ms),
            ("coreTimeoutMs", self.core_timeout_ms, 1, bounds.timeout_ms),
            ("memoryMiB", self.memory_mib, LEAST_MEMORY_MIB, bounds.memory_mib),
            ("httpCalls", self.http_calls, 0, bounds.http_calls),
        ];
        let outside = |(name, value, least, most): (_, Option<u32>, u32, u32)| {
            value.is_some_and(|value| !(least..=most).contains(&value)).then_some((name, least, most))
        };
        all.into_iter().filter_map(outside).collect()
    }
}
