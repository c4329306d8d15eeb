//! A Tidegate, its load and its sink.

use std::path::Path;
use std::time::Duration;

use crate::Asked;
use crate::account::Account;
use crate::ledger::Ledger;
use crate::load::{Load, Pace};
use crate::shared::asked::Way;
use crate::shared::{as_float, middle, share_of};
use crate::sink::Sink;
use crate::subject::{Subject, TENANT};

/// How long nothing may arrive before what is missing is counted as such.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) sink: Sink,
    pub(crate) subject: Subject,
    pub(crate) load: Load,
}

/// What an open loop found of all but the first Integration's events.
pub(crate) struct Round {
    /// Milliseconds from acceptance to the sink.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Those that never came.
    pub(crate) missing: usize,
    /// Microseconds of Tidegate's CPU for each event, where nothing else was done meanwhile.
    pub(crate) cpu: Option<f64>,
}

/// What came of events that were published as fast as they were accepted.
pub(crate) struct Burst {
    /// A second.
    pub(crate) accepted: f64,
    pub(crate) delivered: f64,
    pub(crate) account: Account,
}

impl Bench {
    /// Starts all of it, for so many events at most.
    pub(crate) async fn start(asked: &Asked, way: Way, folder: &Path, integrations: usize, events: usize) -> Self {
        let ledger = Ledger::new(events);
        let sink = Sink::start(ledger.clone(), Duration::from_millis(asked.answer_ms)).await;
        let subject = Subject::start(asked, way, folder, &sink, integrations).await;
        let load = Load {
            identity: subject.tidegate.within(TENANT),
            ledger: ledger.clone(),
            connections: asked.connections,
            batch: asked.batch,
            integrations,
        };
        Self { ledger, sink, subject, load }
    }

    /// So many events a second for so long.
    pub(crate) async fn open_loop(&self, rate: f64, seconds: f64) -> Round {
        let before = Account::so_far(&self.subject.tidegate);
        let (numbers, _) = self.load.put_on(events_in(rate, seconds), Pace::PerSecond(rate)).await;
        let count = numbers.len();
        let mut round = self.found(&[numbers]).await;
        round.cpu = Some(before.until_now(&self.subject.tidegate, count).per_delivery());
        round
    }

    /// The middle ones of so many rounds.
    pub(crate) async fn open_loops(&self, rate: f64, seconds: f64, rounds: usize) -> Round {
        let mut all = Vec::new();
        for _ in 0..rounds {
            all.push(self.open_loop(rate, seconds).await);
        }
        Round::middle(&all)
    }

    /// Waits for what was published, and looks at it.
    pub(crate) async fn found(&self, published: &[std::ops::Range<usize>]) -> Round {
        let integrations = self.load.integrations;
        let is_others = |number: &usize| integrations == 1 || !number.is_multiple_of(integrations);
        let others = || published.iter().cloned().flatten().filter(is_others);
        self.ledger.all_arrive(others(), PATIENCE).await;
        let latencies = self.ledger.latencies(others());
        let missing = others().count() - latencies.len();
        Round { p50: share_of(&latencies, 0.5), p99: share_of(&latencies, 0.99), missing, cpu: None }
    }

    /// Publishes as fast as it goes, and waits until all has arrived.
    pub(crate) async fn burst(&self, events: usize, integrations: usize) -> Burst {
        let begun = self.ledger.elapsed();
        let before = Account::so_far(&self.subject.tidegate);
        let load = Load { integrations, ..self.load.clone() };
        let (numbers, took) = load.put_on(events, Pace::AsFastAsItGoes).await;
        let whole = self.ledger.all_arrive(numbers.clone(), PATIENCE).await;
        let account = before.until_now(&self.subject.tidegate, numbers.len());
        let count = as_float(numbers.len());
        let arrived = as_float(self.ledger.arrived(numbers.clone()));
        let last = self.ledger.last_arrival(numbers.clone()).saturating_sub(begun);
        if !whole {
            println!("{} of {count} events have not arrived", count - arrived);
        }
        Burst { accepted: count / took.as_secs_f64(), delivered: arrived / last.as_secs_f64(), account }
    }
}

impl Round {
    pub(crate) fn middle(all: &[Self]) -> Self {
        let of = |one: fn(&Self) -> f64| middle(all.iter().map(one).collect());
        let missing = all.iter().map(|round| round.missing).sum();
        let cpu = all.iter().filter_map(|round| round.cpu).collect();
        Self { p50: of(|r| r.p50), p99: of(|r| r.p99), cpu: Some(middle(cpu)), missing }
    }

    pub(crate) fn print(&self, what: &str) {
        let Self { p50, p99, missing, cpu } = self;
        let cpu = cpu.map(|cpu| format!("{cpu:>5.0} µs of CPU each, ")).unwrap_or_default();
        println!("{what:<28} p50 {p50:>7.1} ms, p99 {p99:>7.1} ms, {cpu}{missing} missing");
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
pub(crate) fn events_in(rate: f64, seconds: f64) -> usize {
    (rate * seconds) as usize
}
