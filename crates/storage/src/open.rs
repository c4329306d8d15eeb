//! Opening a store: options in, contracts out.

use std::sync::Arc;

use tidegate_model::Clock;
use tidegate_model::contract::{EventLog, Recorder, Repeats};

use crate::contract::Store;
use crate::recorder::GroupRecorder;
use crate::repeats::GroupRepeats;
use crate::url::{DatabaseUrl, Place};
use crate::{lite, pg};

/// Readers of one file beyond these gain nothing.
const MOST_READERS: u32 = 4;

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub url: DatabaseUrl,
    /// The most connections to PostgreSQL; of a file one writes and up to four of these read. At least 1.
    pub max_connections: u32,
    /// Tells when entries of the local log were published.
    pub clock: Arc<dyn Clock>,
}

/// An open store, as the contracts that it fulfils.
#[derive(Clone)]
pub struct Opened {
    /// The whole store.
    pub store: Arc<dyn Store>,
    /// The bus on the store's own file; SQLite only.
    pub local_log: Option<Arc<dyn EventLog>>,
    /// Appends records, many in one commit.
    pub recorder: Arc<dyn Recorder>,
    /// Tells which calls came before.
    pub repeats: Arc<dyn Repeats>,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no database, or it does not let us in.
    #[error("the database cannot be opened")]
    Connect(#[source] Box<sqlx::Error>),
    /// Nobody brought the schema up to date.
    #[error("the database's schema is at version {applied}, this program needs {needed}: run `tidegate migrate`")]
    Behind {
        /// The newest step that was made.
        applied: i64,
        /// The one that is needed.
        needed: i64,
    },
    /// The database keeps its text in another encoding than UTF-8: it could not hold what callers send.
    #[error("the database's encoding is {0}: make it with ENCODING 'UTF8' TEMPLATE template0")]
    Encoding(String),
    /// The schema could not be brought up to date.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

impl OpenError {
    /// Whether it may be over by itself after a while: the server does not answer, or takes nobody now, or somebody has yet to migrate.
    /// Everything else is for somebody to change.
    pub fn may_pass(&self) -> bool {
        // cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections
        const NOT_NOW: [&str; 4] = ["57P03", "57P01", "57P02", "53300"];
        match self {
            Self::Connect(error) => match &**error {
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
                // Class 08 is a pooler's word for a server that it cannot reach.
                sqlx::Error::Database(error) => {
                    error.code().is_some_and(|code| code.starts_with("08") || NOT_NOW.contains(&&*code))
                }
                _ => false,
            },
            Self::Behind { .. } => true,
            Self::Encoding(_) | Self::Migrate(_) => false,
        }
    }

    pub(crate) fn connect(error: sqlx::Error) -> Self {
        Self::Connect(Box::new(error))
    }
}

/// Opens a store whose schema is up to date ([`migrate`]); one in memory is made, and lives as long as what this returns.
pub async fn open(options: &Options) -> Result<Opened, OpenError> {
    let clock = &options.clock;
    match &options.url.0 {
        Place::Memory => Ok(of_file(Arc::new(lite::open_memory(clock.clone()).await?), clock)),
        Place::File(path) => {
            let readers = options.max_connections.clamp(1, MOST_READERS);
            Ok(of_file(Arc::new(lite::open(path, readers, clock.clone()).await?), clock))
        }
        Place::Postgres(server) => {
            let store: Arc<dyn Store> =
                Arc::new(pg::open(server, options.max_connections.max(1), clock.clone()).await?);
            let recorder = Arc::new(GroupRecorder::start(store.clone()));
            let repeats = Arc::new(GroupRepeats::start(store.clone()));
            Ok(Opened { store, local_log: None, recorder, repeats })
        }
    }
}

/// Brings the schema up to date: makes the file, or takes its turn on the server. Nothing to do in memory.
pub async fn migrate(url: &DatabaseUrl) -> Result<(), OpenError> {
    match &url.0 {
        Place::Memory => Ok(()),
        Place::File(path) => lite::migrate(path).await,
        Place::Postgres(server) => pg::migrate(server).await,
    }
}

fn of_file(database: Arc<lite::Database>, clock: &Arc<dyn Clock>) -> Opened {
    let local_log: Arc<dyn EventLog> = Arc::new(lite::LocalLog::new(database.clone(), clock.clone()));
    let store: Arc<dyn Store> = database;
    let recorder = Arc::new(GroupRecorder::start(store.clone()));
    let repeats = Arc::new(GroupRepeats::start(store.clone()));
    Opened { store, local_log: Some(local_log), recorder, repeats }
}
