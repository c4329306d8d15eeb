//! What an event costs on its way to a third party, and what others notice when one of them is amiss. `scripts/bench dispatcher` runs it.
//!
//! This process publishes the events and takes the calls, on the same machine; Tidegate is a process of its own, everything durable. Each
//! event is an order of half a kilobyte that one Integration maps to another shape by a core script and posts to the sink.
//!
//! *Throughput*: a given number of events, published as fast as they are accepted, until the last one has arrived; then an open loop at half
//! of that, for latency from acceptance to the sink. `--neighbour` measures an open loop over 100 Integrations while the first one's destination
//! hangs, answers after 14.9 s, or hangs up. `--backlog` writes so many deliveries of a paused Integration into the database, measures the others
//! beside them, resumes it, and measures how it is worked off.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod backlog;
#[path = "../shared/client.rs"]
mod client;
mod ledger;
mod load;
mod modes;
#[path = "../shared/mod.rs"]
mod shared;
mod sink;
mod subject;

use std::path::{Path, PathBuf};

use clap::Parser;

use subject::Ground;

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
    /// Measure with so many Integrations, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100])]
    integrations: Vec<usize>,
    /// Events of a round.
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Rounds of each kind; told is the middle one.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of a round in the open loop.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Connections that publish.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Events in one request.
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// How many calls an Integration makes at once.
    #[arg(long, default_value_t = 16)]
    concurrency: u32,
    /// Events a second in the open loop; half of what is delivered in a second, where none is given.
    #[arg(long)]
    rate: Option<f64>,
    /// One of 100 destinations is amiss.
    #[arg(long)]
    neighbour: bool,
    /// So many deliveries of one of 100 Integrations wait.
    #[arg(long)]
    backlog: Option<usize>,
    /// A PostgreSQL server where databases may be made.
    #[arg(long, requires = "nats")]
    postgres: Option<String>,
    /// A nats-server; its streams are deleted.
    #[arg(long)]
    nats: Option<String>,
    /// The executable that is measured: this tree's, or one of another version.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_tidegate"))]
    tidegate: PathBuf,
    /// Leave SQLite out.
    #[arg(long)]
    servers_only: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    println!(
        "{} connections publish {} events at a time; an Integration makes {} calls at once; {} processors, this process among them",
        asked.connections,
        asked.batch,
        asked.concurrency,
        std::thread::available_parallelism().unwrap()
    );
    let sqlite = (!asked.servers_only).then_some("SQLite");
    let servers = asked.postgres.is_some().then_some("PostgreSQL and NATS");
    for name in [sqlite, servers].into_iter().flatten() {
        if asked.neighbour {
            modes::neighbour(name, &asked, ground(&asked, name, folder.path(), 0).await).await;
        } else if let Some(count) = asked.backlog {
            modes::backlog(name, &asked, count, ground(&asked, name, folder.path(), 0).await).await;
        } else {
            for count in &asked.integrations {
                modes::throughput(name, &asked, *count, ground(&asked, name, folder.path(), *count).await).await;
            }
        }
    }
}

/// Something empty to stand on.
async fn ground(asked: &Asked, name: &str, folder: &Path, count: usize) -> Ground {
    let (Some(postgres), Some(nats)) = (&asked.postgres, &asked.nats) else {
        return Ground::Sqlite(folder.join(format!("tidegate-{count}")));
    };
    if name == "SQLite" {
        return Ground::Sqlite(folder.join(format!("tidegate-{count}")));
    }
    let streams = async_nats::jetstream::new(async_nats::connect(nats).await.unwrap());
    let mut names = streams.stream_names();
    while let Some(name) = futures::StreamExt::next(&mut names).await {
        streams.delete_stream(name.unwrap()).await.unwrap();
    }
    let database = format!("bench_dispatcher_{}_{count}", std::process::id());
    let admin = sqlx::PgPool::connect(postgres).await.unwrap();
    let make = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&admin).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&admin).await.unwrap();
    let mut url = url::Url::parse(postgres).unwrap();
    url.set_path(&database);
    Ground::Servers { database: url.to_string(), nats: nats.clone() }
}
