//! What a webhook costs, beside nginx with its Lua module doing the same and recording nothing. `scripts/bench gateway` runs it.
//!
//! This process makes the load; each subject is a process of its own, and they take turns, so that whatever else the machine does moves both.
//! First as fast as it goes over a number of connections (closed loop), then at a given rate, where latency counts from the instant at which a
//! request was due (open loop). A core script maps a nested body of 1 KB to another shape; Tidegate's records are durable before it answers.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod load;
mod report;
mod subject;

use std::time::Duration;

use clap::Parser;

use load::{Load, Pace};
use report::Series;
use subject::Subject;

/// How long and how hard.
#[derive(Clone, Copy, Debug, Parser)]
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
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    let mut subjects = vec![Subject::tidegate(folder.path())];
    subjects.extend(Subject::nginx(folder.path()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{} connections, {} rounds of {} s each, taking turns; {} processors, this process among them",
        asked.connections,
        asked.rounds,
        asked.seconds,
        std::thread::available_parallelism().unwrap()
    );
    let closed = runtime.block_on(measured(asked, &subjects, Pace::AsFastAsItGoes));
    report::print("closed loop", &closed);
    let slowest = closed.iter().map(Series::requests_per_second).fold(f64::INFINITY, f64::min);
    let rate = asked.rate.unwrap_or(slowest / 2.0);
    let open = runtime.block_on(measured(asked, &subjects, Pace::PerSecond(rate)));
    report::print(&format!("open loop, {rate:.0} requests a second"), &open);
}

/// Rounds of each subject, in turns.
async fn measured(asked: Asked, subjects: &[Subject], pace: Pace) -> Vec<Series> {
    let load = Load { connections: asked.connections, time: Duration::from_secs_f64(asked.seconds), pace };
    let mut all: Vec<Series> = subjects.iter().map(|subject| Series::new(subject.name)).collect();
    // What comes first warms what is cold.
    for subject in subjects {
        Load { time: load.time.div_f64(4.0), ..load }.put_on(&subject.target).await;
    }
    for _ in 0..asked.rounds {
        for (subject, series) in subjects.iter().zip(&mut all) {
            let before = subject.processor_time();
            let round = load.put_on(&subject.target).await;
            series.add(round, subject.processor_time().saturating_sub(before), subject.peak_memory());
        }
    }
    all
}
