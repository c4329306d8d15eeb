//! Where log lines go: standard error, as text or JSON. Standard output is for what a person asked for.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts writing log lines.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let mut filter: EnvFilter = config.log_level.parse()?;
    // The one says with each try what is said here once, the other what a database tells of what was to be expected.
    for (library, least) in [("async_nats", "async_nats=off"), ("sqlx", "sqlx::postgres::notice=warn")] {
        if !config.log_level.contains(library) {
            filter = filter.add_directive(least.parse()?);
        }
    }
    // What cannot be logged is lost; it would be complained of on standard error, and that panics when nobody reads it any longer.
    let lines = tracing_subscriber::fmt().log_internal_errors(false);
    let lines = lines.with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|e| anyhow::anyhow!("log lines cannot be written: {e}"))
}
