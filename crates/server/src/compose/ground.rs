//! What the roles stand on: the store, the bus, the operator's key.

use std::sync::Arc;

use anyhow::Context as _;
use tidegate_credentials::renew_signing_key;
use tidegate_model::contract::{EventLog, Notices, Recorder, Repeats};
use tidegate_model::{AuditEntry, Clock, Error, Face, Json, Made, Randomness, SystemClock, SystemRandomness, Trace};
use tidegate_storage::contract::SigningKeyRow;
use tidegate_storage::{DatabaseUrl, OpenError, Opened, Rotated, Sealer, Store, place};

use super::Sources;
use super::bus::Bus;
use super::waiting::Waiting;
use crate::config::{Config, Database, Fault, Roles};
use crate::data_dir::DataDir;

/// Connections of a process that its operator says nothing about: on a PostgreSQL of two cores more statements only wait for each other.
const CONNECTIONS: u32 = 16;

/// Those of one that only gives out tokens and tells keys.
const FEW_CONNECTIONS: u32 = 8;

/// What is there.
pub(crate) struct Ground {
    opened: Option<Opened>,
    bus: Bus,
    sealer: Option<Sealer>,
    alone: bool,
}

/// Where the database is, as the store names it.
fn database_url(config: &Config) -> anyhow::Result<DatabaseUrl> {
    match &config.database {
        Database::Sqlite(path) => Ok(DatabaseUrl::file(path)),
        Database::Postgres(url) => Ok(url.parse()?),
    }
}

/// Opens the store; a failure tells which one, without its password.
pub(super) async fn open(config: &Config, max_connections: u32, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let url = database_url(config)?;
    let options = tidegate_storage::Options { url: url.clone(), max_connections, clock };
    tidegate_storage::open(&options).await.with_context(|| format!("database.url ({url})"))
}

/// Opens the store once it is there, and somebody has brought it to this version's tables.
async fn wait_and_open(
    config: &Config,
    roles: &Roles,
    clock: Arc<dyn Clock>,
    waiting: &Waiting,
) -> anyhow::Result<Opened> {
    let url = database_url(config)?.used_by(&roles.to_string());
    let what = format!("database.url ({url})");
    let some = if roles.communicate() { CONNECTIONS } else { FEW_CONNECTIONS };
    let options = tidegate_storage::Options { url, max_connections: config.connections.unwrap_or(some), clock };
    // A file is there or not; only a server can be waited for.
    let may_pass = |error: &OpenError| matches!(config.database, Database::Postgres(_)) && error.may_pass();
    let opened = waiting.for_it(&what, || tidegate_storage::open(&options), may_pass).await;
    opened.with_context(|| what)
}

/// Refuses a key that does not open what is sealed here: everything that is sealed under it would be closed to the other processes. The
/// newest signing key is the proof; whoever comes first makes it.
async fn prove(store: &Arc<dyn Store>, sealer: &Sealer, sources: &Sources) -> anyhow::Result<()> {
    if store.signing_keys().await?.is_empty() {
        renew_signing_key(&**store, sealer, &*sources.clock, &*sources.randomness, false).await?;
    }
    let keys = store.signing_keys().await?;
    let is_open = |key: &SigningKeyRow| sealer.try_open(&place::signing_key(&key.id), &key.sealed).is_some();
    if keys.first().is_none_or(is_open) { Ok(()) } else { Err(closed().into()) }
}

fn closed() -> Fault {
    Fault::new(
        "secrets.key",
        "does not open what this database holds",
        "the key that was in use when the database was made (with SQLite: in master.key)",
    )
}

/// Brings the database to this version's tables.
pub(crate) async fn migrate(config: &Config) -> anyhow::Result<()> {
    if let Database::Sqlite(path) = &config.database {
        DataDir::keep_private(path)?;
    }
    let url = database_url(config)?;
    tidegate_storage::migrate(&url).await.with_context(|| format!("database.url ({url})"))
}

/// Seals with the operator's keys: the configured ones, else those of the folder.
fn sealer(config: &Config, data_dir: Option<&DataDir>, randomness: &Arc<dyn Randomness>) -> anyhow::Result<Sealer> {
    let keys = match (&config.master_keys, data_dir) {
        (Some(keys), _) => keys.clone(),
        (None, Some(folder)) => folder.master_keys(&**randomness)?,
        (None, None) => return Err(Fault::new("secrets.key", "is missing", "32 random bytes in base64").into()),
    };
    Ok(Sealer::with_former(&keys.first, &keys.former, randomness.clone())?)
}

/// Seals everything anew under the operator's first key.
pub(crate) async fn rotate(config: &Config, data_dir: Option<&DataDir>) -> anyhow::Result<Rotated> {
    let (store, sealer) = open_alone(config, data_dir).await?;
    let done = tidegate_storage::rotate(&*store, &sealer).await;
    let told = tell(&*store, "rotateKeys", Made::to("SecretsKey", "first")).await;
    store.close().await;
    told?;
    done.map_err(|error| another_key(error, "not everything is sealed anew: run it again"))
}

/// Has access tokens signed by a new key, and answers how many keys were withdrawn.
pub(crate) async fn renew(config: &Config, data_dir: Option<&DataDir>, at_once: bool) -> anyhow::Result<usize> {
    let (store, sealer) = open_alone(config, data_dir).await?;
    let done = renew_signing_key(&*store, &sealer, &SystemClock, &SystemRandomness, at_once).await;
    let made = Made::to("SigningKey", "newest").noting("othersWithdrawn", &Json::of(&at_once));
    let told = tell(&*store, "renewSigningKey", made).await;
    store.close().await;
    told?;
    done.map_err(|error| another_key(error, "there is no new key"))
}

/// What a command did, for the audit log.
async fn tell(store: &dyn Store, operation: &str, made: Made) -> Result<(), Error> {
    let trace = Trace::of_system(Face::Cli, operation);
    store.append_audit_entries(&[AuditEntry::of(&SystemClock, &SystemRandomness, None, trace, made)]).await
}

/// The store, and what opens the secrets in it, without roles.
async fn open_alone(config: &Config, data_dir: Option<&DataDir>) -> anyhow::Result<(Arc<dyn Store>, Sealer)> {
    let sealer = sealer(config, data_dir, &(Arc::new(SystemRandomness) as Arc<dyn Randomness>))?;
    let opened = open(config, 1, Arc::new(SystemClock)).await?;
    Ok((opened.store, sealer))
}

/// What was sealed under another key is the operator's to mend, not ours.
pub(super) fn another_key(error: Error, what: &'static str) -> anyhow::Error {
    match error {
        Error::Internal { id } if id.starts_with("seal:") => closed().into(),
        other => anyhow::Error::new(other).context(what),
    }
}

impl Ground {
    /// Opens what these roles need: the gateway alone opens no database.
    pub(super) async fn lay(
        config: &Config,
        roles: &Roles,
        data_dir: Option<&DataDir>,
        sources: &Sources,
        waiting: &Waiting,
    ) -> anyhow::Result<Self> {
        let alone = matches!(config.database, Database::Sqlite(_));
        if !roles.remember() {
            return Ok(Self {
                opened: None,
                bus: Bus::reach(config, None, sources, waiting).await?,
                sealer: None,
                alone: false,
            });
        }
        if alone {
            // One process, its own file: there is nobody else whom new tables could surprise.
            migrate(config).await?;
        }
        let sealer = sealer(config, data_dir, &sources.randomness)?;
        let opened = wait_and_open(config, roles, sources.clock.clone(), waiting).await?;
        sources.clock.compare(&*opened.store).await?;
        prove(&opened.store, &sealer, sources).await?;
        let bus =
            if roles.communicate() { Bus::reach(config, Some(&opened), sources, waiting).await? } else { Bus::none() };
        Ok(Self { opened: Some(opened), bus, sealer: Some(sealer), alone })
    }

    pub(super) fn store(&self) -> Option<&Arc<dyn Store>> {
        self.opened.as_ref().map(|opened| &opened.store)
    }

    pub(super) fn sealer(&self) -> anyhow::Result<Sealer> {
        self.sealer.clone().context("there is no key to seal with")
    }

    pub(super) fn events(&self) -> anyhow::Result<Arc<dyn EventLog>> {
        self.bus.events.clone().context("there is no bus")
    }

    pub(super) fn notices(&self) -> Arc<dyn Notices> {
        self.bus.notices.clone()
    }

    /// The store's own recorder, or the bus where there is no store.
    pub(super) fn recorder(&self) -> anyhow::Result<Arc<dyn Recorder>> {
        let here = self.opened.as_ref().map(|opened| opened.recorder.clone());
        here.or_else(|| self.bus.recorder.clone()).context("there is nowhere to keep records")
    }

    /// The bus's, which every gateway reaches, those without a store too; the store's own where there is no bus but its own.
    pub(super) fn repeats(&self) -> anyhow::Result<Arc<dyn Repeats>> {
        let here = || self.opened.as_ref().map(|opened| opened.repeats.clone());
        self.bus.repeats.clone().or_else(here).context("there is nowhere to remember calls")
    }

    /// Whether no other process works on the same store.
    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }
}
