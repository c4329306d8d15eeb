//! What an event costs on its way to a third party, and what others notice when one of them is amiss. `scripts/bench dispatcher` runs it.
//!
//! This process publishes the events and takes the calls, on the same machine; Tidegate is a process of its own, or one for each role
//! (`--apart`), everything durable. Each event is an order of half a kilobyte that one Integration maps to another shape by a core script and
//! posts to the sink.
//!
//! *Throughput*: a given number of events, published as fast as they are accepted, until the last one has arrived; then an open loop at half
//! of that, for latency from acceptance to the sink. On SQLite, on PostgreSQL and NATS, and apart with so many dispatchers take turns.
//! `--neighbour` measures an open loop over 100 Integrations while the first one's destination
//! hangs, answers after 14.9 s, or hangs up. `--backlog` writes so many deliveries of a paused Integration into the database, waits until they are
//! marked as waiting, measures the others beside them, resumes it, and measures how it is worked off.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod account;
mod backlog;
mod bench;
mod ledger;
mod load;
mod modes;
#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "what others measure is not measured here")]
mod shared;
mod sink;
mod subject;
mod throughput;

use clap::Parser;

use shared::asked::Tested;

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
    #[command(flatten)]
    tested: Tested,
    /// Roles as processes of their own too, with so many dispatchers, in turns with the others: `--apart 1,2`.
    #[arg(long, value_delimiter = ',', requires = "nats")]
    apart: Vec<usize>,
    /// Measure with so many Integrations, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100])]
    integrations: Vec<usize>,
    /// Events of a round.
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Rounds of each kind; told is the middle one.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of a round in the open loop; 0 leaves it out of throughput.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Connections that publish.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Events in one request.
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// How many calls a dispatcher makes at once for one Integration.
    #[arg(long, default_value_t = 16)]
    concurrency: u32,
    /// Milliseconds that destinations take to answer.
    #[arg(long, default_value_t = 0)]
    answer_ms: u64,
    /// Events a second in the open loop; half of what is delivered in a second, where none is given.
    #[arg(long)]
    rate: Option<f64>,
    /// One of 100 destinations is amiss.
    #[arg(long)]
    neighbour: bool,
    /// So many deliveries of one of 100 Integrations wait.
    #[arg(long)]
    backlog: Option<usize>,
}

#[tokio::main]
async fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    let ways = asked.tested.ways(&asked.apart);
    println!(
        "{} connections publish {} events at a time; an Integration makes {} calls at once, answered after {} ms; {} processors, this process among them",
        asked.connections,
        asked.batch,
        asked.concurrency,
        asked.answer_ms,
        std::thread::available_parallelism().unwrap()
    );
    let own = |number: usize| folder.path().join(format!("tidegate-{number}"));
    if asked.neighbour {
        for (number, way) in ways.iter().enumerate() {
            modes::neighbour(&asked, *way, &own(number)).await;
        }
    } else if let Some(count) = asked.backlog {
        for (number, way) in ways.iter().enumerate() {
            modes::backlog(&asked, *way, count, &own(number)).await;
        }
    } else {
        for count in &asked.integrations {
            throughput::measure(&asked, &ways, *count, folder.path()).await;
        }
    }
}
