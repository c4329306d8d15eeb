//! From rounds to a table.

use std::time::Duration;

use crate::load::Round;
use crate::shared::{as_float, middle, share_of};

/// The rounds of one subject.
pub(crate) struct Series {
    name: String,
    rounds: Vec<Round>,
    /// By role; nothing, where it cannot be told whose it was.
    processor_times: Vec<(&'static str, Duration)>,
    /// Bytes.
    peak_memory: u64,
    /// The longest that records took to the database after the last answer.
    lag: Option<Duration>,
}

impl Series {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rounds: Vec::new(), processor_times: Vec::new(), peak_memory: 0, lag: None }
    }

    pub(crate) fn add(&mut self, round: Round, peak_memory: u64) {
        self.rounds.push(round);
        self.peak_memory = self.peak_memory.max(peak_memory);
    }

    /// What its processes had used before and after a round.
    pub(crate) fn used(&mut self, before: &[(&'static str, Duration)], after: &[(&'static str, Duration)]) {
        for (place, ((role, after), (_, before))) in after.iter().zip(before).enumerate() {
            if place == self.processor_times.len() {
                self.processor_times.push((role, Duration::ZERO));
            }
            self.processor_times[place].1 += after.saturating_sub(*before);
        }
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

    /// Microseconds for each request; `None` where it cannot be told.
    fn processor_per_request(&self) -> Option<f64> {
        let used: Duration = self.processor_times.iter().map(|(_, used)| *used).sum();
        (!self.processor_times.is_empty()).then(|| self.each(used))
    }

    fn each(&self, used: Duration) -> f64 {
        let answers: usize = self.rounds.iter().map(|round| round.latencies.len()).sum();
        used.as_secs_f64() * 1e6 / as_float(answers.max(1))
    }

    /// How long records took to the database after the last answer.
    pub(crate) fn settled(&mut self, lag: Option<Duration>) {
        self.lag = self.lag.max(lag);
    }

    fn refused(&self) -> usize {
        self.rounds.iter().map(|round| round.refused).sum()
    }

    fn middle(&self, of: impl Fn(&Round) -> f64) -> f64 {
        middle(self.rounds.iter().map(of).collect())
    }
}

/// Prints a line for each, and how they compare with the last one.
pub(crate) fn print(title: &str, all: &[Series]) {
    println!("\n{title}");
    println!(
        "{:<32} {:>12} {:>10} {:>10} {:>14} {:>12} {:>8}",
        "", "requests/s", "p50 µs", "p99 µs", "CPU µs/request", "peak MiB", "refused"
    );
    for series in all {
        println!(
            "{:<32} {:>12.0} {:>10.0} {:>10.0} {:>14} {:>12} {:>8}",
            series.name,
            series.requests_per_second(),
            series.latency(0.5),
            series.latency(0.99),
            series.processor_per_request().map(|used| format!("{used:.1}")).unwrap_or_default(),
            series.peak_memory >> 20,
            series.refused(),
        );
    }
    for series in all.iter().filter(|series| series.processor_times.len() > 1) {
        let roles = series.processor_times.iter().map(|(role, used)| format!("{role} {:.1}", series.each(*used)));
        println!("{}, CPU µs/request: {}", series.name, roles.collect::<Vec<_>>().join(", "));
    }
    for (series, lag) in all.iter().filter_map(|series| Some((series, series.lag?))) {
        println!("{}: all records are in the database {:.1} s after a round, at most", series.name, lag.as_secs_f64());
    }
    let Some((last, others)) = all.split_last() else { return };
    for series in others {
        let processor = last.processor_per_request().zip(series.processor_per_request());
        println!(
            "{:<32} {:>12.2} {:>10.2} {:>10.2} {:>14}   (above 1: better than {})",
            series.name,
            series.requests_per_second() / last.requests_per_second(),
            last.latency(0.5) / series.latency(0.5),
            last.latency(0.99) / series.latency(0.99),
            processor.map(|(last, used)| format!("{:.2}", last / used)).unwrap_or_default(),
            last.name,
        );
    }
}
