//! From the configuration to what each crate calls its options.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::{Config, Sending};
use crate::listen::Limits;

/// How long an event is known at least: longer than a publisher repeats it, and than the bus remembers. What has a record can be replayed.
const EVENT_RETENTION: Duration = Duration::from_hours(7 * 24);

/// The longest that a record may take to be durable before its caller is told that it is not.
const RECORDED: Duration = Duration::from_secs(30);

/// What URLs begin with that others are given: as configured, or where this process listens.
pub(super) fn public_url(configured: Option<&url::Url>, config: &Config, address: SocketAddr) -> String {
    let url = configured.map_or_else(|| format!("{}://{address}", config.scheme()), ToString::to_string);
    url.trim_end_matches('/').to_owned()
}

pub(super) fn credentials(config: &Config, issuer: &str) -> tidegate_credentials::Options {
    tidegate_credentials::Options {
        token_lifetime: config.oauth2.token_lifetime,
        key_lifetime: config.oauth2.key_lifetime,
        ..tidegate_credentials::Options::new(issuer)
    }
}

pub(super) fn director(config: &Config, address: SocketAddr, issuer: &str) -> tidegate_director::Options {
    tidegate_director::Options {
        webhook_url: public_url(config.webhook_url.as_ref(), config, address),
        token_url: format!("{issuer}/oauth2/token"),
        run_bounds: config.scripts.bounds,
        call_bounds: config.dispatch.bounds,
        max_body: config.sending.body,
        record_retention: config.retention,
        event_retention: EVENT_RETENTION.max(config.retention),
        audit_retention: config.audit_retention,
        trusted_proxies: config.door.trusted_proxies.clone(),
        graphiql: config.graphiql,
    }
}

pub(super) fn engine(config: &Config) -> tidegate_engine::Options {
    let mut options = tidegate_engine::Options::default();
    let limits = &mut options.limits;
    limits.incoming.wall = config.scripts.incoming;
    limits.outgoing.wall = config.scripts.outgoing;
    limits.enable.wall = limits.enable.wall.min(config.scripts.outgoing);
    options.bounds = config.scripts.bounds;
    options
}

pub(crate) fn listener(config: &Config) -> Limits {
    let Sending { connections, connection_age, head_timeout, body_timeout, .. } = config.sending;
    Limits { connections, head: head_timeout, stall: body_timeout, age: connection_age }
}

/// As for runs, but few at once: each has a machine of its own.
pub(super) fn trials(config: &Config) -> tidegate_engine::Options {
    tidegate_engine::Options { threads: 1, runs_per_thread: 8, runs_per_tenant: 2, ..engine(config) }
}

pub(super) fn gateway(config: &Config) -> tidegate_webhook_gateway::Options {
    tidegate_webhook_gateway::Options {
        max_body: config.sending.body,
        body_timeout: config.sending.body_timeout,
        body_rate: config.sending.body_rate,
        max_calls: config.door.calls,
        max_calls_of_tenant: config.door.calls_per_tenant,
        max_calls_of_integration: config.door.calls_per_integration,
        patience: config.door.patience,
        rate_limit: config.door.rate_limit,
        claim_lease: claim_lease(config),
        trusted_proxies: config.door.trusted_proxies.clone(),
        public_url: config.webhook_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
        ..Default::default()
    }
}

/// How long a webhook's run may take, as far as its Integration may go, and its record after it; a fifth more than that.
fn claim_lease(config: &Config) -> Duration {
    let (limits, bounds) = (engine(config).limits, config.scripts.bounds);
    let most = |own: u32, default: Duration| default.max(Duration::from_millis(own.into()));
    let scripts = most(bounds.enable_timeout_ms(), limits.enable.wall) + most(bounds.timeout_ms, limits.incoming.wall);
    (scripts + RECORDED).mul_f32(1.2)
}

/// `alone`: whether no other process works on the same store.
pub(super) fn dispatcher(config: &Config, alone: bool) -> tidegate_outgoing_dispatcher::Options {
    let limits = engine(config).limits;
    // An Integration may allow its scripts as much as the operator's bounds.
    let bounds = config.scripts.bounds;
    let most = |own: u32, default: Duration| default.max(Duration::from_millis(own.into()));
    let script_limit =
        most(bounds.enable_timeout_ms(), limits.enable.wall) + most(bounds.timeout_ms, limits.outgoing.wall);
    let mut options = tidegate_outgoing_dispatcher::Options {
        call_timeout: config.dispatch.timeout,
        script_limit,
        // A fifth more than the longest work: a stalled moment is not taken for death.
        lease: (script_limit + config.dispatch.timeout).mul_f32(1.2),
        bounds: config.dispatch.bounds,
        in_hand: config.dispatch.in_hand,
        pause_after: config.dispatch.pause_after,
        circuit: config.dispatch.circuit,
        grace: config.drain,
        alone,
        ..Default::default()
    };
    options.schedule.attempts = config.dispatch.attempts;
    options.schedule.first = config.dispatch.first_delay;
    options.schedule.cap = config.dispatch.max_delay;
    options
}
