//! What an operator chooses.

use std::time::Duration;

use tidegate_model::{Proxies, RateLimit};

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the largest body.
    pub max_body: usize,
    /// How long a caller may take to send its body.
    pub body_timeout: Duration,
    /// Bytes of its body that a caller must have sent for each second after the first `body_grace`.
    pub body_rate: usize,
    /// How long a body may come as slowly as it likes: long enough for a packet that is lost twice.
    pub body_grace: Duration,
    /// Calls in hand at once, each with a body in memory. As many may wait for their turn, at each place where they wait.
    pub max_calls: usize,
    /// As many of them may be one tenant's.
    pub max_calls_of_tenant: usize,
    /// As many of them may be one Integration's.
    pub max_calls_of_integration: usize,
    /// How long a call waits for its turn when there are that many, before it is told to come again.
    pub patience: Duration,
    /// How often an Integration may be called; `None` is as often as it likes.
    pub rate_limit: Option<RateLimit>,
    /// How long a call that may be repeated holds its key at most: longer than any run and its record take.
    pub claim_lease: Duration,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Proxies,
    /// What callers see before `/webhook/`, for `requestUrl`; `None` is the protocol and the host that they, or a trusted proxy, name.
    pub public_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 1 << 20,
            body_timeout: Duration::from_secs(30),
            body_rate: 1 << 10,
            body_grace: Duration::from_secs(5),
            max_calls: 512,
            max_calls_of_tenant: 128,
            max_calls_of_integration: 64,
            patience: Duration::from_secs(1),
            rate_limit: None,
            claim_lease: Duration::from_mins(1),
            trusted_proxies: Proxies::default(),
            public_url: None,
        }
    }
}
