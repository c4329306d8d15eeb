//! What the registry and its tokens cost. `scripts/bench director` runs it.
//!
//! Tidegate is a process of its own, everything durable; this process asks it, on the same machine. *Calls*: tokens, and reads and writes of an
//! Application over both faces, in a closed loop; each write is a change, its event and its entry in the audit log in one transaction. *A
//! token's check*: the verifier of the resource servers, in this process. *Pages*: the first, the thousandth and the last page of a million
//! Integrations, which are copied in the database while Tidegate is stopped; asked of the store. *The wall*: the same read with row-level
//! security and without, on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod calls;
#[path = "../shared/client.rs"]
mod client;
mod pages;
#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "memory is not measured here")]
mod shared;
mod subject;
mod verification;
mod wall;

use std::path::{Path, PathBuf};

use clap::Parser;

use subject::{Ground, Subject};

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
    /// Rounds of each kind of call; told is the middle one.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of a round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Integrations of the tenant whose pages are read.
    #[arg(long, default_value_t = 1_000_000)]
    integrations: u32,
    /// Times that each page is asked for; reads of the wall are a hundred times as many.
    #[arg(long, default_value_t = 21)]
    times: usize,
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
        "{} connections in a closed loop, {} rounds of {} s; {} processors, this process among them",
        asked.connections,
        asked.rounds,
        asked.seconds,
        std::thread::available_parallelism().unwrap()
    );
    if !asked.servers_only {
        measure("SQLite", &asked, Ground::Sqlite(folder.path().join("tidegate"))).await;
    }
    if let (Some(postgres), Some(nats)) = (&asked.postgres, &asked.nats) {
        measure("PostgreSQL", &asked, Ground::servers(postgres, nats).await).await;
    }
}

async fn measure(name: &str, asked: &Asked, ground: Ground) {
    println!("\n{name}");
    let mut subject = Subject::start(asked, ground).await;
    calls::measure(asked, &subject).await;
    verification::measure(&subject).await;
    subject.stop();
    pages::measure(name, asked, &subject.ground).await;
    if let Ground::Servers { database, superuser, .. } = &subject.ground {
        wall::measure(asked, database, superuser).await;
        subject.ground.end().await;
    }
}

/// How many bytes a file has.
fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}
