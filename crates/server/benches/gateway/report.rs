//! From rounds to a table.

use std::time::Duration;

use crate::load::Round;
use crate::shared::{as_float, share_of};

/// The rounds of one subject.
pub(crate) struct Series {
    name: String,
    rounds: Vec<Round>,
    processor_time: Duration,
    /// Bytes.
    peak_memory: u64,
}

impl Series {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rounds: Vec::new(), processor_time: Duration::ZERO, peak_memory: 0 }
    }

    pub(crate) fn add(&mut self, round: Round, processor_time: Duration, peak_memory: u64) {
        self.rounds.push(round);
        self.processor_time += processor_time;
        self.peak_memory = self.peak_memory.max(peak_memory);
    }

    /// Of the middle round.
    pub(crate) fn requests_per_second(&self) -> f64 {
        self.middle(|round| as_float(round.latencies.len()) / round.took.as_secs_f64())
    }

    /// Microseconds that this share of the answers took at most, of the middle round.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        self.middle(|round| {
            let mut sorted: Vec<f64> = round.latencies.iter().map(|took| took.as_secs_f64() * 1e6).collect();
            sorted.sort_by(f64::total_cmp);
            share_of(&sorted, share)
        })
    }

    fn processor_per_request(&self) -> f64 {
        let answers: usize = self.rounds.iter().map(|round| round.latencies.len()).sum();
        self.processor_time.as_secs_f64() * 1e6 / as_float(answers.max(1))
    }

    fn refused(&self) -> usize {
        self.rounds.iter().map(|round| round.refused).sum()
    }

    fn middle(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

/// Prints a line for each, and how they compare.
pub(crate) fn print(title: &str, all: &[Series]) {
    println!("\n{title}");
    println!(
        "{:<24} {:>12} {:>10} {:>10} {:>14} {:>12} {:>8}",
        "", "requests/s", "p50 µs", "p99 µs", "CPU µs/request", "peak MiB", "refused"
    );
    for series in all {
        println!(
            "{:<24} {:>12.0} {:>10.0} {:>10.0} {:>14.1} {:>12} {:>8}",
            series.name,
            series.requests_per_second(),
            series.latency(0.5),
            series.latency(0.99),
            series.processor_per_request(),
            series.peak_memory >> 20,
            series.refused(),
        );
    }
    if let [first, .., last] = all {
        println!(
            "ratio                    {:>12.2} {:>10.2} {:>10.2} {:>14.2}   (above 1: the first is better than the last)",
            first.requests_per_second() / last.requests_per_second(),
            last.latency(0.5) / first.latency(0.5),
            last.latency(0.99) / first.latency(0.99),
            last.processor_per_request() / first.processor_per_request(),
        );
    }
}
