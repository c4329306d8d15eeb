//! What the registry and its tokens cost. `scripts/bench director` runs it.
//!
//! Tidegate is a process of its own, everything durable; this process asks it, on the same machine. *Calls*: tokens, and reads and writes of an
//! Application over both faces, in a closed loop; each write is a change, its event and its entry in the audit log in one transaction. *A
//! token's check*: the verifier of the resource servers, in this process. *Pages*: the first, the thousandth and the last page of a million
//! Integrations, which are copied in the database while Tidegate is stopped; asked of the store. *The wall*: the same read with row-level
//! security and without, on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod calls;
mod pages;
#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "what others measure is not measured here")]
mod shared;
mod subject;
mod verification;
mod wall;

use std::path::Path;

use clap::Parser;

use shared::asked::{Tested, Way};
use shared::ground::Ground;
use subject::Subject;

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
    #[command(flatten)]
    tested: Tested,
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
    for way in asked.tested.ways(&[]) {
        measure(&asked, way, &folder.path().join("tidegate")).await;
    }
}

async fn measure(asked: &Asked, way: Way, folder: &Path) {
    let name = match way {
        Way::Sqlite => "SQLite",
        Way::Servers | Way::Apart { .. } => "PostgreSQL",
    };
    println!("\n{name}");
    let mut subject = Subject::start(asked, way, folder).await;
    calls::measure(asked, &subject).await;
    verification::measure(&subject.tidegate).await;
    subject.tidegate.stop();
    pages::measure(name, asked, &subject.tidegate.ground).await;
    if let Ground::Servers(servers) = &subject.tidegate.ground {
        wall::measure(asked, &servers.database, &servers.superuser).await;
    }
    subject.tidegate.end().await;
}
