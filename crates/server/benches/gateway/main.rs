//! What a webhook costs, beside nginx with its Lua module doing the same and recording nothing. `scripts/bench gateway` runs it.
//!
//! This process makes the load; each subject is processes of its own, and they take turns, so that whatever else the machine does moves both.
//! First as fast as it goes over a number of connections (closed loop), then at a given rate, where latency counts from the instant at which a
//! request was due (open loop). A core script maps a nested body of 1 KB to another shape; Tidegate's records are durable before it answers.
//!
//! On SQLite, on PostgreSQL and NATS where they are given, and apart (`--apart`): director, credentials, one gateway and one dispatcher as processes
//! of their own, of which the gateway is called.
//!
//! `--phases` measures what less than that costs: a key that nobody has, a script that does nothing. `--integrations 1,1000,1000000` measures
//! Tidegates on SQLite with so many Integrations beside each other instead, each called at random; `--hog` one whose
//! neighbour is flooded with calls of a script that never ends.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod load;
mod many;
mod modes;
mod nginx;
mod report;
mod requests;
#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "what others measure is not measured here")]
mod shared;
mod subject;

use clap::Parser;

use shared::asked::{Tested, Way};
use subject::Subject;

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
    #[command(flatten)]
    tested: Tested,
    /// Roles as processes of their own too.
    #[arg(long, requires = "nats")]
    apart: bool,
    /// Rounds of each subject.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of a round.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Connections at once.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Requests a second in the open loop; half of what the slower subject does, where none is given.
    #[arg(long)]
    rate: Option<f64>,
    /// Tidegates with so many Integrations, instead of nginx.
    #[arg(long, value_delimiter = ',')]
    integrations: Vec<u32>,
    /// Tidegate doing less and less, instead of nginx.
    #[arg(long)]
    phases: bool,
    /// Tidegate beside a neighbour that is flooded, instead of nginx.
    #[arg(long)]
    hog: bool,
}

#[tokio::main]
async fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    println!(
        "{} connections, {} rounds of {} s each, taking turns; {} processors, this process among them",
        asked.connections,
        asked.rounds,
        asked.seconds,
        std::thread::available_parallelism().unwrap()
    );
    let mut subjects = Vec::new();
    for count in &asked.integrations {
        subjects.push(Subject::tidegate(&asked.tested, Way::Sqlite, folder.path(), *count).await);
    }
    if subjects.is_empty() {
        for way in asked.tested.ways(if asked.apart { &[1] } else { &[] }) {
            subjects.push(Subject::tidegate(&asked.tested, way, folder.path(), 1).await);
        }
    }
    if asked.hog {
        for subject in &subjects {
            modes::beside_a_hog(&asked, subject).await;
        }
    } else if asked.phases {
        for subject in &subjects {
            modes::phases(&asked, subject).await;
        }
    } else {
        if asked.integrations.is_empty() {
            subjects.extend(Subject::nginx(folder.path()));
        }
        modes::in_turns(&asked, &subjects).await;
    }
    for subject in subjects {
        subject.end().await;
    }
}
