//! What a Tidegate stands on: a database and a bus of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use sqlx::{AssertSqlSafe, PgPool};
use tidegate_storage::DatabaseUrl;

const FILE: &str = "tidegate.db";

#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A folder with a file; the bus is a table of it.
    Sqlite(PathBuf),
    /// On servers that others use too.
    Servers(Servers),
}

/// A database for a role that is held to row-level security, and streams.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    /// As Tidegate is to reach it.
    pub(crate) database: String,
    /// The same database for one whom no wall holds.
    pub(crate) superuser: String,
    pub(crate) nats: Option<String>,
    /// Of the database; the streams' names begin with it.
    pub(crate) name: String,
    /// Where databases are made.
    server: String,
}

impl Ground {
    /// A database that is made there; the streams are made by who uses them.
    pub(crate) async fn servers(postgres: &str, nats: Option<&str>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let role = "DO $$ BEGIN CREATE ROLE bench_plain LOGIN PASSWORD 'plain'; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
        told(postgres, &[role, &format!("CREATE DATABASE {name} OWNER bench_plain")]).await;
        let mut url = url::Url::parse(postgres).unwrap();
        url.set_path(&name);
        let superuser = url.to_string();
        url.set_username("bench_plain").unwrap();
        url.set_password(Some("plain")).unwrap();
        let nats = nats.map(str::to_owned);
        Self::Servers(Servers { database: url.to_string(), superuser, nats, name, server: postgres.to_owned() })
    }

    /// Leaves nothing on the servers; a folder is its owner's to remove.
    pub(crate) async fn end(&self) {
        let Self::Servers(Servers { nats, name, server, .. }) = self else { return };
        if let Some(nats) = nats {
            let streams = async_nats::jetstream::new(async_nats::connect(nats).await.unwrap());
            let own = format!("{}_", name.to_uppercase());
            let names: Vec<_> = streams.stream_names().map(Result::unwrap).collect().await;
            for stream in names.iter().filter(|stream| stream.starts_with(&own)) {
                streams.delete_stream(stream).await.unwrap();
            }
        }
        told(server, &[&format!("DROP DATABASE {name} WITH (FORCE)")]).await;
    }

    /// Waits until the database has every record that travels there by a bus, and answers how long that took; `None` where none does.
    pub(crate) async fn settle(&self) -> Option<Duration> {
        let Self::Servers(Servers { nats: Some(nats), name, .. }) = self else { return None };
        let begun = Instant::now();
        let streams = async_nats::jetstream::new(async_nats::connect(nats).await.unwrap());
        let mut records = streams.get_stream(format!("{}_RECORDS", name.to_uppercase())).await.unwrap();
        while records.info().await.unwrap().state.messages > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(begun.elapsed())
    }

    /// As `storage` reaches it.
    pub(crate) fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(folder) => DatabaseUrl::file(folder.join(FILE)),
            Self::Servers(servers) => servers.database.parse().unwrap(),
        }
    }

    /// How many bytes the database has.
    pub(crate) async fn size(&self) -> u64 {
        match self {
            Self::Sqlite(folder) => {
                let length = |name| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
                [FILE, "tidegate.db-wal"].into_iter().map(length).sum()
            }
            Self::Servers(servers) => {
                let pool = PgPool::connect(&servers.superuser).await.unwrap();
                let size = "SELECT pg_database_size(current_database())";
                let size: i64 = sqlx::query_scalar(size).fetch_one(&pool).await.unwrap();
                pool.close().await;
                u64::try_from(size).unwrap()
            }
        }
    }
}

/// The file in this folder, as sqlx reaches it.
pub(crate) fn file(folder: &Path) -> String {
    format!("sqlite://{}", folder.join(FILE).display())
}

async fn told(server: &str, statements: &[&str]) {
    let admin = PgPool::connect(server).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&admin).await.unwrap();
    }
    admin.close().await;
}
