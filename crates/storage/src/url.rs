//! Where a store is.

mod server;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// `sqlite://PATH`, `sqlite::memory:` or `postgres://...`. Its `Debug` and `Display` hide the password, and all parameters.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Place);

#[derive(Clone)]
pub(crate) enum Place {
    Memory,
    File(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// The text is no place where a store could be. No password is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE: {reason}")]
pub struct InvalidDatabaseUrl {
    /// What is wrong with it.
    pub reason: String,
}

impl InvalidDatabaseUrl {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl DatabaseUrl {
    /// The file at this path.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// A database of its own in memory.
    pub fn memory() -> Self {
        Self(Place::Memory)
    }

    /// With the name by which PostgreSQL shows the connections (`application_name`), where the URL gives none.
    #[must_use]
    pub fn used_by(mut self, name: &str) -> Self {
        if let Place::Postgres(server) = &mut self.0
            && server.get_application_name().is_none()
        {
            **server = (**server).clone().application_name(name);
        }
        self
    }

    /// Whether it is SQLite, which one process alone may use.
    pub fn is_sqlite(&self) -> bool {
        !matches!(self.0, Place::Postgres(_))
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(InvalidDatabaseUrl::because("the path is missing")),
                ":memory:" => Ok(Self::memory()),
                _ => Ok(Self::file(path)),
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let server = server::read(text).map_err(InvalidDatabaseUrl::because)?;
            return Ok(Self(Place::Postgres(Box::new(server))));
        }
        Err(InvalidDatabaseUrl::because("it is neither"))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Memory => f.write_str("sqlite::memory:"),
            Place::File(path) => write!(f, "sqlite://{}", path.display()),
            Place::Postgres(server) => {
                let (user, database) = (server.get_username(), server.get_database().unwrap_or_default());
                let (host, port) = (server.get_host(), server.get_port());
                match server.get_socket() {
                    Some(folder) => write!(f, "postgres://{user}@:{port}/{database}?host={}", folder.display()),
                    None if host.contains(':') => write!(f, "postgres://{user}@[{host}]:{port}/{database}"),
                    None => write!(f, "postgres://{user}@{host}:{port}/{database}"),
                }
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}
