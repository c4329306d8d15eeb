//! What a webhook costs, beside nginx with its Lua module doing the same and recording nothing. `scripts/bench gateway` runs it.
//!
//! This process makes the load; each subject is a process of its own, and they take turns, so that whatever else the machine does moves both.
//! First as fast as it goes over a number of connections (closed loop), then at a given rate, where latency counts from the instant at which a
//! request was due (open loop). A core script maps a nested body of 1 KB to another shape; Tidegate's records are durable before it answers.
//!
//! `--phases` measures what less than that costs: a key that nobody has, a script that does nothing. `--integrations 1,1000,1000000` measures Tidegates with so many Integrations beside each other instead, each called at random; `--hog` one whose
//! neighbour is flooded with calls of a script that never ends.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod load;
mod many;
mod report;
#[path = "../shared/mod.rs"]
mod shared;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use load::{Load, Pace, Target};
use report::Series;
use shared::{at_least, at_most};
use subject::Subject;

/// How long and how hard.
#[derive(Clone, Debug, Parser)]
struct Asked {
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
    /// The executable that is measured: this tree's, or one of another version.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_tidegate"))]
    tidegate: PathBuf,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{} connections, {} rounds of {} s each, taking turns; {} processors, this process among them",
        asked.connections,
        asked.rounds,
        asked.seconds,
        std::thread::available_parallelism().unwrap()
    );
    if asked.hog {
        return runtime.block_on(beside_a_hog(&asked, &Subject::tidegate(&asked.tidegate, folder.path(), 1)));
    }
    if asked.phases {
        return phases(&asked, &runtime, &Subject::tidegate(&asked.tidegate, folder.path(), 1));
    }
    let subjects: Vec<Subject> = if asked.integrations.is_empty() {
        [Subject::tidegate(&asked.tidegate, folder.path(), 1)]
            .into_iter()
            .chain(Subject::nginx(folder.path()))
            .collect()
    } else {
        asked.integrations.iter().map(|count| Subject::tidegate(&asked.tidegate, folder.path(), *count)).collect()
    };
    let targets: Vec<Aim<'_>> = subjects.iter().map(|s| (s.name.as_str(), s, s.target.clone())).collect();
    let closed = runtime.block_on(measured(&asked, &targets, Pace::AsFastAsItGoes));
    report::print("closed loop", &closed);
    let slowest = closed.iter().map(Series::requests_per_second).fold(f64::INFINITY, f64::min);
    let rate = asked.rate.unwrap_or(slowest / 2.0);
    let open = runtime.block_on(measured(&asked, &targets, Pace::PerSecond(rate)));
    report::print(&format!("open loop, {rate:.0} requests a second"), &open);
    let p99 = |series: &[Series], which: usize| series[which].latency(0.99);
    match (asked.integrations.is_empty(), closed.as_slice()) {
        (true, [ours, theirs]) => {
            at_least("requests/s, in those of nginx", ours.requests_per_second() / theirs.requests_per_second(), 1.0);
        }
        (false, [_, .., _]) => {
            let (few, many) = (p99(&open, 0), p99(&open, open.len() - 1));
            at_most("p99 of the open loop with the most Integrations, in that with the fewest", many / few, 1.5);
        }
        _ => {}
    }
}

/// A name, what is measured, and what is asked of it.
type Aim<'a> = (&'a str, &'a Subject, Target);

/// The same call with less and less to do.
fn phases(asked: &Asked, runtime: &tokio::runtime::Runtime, subject: &Subject) {
    let aims = [
        ("maps 1 KB", subject, subject.target.clone()),
        ("returns the body", subject, subject.neighbour("echo", "return parameters")),
        ("returns {}", subject, subject.neighbour("nothing", "return {}")),
        ("no such key", subject, subject.nowhere()),
    ];
    report::print("closed loop", &runtime.block_on(measured(asked, &aims, Pace::AsFastAsItGoes)));
}

/// Rounds of each, in turns.
async fn measured(asked: &Asked, aims: &[Aim<'_>], pace: Pace) -> Vec<Series> {
    let load = Load { connections: asked.connections, time: Duration::from_secs_f64(asked.seconds), pace };
    let mut all: Vec<Series> = aims.iter().map(|(name, ..)| Series::new(name)).collect();
    // What comes first warms what is cold.
    for (_, _, target) in aims {
        Load { time: load.time.div_f64(4.0), ..load }.put_on(target).await;
    }
    for _ in 0..asked.rounds {
        for ((_, subject, target), series) in aims.iter().zip(&mut all) {
            let before = subject.processor_time();
            let round = load.put_on(target).await;
            series.add(round, subject.processor_time().saturating_sub(before), subject.peak_memory());
        }
    }
    all
}

/// The same open loop alone and beside a flood of endless scripts, in turns.
async fn beside_a_hog(asked: &Asked, subject: &Subject) {
    let hog = subject.neighbour("hog", "while true do end");
    let pace = Pace::PerSecond(asked.rate.unwrap_or(200.0));
    let load = Load { connections: asked.connections, time: Duration::from_secs_f64(asked.seconds), pace };
    let flood = Load { pace: Pace::AsFastAsItGoes, ..load };
    let (mut alone, mut beside) = (Series::new("alone"), Series::new("beside a hog"));
    load.put_on(&subject.target).await;
    for _ in 0..asked.rounds {
        alone.add(load.put_on(&subject.target).await, Duration::ZERO, subject.peak_memory());
        let flooding = tokio::join!(load.put_on(&subject.target), flood.put_on(&hog));
        beside.add(flooding.0, Duration::ZERO, subject.peak_memory());
    }
    let ratio = beside.latency(0.99) / alone.latency(0.99);
    report::print("open loop, the neighbour's endless scripts in a closed loop", &[beside, alone]);
    at_most("p99 beside another tenant's endless scripts, in that without", ratio, 2.0);
}
