//! A PostgreSQL server's URL: the driver's reading of it, and what the driver reads wrongly or passes over.

use sqlx::postgres::PgConnectOptions;
use sqlx_core::Url;

/// The parameters that do something, and the driver's other names of them.
const KNOWN: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];
const OTHER_NAMES: &[&str] = &["ssl-mode", "ssl-root-cert", "ssl-ca", "ssl-cert", "ssl-key"];

const UNREADABLE: &str =
    "it cannot be read; in a name or a password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23";
const SEVERAL: &str = "it names several hosts; write one, such as an address that follows the primary";

/// Reads it. What is told of a fault repeats nothing but the names of parameters: anything else may be a part of a password.
pub(super) fn read(text: &str) -> Result<PgConnectOptions, String> {
    let text = with_a_place(text)?;
    let url: Url = text.parse().map_err(|_| UNREADABLE)?;
    if text.contains('#') || url.path().contains('@') {
        return Err(UNREADABLE.to_owned());
    }
    let mut has_host = url.host_str().is_some_and(|host| !host.is_empty());
    for (name, value) in url.query_pairs() {
        if !is_known(&name) {
            return Err(unknown(&url, &name));
        }
        if !is_understood(&name, &value) {
            return Err(format!("the value of its parameter {name} cannot be understood"));
        }
        let is_host = matches!(&*name, "host" | "hostaddr") && !value.is_empty();
        if is_host && value.contains(',') {
            return Err(SEVERAL.to_owned());
        }
        has_host |= is_host;
    }
    if !has_host {
        return Err("the host is missing".to_owned());
    }
    let server: PgConnectOptions = text.parse().map_err(|_| UNREADABLE)?;
    // The driver looks for the address with its brackets.
    let bare = server.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match bare {
        Some(address) => server.host(&address),
        None => server,
    })
}

/// A URL with a user and no host (`postgres://me:mine@/db?host=/run/postgresql`) is none to the parser: its user goes among the parameters.
fn with_a_place(text: &str) -> Result<String, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or(UNREADABLE)?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    if place.contains(',') {
        return Err(SEVERAL);
    }
    let Some(port) = place.is_empty().then_some("").or_else(|| place.strip_prefix(':')) else {
        return Ok(text.to_owned());
    };
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let given =
        [("user", user), ("password", password), ("port", port)].into_iter().filter(|(_, value)| !value.is_empty());
    // Parameters are decoded as forms are.
    let given = given.map(|(name, value)| format!("{name}={}&", value.replace('+', "%2B").replace('&', "%26")));
    Ok(format!("{scheme}://{path}?{}{query}", given.collect::<String>()))
}

fn is_known(name: &str) -> bool {
    let is_setting = name.strip_prefix("options[").is_some_and(|name| name.ends_with(']'));
    is_setting || KNOWN.contains(&name) || OTHER_NAMES.contains(&name)
}

fn unknown(url: &Url, name: &str) -> String {
    // Else it may be what follows the `?` in a password.
    if url.query().is_some_and(|query| query.contains('@')) {
        return UNREADABLE.to_owned();
    }
    format!("its parameter {name:?} is not known; known are {} and options[SETTING]", KNOWN.join(", "))
}

/// Whether the driver takes it, asked with nothing else in the URL.
fn is_understood(name: &str, value: &str) -> bool {
    let Ok(mut alone) = Url::parse("postgres://user:password@host/database") else { return false };
    alone.query_pairs_mut().append_pair(name, value);
    alone.as_str().parse::<PgConnectOptions>().is_ok()
}
