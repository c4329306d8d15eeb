//! Every setting there is: name, default, meaning. The reference page, the flags and the refusal of unknown keys all come from this table.

/// How a value is treated when it is shown or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shown as it is.
    Plain,
    /// A URL that may hold a password: shown without it, has a `_file` twin.
    SecretUrl,
    /// Never shown, has a `_file` twin and no flag.
    Secret,
}

/// A setting.
#[derive(Debug)]
pub(crate) struct Key {
    /// `section.key`.
    pub(crate) name: &'static str,
    /// What holds when nothing is written; empty is nothing.
    pub(crate) default: &'static str,
    /// How it is treated.
    pub(crate) kind: Kind,
    /// What to write there.
    pub(crate) form: &'static str,
    /// What it does.
    pub(crate) meaning: &'static str,
}

const fn plain(name: &'static str, default: &'static str, form: &'static str, meaning: &'static str) -> Key {
    Key { name, default, kind: Kind::Plain, form, meaning }
}

const fn secret(name: &'static str, form: &'static str, meaning: &'static str) -> Key {
    Key { name, default: "", kind: Kind::Secret, form, meaning }
}

const ADDRESS: &str = "an address and a port, such as 127.0.0.1:8080";
const PEER: &str = "an http or https URL without user, path and query, such as http://director:8080";
const PEM: &str = "the path of a PEM file";
const URL: &str = "an http or https URL without user, query and fragment, such as https://tidegate.example.com";
const DURATION: &str = "a duration with its unit, such as 500ms, 10s, 5m, 24h or 30d";
const SECONDS: &str = "a duration of whole seconds with its unit, up to ten years, such as 90s, 15m, 24h or 30d";
const SIZE: &str = "a size with its unit, such as 512B, 64KiB or 1MiB";
const RATE: &str = "a number of calls per s, m or h, such as 50/s or 600/m";
const NUMBER: &str = "a whole number from 1 on";

/// The settings, section by section.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "database.url",
        default: "sqlite://tidegate-data/tidegate.db",
        kind: Kind::SecretUrl,
        form: "sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE",
        meaning: "Where everything is remembered. The folder of a SQLite file also holds `lock`, `master.key` and `admin.json`. On PostgreSQL give Tidegate a plain role, neither SUPERUSER nor BYPASSRLS, so that row-level security holds it.",
    },
    plain(
        "database.connections",
        "",
        NUMBER,
        "The most connections of this process to PostgreSQL; nothing: 16, and 8 where credentials are its only role. All processes together need fewer than the server's `max_connections`. Of a SQLite file one writes, and up to so many, at most 4, read.",
    ),
    Key {
        name: "bus.url",
        default: "local",
        kind: Kind::SecretUrl,
        form: "local, or nats://HOST:4222",
        meaning: "Where events travel: a table of the same SQLite file, or NATS JetStream. SQLite goes with `local`, PostgreSQL with NATS.",
    },
    plain(
        "bus.prefix",
        "tidegate",
        "letters, digits and _",
        "Stands first in every subject, and in capitals in the names of the streams: several installations can share a NATS account.",
    ),
    plain(
        "bus.replicas",
        "1",
        "a whole number from 1 to 5",
        "On how many servers of a NATS cluster the streams are kept, when they are made; with 3 one may be lost.",
    ),
    secret(
        "bus.credentials",
        "what is in a .creds file",
        "Who this process is to NATS, where accounts are its operator's; else `nats://USER:PASSWORD@HOST` or `nats://TOKEN@HOST`.",
    ),
    plain(
        "bus.ca",
        "",
        PEM,
        "Who signs NATS' certificate; nothing: whom this machine believes. With it, or with a certificate, nothing is said without TLS.",
    ),
    plain("bus.certificate", "", PEM, "The certificate that this process shows NATS."),
    plain("bus.key", "", PEM, "The key of that certificate."),
    plain("http.listen", "127.0.0.1:8080", ADDRESS, "Where this process listens, for HTTP and gRPC alike."),
    plain(
        "http.tls_certificate",
        "",
        PEM,
        "This process's certificate, and the chain after it. With it `http.listen` speaks TLS and nothing else. Read at the start, as all such files are.",
    ),
    plain("http.tls_key", "", PEM, "The key of that certificate."),
    plain(
        "http.client_ca",
        "",
        PEM,
        "Who signs the certificates of other roles. With it nobody is a peer without such a certificate, whatever else it knows; other callers need none.",
    ),
    plain(
        "http.linger",
        "5s",
        "a duration with its unit, such as 500ms or 5s, or 0s for none",
        "How long calls are still taken after SIGTERM while `/readyz` says 503: as long as whoever balances the load may take to notice. `dev` and `demo` do not linger.",
    ),
    plain(
        "http.drain",
        "20s",
        DURATION,
        "How long requests under way after `http.linger`, and deliveries under way at SIGTERM, may take before they are cut off.",
    ),
    plain(
        "http.graphiql",
        "off",
        "on or off",
        "Whether `/graphql` shows GraphiQL to browsers. `dev` and `demo` have it on.",
    ),
    plain(
        "webhook.public_url",
        "",
        URL,
        "What webhook URLs begin with. Nothing: `http://` and the address of `http.listen`.",
    ),
    plain(
        "webhook.trusted_proxies",
        "",
        "addresses and CIDRs, comma-separated, such as 10.1.0.0/16, 192.0.2.7",
        "Whose `X-Forwarded-For`, `-Proto` and `-Host` are believed: for the caller's address in records and in the audit log, and for `requestUrl` where there is no `webhook.public_url`.",
    ),
    plain(
        "webhook.calls",
        "512",
        NUMBER,
        "Webhook calls that one gateway has in hand at once, each with its body in memory.",
    ),
    plain("webhook.calls_per_tenant", "128", NUMBER, "As many of them may be one tenant's."),
    plain(
        "webhook.calls_per_integration",
        "64",
        NUMBER,
        "As many of them may be one Integration's, unless it says otherwise itself.",
    ),
    plain(
        "webhook.patience",
        "1s",
        DURATION,
        "How long a call waits for its turn before it is told 503 with `Retry-After`; at once where as many wait as `webhook.calls`.",
    ),
    plain(
        "webhook.rate_limit",
        "",
        RATE,
        "How often an Integration may be called, unless it says otherwise itself; 429 with `Retry-After` beyond that. Each gateway counts for itself. Nothing: no limit.",
    ),
    plain(
        "oauth2.public_url",
        "",
        URL,
        "What the token endpoint's URL begins with, and who issues tokens. Nothing: as for webhooks.",
    ),
    plain("oauth2.token_lifetime", "15m", SECONDS, "How long an access token lives."),
    plain(
        "oauth2.key_lifetime",
        "90d",
        SECONDS,
        "How long a key signs access tokens before another one takes its place. Both are published for as long as tokens of either may live.",
    ),
    secret(
        "secrets.key",
        "32 random bytes in base64 (openssl rand -base64 32), or several such keys with commas between them",
        "Encrypts what must be read again: credentials, webhook keys, signing keys. Of several the first encrypts and each decrypts; see credentials.md for changing it. With SQLite it is made at the first start and kept in `master.key`.",
    ),
    plain(
        "peers.director",
        "",
        PEER,
        "Where the gateway and the dispatcher reach the director. Needed where the director is another process.",
    ),
    plain(
        "peers.credentials",
        "",
        PEER,
        "Where the credentials role is reached. The director needs it where that is another process, and so does whoever has a `peers.client_id`.",
    ),
    plain(
        "peers.client_id",
        "",
        "a UUID, as `tidegate services add` prints it",
        "The client by which this process gets access tokens for its calls of other roles; goes with `peers.client_secret` and `peers.credentials`. Needed where roles are apart, or else `peers.secret`.",
    ),
    secret("peers.client_secret", "what `tidegate services add` prints", "The secret of that client."),
    secret(
        "peers.secret",
        "at least 16 characters, the same in all processes",
        "A secret by which processes that have no client of their own recognise each other. Where it is set, whoever knows it is let in.",
    ),
    plain(
        "peers.ca",
        "",
        PEM,
        "Who signs the certificates of the roles that this one calls by https; nobody else's is believed.",
    ),
    plain("peers.certificate", "", PEM, "The certificate that this process shows them, and the chain after it."),
    plain("peers.key", "", PEM, "The key of that certificate."),
    plain(
        "egress.allow",
        "",
        "addresses, CIDRs and host names, comma-separated, such as 10.1.0.0/16, hooks.internal",
        "What outgoing calls and scripts may reach although it is not public. `dev` and `demo` allow loopback.",
    ),
    plain(
        "admin.client_id",
        "",
        "a UUID",
        "The first administrator's client id, where no file is wanted; goes with `admin.client_secret`.",
    ),
    secret("admin.client_secret", "at least 16 characters", "The first administrator's client secret."),
    plain(
        "scripts.incoming_timeout",
        "10s",
        DURATION,
        "How long the core logic of an INCOMING Integration may take, waiting included.",
    ),
    plain(
        "scripts.outgoing_timeout",
        "30s",
        DURATION,
        "How long the core logic of an OUTGOING Integration may take, waiting included.",
    ),
    plain("scripts.max_cpu", "1s", DURATION, "The most CPU time that an Integration may allow one of its scripts."),
    plain(
        "scripts.max_timeout",
        "30s",
        DURATION,
        "The most time, waiting included, that an Integration may allow its core logic. A delivery whose process died is taken over after about as long.",
    ),
    plain(
        "scripts.max_memory",
        "128MiB",
        SIZE,
        "The most memory that an Integration may allow its scripts, in whole MiB.",
    ),
    plain(
        "scripts.max_http_calls",
        "100",
        NUMBER,
        "The most HTTP calls that an Integration may allow one run of its scripts.",
    ),
    plain("dispatch.attempts", "8", NUMBER, "How often a call is attempted before its delivery is dead."),
    plain(
        "dispatch.first_delay",
        "5s",
        DURATION,
        "How long after the first failed attempt the second one is at most; each further wait grows from it.",
    ),
    plain(
        "dispatch.max_delay",
        "22h",
        DURATION,
        "The longest wait between two attempts; not shorter than `dispatch.first_delay`.",
    ),
    plain(
        "dispatch.timeout",
        "15s",
        DURATION,
        "How long one outgoing call may take, unless its Integration says otherwise; at most `dispatch.max_timeout`.",
    ),
    plain(
        "dispatch.max_timeout",
        "60s",
        DURATION,
        "The most time that an Integration may allow its calls. A call whose process died is repeated after about as long.",
    ),
    plain(
        "dispatch.max_concurrency",
        "128",
        NUMBER,
        "The most deliveries that an Integration may have a dispatcher make at once; unless it says otherwise, 16.",
    ),
    plain(
        "dispatch.in_hand",
        "512",
        NUMBER,
        "The most deliveries that a dispatcher has in hand at once, all Integrations together. One that is alone gets a quarter of them; many that are slow share them, and leave some to others.",
    ),
    plain(
        "dispatch.pause_after",
        "5d",
        DURATION,
        "After how long of nothing but failed calls an Integration is paused, until somebody resumes it.",
    ),
    plain(
        "dispatch.circuit_calls",
        "20",
        NUMBER,
        "How many calls of the last `dispatch.circuit_window` there must be before a destination can be left alone.",
    ),
    plain(
        "dispatch.circuit_failed",
        "50",
        "a percentage from 1 to 100",
        "If at least so many of a hundred of them failed, the destination is left alone: deliveries wait, without using up attempts.",
    ),
    plain("dispatch.circuit_window", "1m", DURATION, "How long ago a call may be to count for that."),
    plain(
        "dispatch.circuit_pause",
        "15s",
        DURATION,
        "After how long one call is tried with a destination that was left alone; twice as long after each that fails, up to sixteen times as long.",
    ),
    plain(
        "records.retention",
        "30d",
        DURATION,
        "How long execution records are kept; on PostgreSQL up to a day longer, because a day's go together.",
    ),
    plain("audit.retention", "365d", DURATION, "How long entries of the audit log are kept."),
    plain(
        "limits.body",
        "1MiB",
        SIZE,
        "The largest body that a webhook, GraphQL or `/v1/events` takes, a webhook's also after decompression.",
    ),
    plain(
        "limits.body_timeout",
        "30s",
        DURATION,
        "How long a webhook's caller may take to send its body, and any caller to take the next part of its answer.",
    ),
    plain(
        "limits.body_rate",
        "1KiB",
        SIZE,
        "How much of its body a webhook's caller must have sent for each second after the first five.",
    ),
    plain(
        "limits.head_timeout",
        "5s",
        DURATION,
        "How long a caller may take to send a request's head; how long a connection without a request stays open.",
    ),
    plain("limits.connections", "8192", NUMBER, "Connections at once; the next one waits until one ends."),
    plain(
        "limits.connection_age",
        "5m",
        DURATION,
        "How old a connection may be when it takes a request other than its last one, so that callers who keep theirs, such as other roles, find new replicas.",
    ),
    plain("log.format", "text", "text or json", "How log lines look."),
    plain(
        "log.level",
        "info",
        "error, warn, info, debug or trace, or directives such as info,tidegate_engine=debug",
        "Which log lines are written, to standard error.",
    ),
];

/// Finds a setting.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The flag that sets it; a secret has none, since everybody on the machine could read it.
    pub(crate) fn flag(&self) -> Option<String> {
        (self.kind != Kind::Secret).then(|| self.name.replace(['.', '_'], "-"))
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("TIDEGATE_{}", self.name.to_uppercase().replace('.', "__"))
    }

    /// Whether `name_file` names a file that holds it.
    pub(crate) fn has_file_twin(&self) -> bool {
        self.kind != Kind::Plain
    }
}
