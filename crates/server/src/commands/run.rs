//! `tidegate serve`, `dev` and `migrate`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::cli::{Asked, Local};
use crate::compose::{self, Site, Waiting, compose};
use crate::config::{Config, Database, Fault, Layers, Role, Roles};
use crate::data_dir::DataDir;
use crate::health;
use crate::listen::{Farewell, Listener};
use crate::tell::tell;
use crate::{stop, telemetry};

/// Where `dev` remembers when nothing else is said.
const DATA_DIR: &str = "tidegate-data";

/// Runs the named roles, or all.
pub(crate) fn serve(asked: &Asked, roles: &[Role]) -> anyhow::Result<()> {
    let config = Config::read(&asked.layers(Layers::defaults())?)?;
    block_on(run(&config, &Roles::of(roles.to_vec()), Instant::now(), |_| std::future::ready(Ok(()))))
}

/// Runs everything on one loopback port.
pub(crate) fn dev(asked: &Asked, local: &Local) -> anyhow::Result<()> {
    let folder = local.data_dir.clone().unwrap_or_else(|| DATA_DIR.into());
    let config = local_config(asked, local, &folder)?;
    block_on(run(&config, &Roles::of(Vec::new()), Instant::now(), |up| {
        // A server does not live for its readers.
        let _ = print_urls(&up);
        std::future::ready(Ok(()))
    }))
}

/// Brings the database to this version's tables.
pub(crate) fn migrate(asked: &Asked) -> anyhow::Result<()> {
    let config = Config::read(&asked.layers(Layers::defaults())?)?;
    telemetry::start(&config)?;
    let folder = folder_of(&config);
    let _held = folder.as_deref().map(DataDir::hold).transpose()?;
    block_on(compose::migrate(&config))?;
    tell!("the database is at this version's tables")
}

/// The settings of a process that lives in one folder; whatever is written elsewhere still wins.
pub(super) fn local_config(asked: &Asked, local: &Local, folder: &Path) -> anyhow::Result<Config> {
    let twice =
        [("--port", local.port.is_some(), "http.listen"), ("--data-dir", local.data_dir.is_some(), "database.url")];
    if let Some((flag, _, key)) = twice.into_iter().find(|(_, given, key)| *given && asked.has_flag(key)) {
        let wrong = format!("does not go with --{}", key.replace('.', "-"));
        return Err(Fault::new(flag, wrong, "one of the two").into());
    }
    let port = local.port.map(|port| format!("127.0.0.1:{port}"));
    let defaults = Layers::defaults()
        .default("database.url", format!("sqlite://{}", folder.join("tidegate.db").display()))
        .default("egress.allow", "127.0.0.0/8, ::1")
        .default("http.graphiql", "on")
        .default("http.linger", "0s");
    let layers = asked.layers(defaults)?;
    let flags = port.map(|address| ("http.listen".to_owned(), address)).into_iter().collect();
    Ok(Config::read(&layers.flags(flags)?)?)
}

/// A process that is ready.
pub(super) struct Up {
    pub(super) base: String,
    pub(super) folder: Option<PathBuf>,
    pub(super) began: Instant,
}

/// Runs roles until a signal; `ready` is told once everything answers, and its failure ends the process.
pub(super) async fn run<F>(
    config: &Config,
    roles: &Roles,
    began: Instant,
    ready: impl FnOnce(Up) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    config.check(roles)?;
    telemetry::start(config)?;
    let stop = stop::on_signal().context("signals cannot be heard")?;
    // Who remembers nothing needs no folder, and takes it from nobody.
    let folder = folder_of(config).filter(|_| roles.remember());
    let held = folder.as_deref().map(DataDir::hold).transpose()?;
    let listener = Listener::bind(config.listen, config.served.as_ref()).await?;
    let address = listener.address();
    let waiting = Waiting::default();
    let site = Site { config, roles, address, data_dir: held.as_ref(), stop: stop.clone(), waiting: &waiting };
    let composed = tokio::select! {
        composed = compose(site) => composed?,
        refused = answer_meanwhile(&waiting, &listener, config) => return refused,
        () = stop.cancelled() => return Ok(()),
    };
    tracing::info!(%address, ?roles, "ready");
    let running = composed.run(listener, config, stop.clone());
    let told = async {
        let told = tokio::select! {
            told = ready(Up { base: format!("{}://{address}", config.scheme()), folder, began }) => told,
            () = stop.cancelled() => Ok(()),
        };
        if told.is_err() {
            stop.cancel();
        }
        told
    };
    let (ended, told) = tokio::join!(running, told);
    told.and(ended)
}

/// While something is waited for, whoever asks is told so. Each answer is its connection's last: the next one is for those who are waited for.
async fn answer_meanwhile(waiting: &Waiting, listener: &Listener, config: &Config) -> anyhow::Result<()> {
    waiting.begun().await;
    let asked = CancellationToken::new();
    asked.cancel();
    let end = Farewell { asked, closed: CancellationToken::new() };
    listener.beside()?.serve(health::not_yet(), compose::listener(config), end, config.drain).await;
    Ok(())
}

pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

pub(super) fn print_urls(up: &Up) -> anyhow::Result<()> {
    let Up { base, folder, began } = up;
    tell!("Tidegate is ready after {} ms.", began.elapsed().as_millis())?;
    tell!("  GraphQL      {base}/graphql")?;
    tell!("  gRPC         {base}")?;
    tell!("  tokens       {base}/oauth2/token")?;
    tell!("  events       {base}/v1/events")?;
    tell!("  health       {base}/healthz  {base}/readyz")?;
    match folder {
        Some(folder) => tell!("  credentials  {}", folder.join("admin.json").display()),
        None => Ok(()),
    }
}

/// Takes hold of the folder of a SQLite file that is there: a command that changes what a start has made makes none.
pub(super) fn hold_made(config: &Config) -> anyhow::Result<Option<DataDir>> {
    let Database::Sqlite(file) = &config.database else { return Ok(None) };
    if !file.is_file() {
        let instead = "where Tidegate's database is, such as sqlite:///srv/tidegate-data/tidegate.db, or run this beside its tidegate-data";
        return Err(Fault::new("database.url", format!("{} is not there", file.display()), instead).into());
    }
    folder_of(config).as_deref().map(DataDir::hold).transpose()
}

/// The folder that a SQLite file lives in.
pub(super) fn folder_of(config: &Config) -> Option<PathBuf> {
    match &config.database {
        Database::Sqlite(path) => {
            Some(path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| ".".into(), Path::to_owned))
        }
        Database::Postgres(_) => None,
    }
}
