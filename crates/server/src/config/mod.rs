//! The configuration: defaults, then `--config FILE`, then `TIDEGATE_SECTION__KEY`, then flags.
//!
//! To add a setting: a line in [`keys::KEYS`], a field here, its line in [`Config::read`], its use in `compose`, and its proof in
//! `tests/it/settings.rs`, which fails until there is one; then `scripts/generate`.

mod fault;
mod keys;
mod layers;
mod master_keys;
mod print;
mod roles;
mod tls;
mod units;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tidegate_engine::Policy;
use tidegate_model::{CallBounds, ClientId, Proxies, RateLimit, RunBounds, Secret};
use tidegate_outgoing_dispatcher::CircuitOptions;
use tidegate_storage::{DatabaseUrl, InvalidDatabaseUrl};
use url::Url;

pub(crate) use fault::Fault;
pub(crate) use keys::{KEYS, Key};
pub(crate) use layers::Layers;
pub(crate) use master_keys::MasterKeys;
pub(crate) use print::{effective, reference};
pub(crate) use roles::{Role, Roles};
pub(crate) use tls::{Called, Served};
use values::{NOT_UNDERSTOOD, Values};

/// Where everything is remembered.
#[derive(Clone)]
pub(crate) enum Database {
    /// A file of this machine, for one process.
    Sqlite(PathBuf),
    /// A server.
    Postgres(String),
}

/// Where events travel.
#[derive(Clone)]
pub(crate) enum Bus {
    /// In the SQLite file.
    Local,
    /// NATS JetStream.
    Nats(Broker),
}

/// A NATS server, or a cluster of them.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) url: String,
    pub(crate) prefix: String,
    pub(crate) replicas: usize,
    pub(crate) credentials: Option<Secret>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// How attempts are repeated.
#[derive(Clone, Copy)]
pub(crate) struct Dispatch {
    pub(crate) attempts: u32,
    pub(crate) first_delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) timeout: Duration,
    pub(crate) bounds: CallBounds,
    pub(crate) in_hand: usize,
    pub(crate) pause_after: Duration,
    pub(crate) circuit: CircuitOptions,
}

/// How long core logic may take, and how far an Integration may go beyond.
#[derive(Clone, Copy)]
pub(crate) struct Scripts {
    pub(crate) incoming: Duration,
    pub(crate) outgoing: Duration,
    pub(crate) bounds: RunBounds,
}

/// What the gateway takes.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) trusted_proxies: Proxies,
    pub(crate) calls: usize,
    pub(crate) calls_per_tenant: usize,
    pub(crate) calls_per_integration: usize,
    pub(crate) patience: Duration,
    pub(crate) rate_limit: Option<RateLimit>,
}

/// What one caller may send, and how slowly.
#[derive(Clone, Copy)]
pub(crate) struct Sending {
    pub(crate) body: usize,
    pub(crate) body_timeout: Duration,
    /// Bytes in a second.
    pub(crate) body_rate: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) connections: usize,
    pub(crate) connection_age: Duration,
}

/// Where the other processes are.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) director: Option<String>,
    pub(crate) credentials: Option<String>,
    pub(crate) secret: Option<Secret>,
    /// The client credentials of this process.
    pub(crate) client: Option<(ClientId, Secret)>,
    /// How they are known over TLS.
    pub(crate) tls: Option<Called>,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How access tokens are issued.
#[derive(Clone)]
pub(crate) struct OAuth2 {
    pub(crate) public_url: Option<Url>,
    pub(crate) token_lifetime: Duration,
    pub(crate) key_lifetime: Duration,
}

/// What `tidegate` was told.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) database: Database,
    /// The most to the database, where it is not for the roles to say.
    pub(crate) connections: Option<u32>,
    pub(crate) bus: Bus,
    pub(crate) listen: SocketAddr,
    /// With TLS.
    pub(crate) served: Option<Served>,
    pub(crate) linger: Duration,
    pub(crate) drain: Duration,
    pub(crate) graphiql: bool,
    pub(crate) webhook_url: Option<Url>,
    pub(crate) door: Door,
    pub(crate) oauth2: OAuth2,
    pub(crate) master_keys: Option<MasterKeys>,
    pub(crate) peers: Peers,
    pub(crate) egress: Policy,
    pub(crate) admin: Option<(ClientId, Secret)>,
    pub(crate) scripts: Scripts,
    pub(crate) dispatch: Dispatch,
    pub(crate) retention: Duration,
    pub(crate) audit_retention: Duration,
    pub(crate) sending: Sending,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: String,
}

impl Config {
    /// Understands every value, whatever roles will run.
    pub(crate) fn read(layers: &Layers) -> Result<Self, Fault> {
        let values = Values(layers);
        let master_keys = values.judged("secrets.key", |text| match text {
            "" => Ok(None),
            keys => MasterKeys::read(keys).map(Some),
        })?;
        let peer_secret = values.optional("peers.secret", secret)?;
        let admin = client(&values, "admin.client_id", "admin.client_secret")?;
        Ok(Self {
            database: values.judged("database.url", database)?,
            connections: values.optional("database.connections", |text| text.parse().ok().filter(|n| *n > 0))?,
            bus: bus(&values)?,
            listen: values.required("http.listen", |text| text.parse().ok())?,
            served: Served::read(&values)?,
            linger: values.required("http.linger", units::duration_or_none)?,
            drain: values.required("http.drain", units::duration)?,
            graphiql: values.required("http.graphiql", on_or_off)?,
            webhook_url: values.optional("webhook.public_url", http_url)?,
            door: Door {
                trusted_proxies: values.required("webhook.trusted_proxies", |text| text.parse().ok())?,
                calls: values.required("webhook.calls", units::number)?,
                calls_per_tenant: values.required("webhook.calls_per_tenant", units::number)?,
                calls_per_integration: values.required("webhook.calls_per_integration", units::number)?,
                patience: values.required("webhook.patience", units::duration)?,
                rate_limit: values.optional("webhook.rate_limit", |text| text.parse().ok())?,
            },
            oauth2: OAuth2 {
                public_url: values.optional("oauth2.public_url", http_url)?,
                token_lifetime: values.required("oauth2.token_lifetime", whole_seconds)?,
                key_lifetime: values.required("oauth2.key_lifetime", whole_seconds)?,
            },
            master_keys,
            peers: Peers {
                director: values.optional("peers.director", peer_url)?,
                credentials: values.optional("peers.credentials", peer_url)?,
                secret: peer_secret,
                client: client(&values, "peers.client_id", "peers.client_secret")?,
                tls: Called::read(&values)?,
            },
            egress: values.required("egress.allow", egress)?,
            admin,
            scripts: Scripts {
                incoming: values.required("scripts.incoming_timeout", units::duration)?,
                outgoing: values.required("scripts.outgoing_timeout", units::duration)?,
                bounds: RunBounds {
                    cpu_ms: values.required("scripts.max_cpu", millis)?,
                    timeout_ms: values.required("scripts.max_timeout", millis)?,
                    memory_mib: values.required("scripts.max_memory", mebibytes)?,
                    http_calls: values
                        .required("scripts.max_http_calls", |text| text.parse().ok().filter(|n| *n > 0))?,
                },
            },
            dispatch: dispatch(&values)?,
            retention: values.required("records.retention", units::duration)?,
            audit_retention: values.required("audit.retention", units::duration)?,
            sending: Sending {
                body: values.required("limits.body", units::size)?,
                body_timeout: values.required("limits.body_timeout", units::duration)?,
                body_rate: values.required("limits.body_rate", units::size)?,
                head_timeout: values.required("limits.head_timeout", units::duration)?,
                connections: values.required("limits.connections", units::number)?,
                connection_age: values.required("limits.connection_age", units::duration)?,
            },
            log_format: values.required("log.format", log_format)?,
            log_level: values.required("log.level", log_level)?,
        })
    }
}

fn dispatch(values: &Values<'_>) -> Result<Dispatch, Fault> {
    let max_delay = values.required("dispatch.max_delay", units::duration)?;
    let first_delay = values.required("dispatch.first_delay", units::duration)?;
    let in_order = (first_delay <= max_delay).then_some(()).ok_or("is longer than dispatch.max_delay");
    values.judged("dispatch.first_delay", |_| in_order)?;
    let timeout = values.required("dispatch.timeout", units::duration)?;
    let max_timeout = values.required("dispatch.max_timeout", millis)?;
    let within = timeout <= Duration::from_millis(max_timeout.into());
    values.judged("dispatch.timeout", |_| within.then_some(()).ok_or("is longer than dispatch.max_timeout"))?;
    Ok(Dispatch {
        attempts: values.required("dispatch.attempts", |text| text.parse().ok().filter(|n| *n > 0))?,
        first_delay,
        max_delay,
        timeout,
        bounds: CallBounds {
            timeout_ms: max_timeout,
            concurrency: values.required("dispatch.max_concurrency", |text| text.parse().ok().filter(|n| *n > 0))?,
        },
        in_hand: values.required("dispatch.in_hand", |text| text.parse().ok().filter(|n| *n > 0))?,
        pause_after: values.required("dispatch.pause_after", units::duration)?,
        circuit: CircuitOptions {
            calls: values.required("dispatch.circuit_calls", |text| text.parse().ok().filter(|n| *n > 0))?,
            failed_percent: values.required("dispatch.circuit_failed", |text| {
                text.parse().ok().filter(|percent| (1..=100).contains(percent))
            })?,
            window: values.required("dispatch.circuit_window", units::duration)?,
            pause: values.required("dispatch.circuit_pause", units::duration)?,
        },
    })
}

/// Client credentials: both or neither.
fn client(
    values: &Values<'_>,
    id_key: &'static str,
    secret_key: &'static str,
) -> Result<Option<(ClientId, Secret)>, Fault> {
    let id = values.optional(id_key, |text| text.parse::<ClientId>().ok())?;
    match (id, values.optional(secret_key, secret)?) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(values.missing(secret_key, &format!("goes with {id_key}"))),
        (None, Some(_)) => Err(values.missing(id_key, &format!("goes with {secret_key}"))),
    }
}

impl Config {
    /// What the URLs of this process begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.served.is_some() { "https" } else { "http" }
    }
}

/// Tokens tell their times in whole seconds (RFC 7519); none is meant to outlive its keys' owner.
fn whole_seconds(text: &str) -> Option<Duration> {
    let allowed = Duration::from_secs(1)..=Duration::from_hours(10 * 365 * 24);
    units::duration(text).filter(|duration| allowed.contains(duration) && duration.subsec_nanos() == 0)
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn millis(text: &str) -> Option<u32> {
    u32::try_from(units::duration(text)?.as_millis()).ok().filter(|ms| *ms > 0)
}

/// Whole ones, and enough for the libraries that every script has.
fn mebibytes(text: &str) -> Option<u32> {
    let size = units::size(text)?;
    u32::try_from(size >> 20).ok().filter(|mib| *mib >= 2 && size % (1 << 20) == 0)
}

fn database(text: &str) -> Result<Database, String> {
    if matches!(text, "sqlite://:memory:" | "sqlite::memory:") {
        return Err("a database in memory is gone when the process ends, with all that it held".to_owned());
    }
    let file = text.strip_prefix("sqlite://").filter(|path| !path.is_empty());
    if let Some(path) = file {
        return Ok(Database::Sqlite(path.into()));
    }
    let server: DatabaseUrl = text.parse().map_err(|invalid: InvalidDatabaseUrl| invalid.reason)?;
    if server.is_sqlite() { Err(NOT_UNDERSTOOD.to_owned()) } else { Ok(Database::Postgres(text.to_owned())) }
}

/// A name that no host can have, such as `*.internal`, would allow nothing.
fn egress(text: &str) -> Option<Policy> {
    let hosts = text.split(',').filter_map(|entry| url::Host::parse(entry.trim()).ok());
    let mut names = hosts.filter_map(|host| if let url::Host::Domain(name) = host { Some(name) } else { None });
    let is_label = |label: &str| {
        let known = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        known && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = |name: String| name.strip_suffix('.').unwrap_or(&name).split('.').all(is_label);
    names.all(is_name).then(|| text.parse().ok()).flatten()
}

fn bus(values: &Values<'_>) -> Result<Bus, Fault> {
    let server =
        |part: &str| Url::parse(part.trim()).is_ok_and(|url| matches!(url.scheme(), "nats" | "tls") && url.has_host());
    let known = |text: &str| text == "local" || text.split(',').all(server);
    let url = values.required("bus.url", |text| known(text).then(|| text.to_owned()))?;
    let in_subjects = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let broker = Broker {
        url,
        prefix: values
            .required("bus.prefix", |text| (!text.is_empty() && in_subjects(text)).then(|| text.to_owned()))?,
        replicas: values.required("bus.replicas", |text| text.parse().ok().filter(|n| (1..=5).contains(n)))?,
        credentials: values.optional("bus.credentials", |text| Some(Secret::new(text)))?,
        ca: tls::path(values, "bus.ca")?,
        identity: tls::paths(values, "bus.certificate", "bus.key")?,
    };
    Ok(if broker.url == "local" { Bus::Local } else { Bus::Nats(broker) })
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && bare).then_some(url)
}

/// Calls go to an origin: a path in front of theirs would be left out of them.
fn peer_url(text: &str) -> Option<String> {
    http_url(text).filter(|url| url.path() == "/").map(|_| text.trim_end_matches('/').to_owned())
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// A lone word that is no level would be taken for the name of a module, and silence everything else.
fn log_level(text: &str) -> Option<String> {
    let known = |part: &str| part.contains('=') || ["error", "warn", "info", "debug", "trace"].contains(&part);
    let valid = text.split(',').all(known) && text.parse::<tracing_subscriber::EnvFilter>().is_ok();
    valid.then(|| text.to_owned())
}

fn secret(text: &str) -> Option<Secret> {
    (text.len() >= 16).then(|| Secret::new(text))
}
