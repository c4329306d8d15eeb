//! Arguments that several benches have, and the ways in which Tidegate lives that they name.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::ground::Ground;

/// Where it is measured.
#[derive(Clone, Debug, Args)]
pub(crate) struct Databases {
    /// A PostgreSQL server where databases may be made; SQLite alone, where none is given.
    #[arg(long)]
    pub(crate) postgres: Option<String>,
    /// Leave SQLite out.
    #[arg(long, requires = "postgres")]
    pub(crate) servers_only: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tested {
    #[command(flatten)]
    databases: Databases,
    /// A nats-server; goes with `--postgres`. Streams are made there, and deleted again.
    #[arg(long, requires = "postgres")]
    nats: Option<String>,
    /// The executable that is measured: this tree's, or one of another version.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_tidegate"))]
    pub(crate) tidegate: PathBuf,
}

/// How Tidegate lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In one process, on a file, with a bus that is a table.
    Sqlite,
    /// In one process, on PostgreSQL and NATS.
    Servers,
    /// A process for each role, and so many dispatchers, on PostgreSQL and NATS.
    Apart { dispatchers: usize },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("SQLite"),
            Self::Servers => f.write_str("PostgreSQL and NATS"),
            Self::Apart { dispatchers: 1 } => f.write_str("apart"),
            Self::Apart { dispatchers } => write!(f, "apart, {dispatchers} dispatchers"),
        }
    }
}

impl Tested {
    /// The ways that can be measured here: in one process, and apart with each of these numbers of dispatchers.
    pub(crate) fn ways(&self, dispatchers: &[usize]) -> Vec<Way> {
        let has_servers = self.databases.postgres.is_some();
        assert_eq!(has_servers, self.nats.is_some(), "--postgres and --nats go together");
        assert!(has_servers || dispatchers.is_empty(), "roles apart need --postgres and --nats");
        let sqlite = (!self.databases.servers_only).then_some(Way::Sqlite);
        let servers = has_servers.then_some(Way::Servers);
        let apart = dispatchers.iter().map(|dispatchers| Way::Apart { dispatchers: *dispatchers });
        sqlite.into_iter().chain(servers).chain(apart).collect()
    }

    /// Something empty to stand on.
    pub(crate) async fn ground(&self, way: Way, folder: &Path) -> Ground {
        match (way, &self.databases.postgres) {
            (Way::Servers | Way::Apart { .. }, Some(postgres)) => Ground::servers(postgres, self.nats.as_deref()).await,
            _ => Ground::Sqlite(folder.to_owned()),
        }
    }
}
