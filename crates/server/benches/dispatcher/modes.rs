//! The things that are measured.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Asked;
use crate::backlog;
use crate::client::Client;
use crate::ledger::Ledger;
use crate::load::{Load, Pace};
use crate::shared::{as_float, at_least, at_most, share_of};
use crate::sink::{Manner, Sink};
use crate::subject::{Ground, Subject};

/// How long nothing may arrive before what is missing is counted as such.
const PATIENCE: Duration = Duration::from_secs(40);

/// The aim of the whole way, in deliveries a second.
const THROUGHPUT: f64 = 5_000.0;

/// By how much the others may become slower beside one that is amiss.
const BESIDE: f64 = 1.5;

struct Bench {
    ledger: Ledger,
    sink: Sink,
    subject: Subject,
    load: Load,
}

impl Bench {
    async fn start(asked: &Asked, ground: Ground, integrations: usize, events: usize) -> Self {
        let ledger = Ledger::new(events);
        let sink = Sink::start(ledger.clone()).await;
        let subject = Subject::start(asked, ground, &sink, integrations).await;
        let load = Load {
            identity: subject.identity.clone(),
            ledger: ledger.clone(),
            connections: asked.connections,
            batch: asked.batch,
            integrations,
        };
        Self { ledger, sink, subject, load }
    }

    /// Starts Tidegate again.
    async fn resume(&mut self) {
        self.subject.resume().await;
        self.load.identity = self.subject.identity.clone();
    }

    /// An open loop: milliseconds from acceptance to the sink of all but the first Integration's events (half and 99 of a hundred), what of
    /// them never came, and microseconds of CPU per event.
    async fn open_loop(&self, rate: f64, seconds: f64) -> Round {
        let before = self.subject.process().processor_time();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
        let (numbers, _) = self.load.put_on((rate * seconds) as usize, Pace::PerSecond(rate)).await;
        let integrations = self.load.integrations;
        let others = || numbers.clone().filter(|number| integrations == 1 || number % integrations != 0);
        self.ledger.all_arrive(others(), PATIENCE).await;
        let cpu = self.subject.process().processor_time().saturating_sub(before);
        let latencies = self.ledger.latencies(others());
        Round {
            p50: share_of(&latencies, 0.5),
            p99: share_of(&latencies, 0.99),
            missing: others().count() - latencies.len(),
            cpu: cpu.as_secs_f64() * 1e6 / as_float(numbers.len()),
        }
    }

    async fn open_loops(&self, rate: f64, seconds: f64, rounds: usize) -> Round {
        let mut all = Vec::new();
        for _ in 0..rounds {
            all.push(self.open_loop(rate, seconds).await);
        }
        let of = |one: fn(&Round) -> f64| middle(all.iter().map(one).collect());
        Round {
            p50: of(|r| r.p50),
            p99: of(|r| r.p99),
            cpu: of(|r| r.cpu),
            missing: all.iter().map(|r| r.missing).sum(),
        }
    }

    /// Publishes as fast as it goes, and waits until all has arrived.
    async fn burst(&self, events: usize, integrations: usize) -> Burst {
        let begun = self.ledger.elapsed();
        let before = self.subject.process().processor_time();
        let load = Load { integrations, ..self.load.clone() };
        let (numbers, took) = load.put_on(events, Pace::AsFastAsItGoes).await;
        let whole = self.ledger.all_arrive(numbers.clone(), PATIENCE).await;
        let cpu = self.subject.process().processor_time().saturating_sub(before);
        let count = as_float(numbers.len());
        let arrived = as_float(self.ledger.arrived(numbers.clone()));
        let last = self.ledger.last_arrival(numbers.clone()).saturating_sub(begun);
        if !whole {
            println!("{} of {count} events have not arrived", count - arrived);
        }
        Burst {
            accepted: count / took.as_secs_f64(),
            delivered: arrived / last.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / count,
        }
    }
}

struct Round {
    p50: f64,
    p99: f64,
    missing: usize,
    cpu: f64,
}

struct Burst {
    accepted: f64,
    delivered: f64,
    cpu: f64,
}

/// Events as fast as they go, then at half of that.
pub(crate) async fn throughput(name: &str, asked: &Asked, integrations: usize, ground: Ground) {
    let most = asked.events * (asked.rounds + 2) * 8;
    let bench = Bench::start(asked, ground, integrations, most).await;
    // What comes first warms what is cold.
    bench.burst(asked.events / 4, integrations).await;
    let size = bench.subject.size().await;
    let (mut bursts, mut published) = (Vec::new(), 0);
    for _ in 0..asked.rounds {
        bursts.push(bench.burst(asked.events, integrations).await);
        published += asked.events;
    }
    let grown = as_float(usize::try_from(bench.subject.size().await.saturating_sub(size)).unwrap());
    let of = |one: fn(&Burst) -> f64| middle(bursts.iter().map(one).collect());
    let delivered = of(|burst| burst.delivered);
    println!("\n{name}, {integrations} Integrations: {} rounds of {} events", asked.rounds, asked.events);
    println!("accepted/s                    {:>10.0}", of(|burst| burst.accepted));
    println!("delivered/s, end to end       {delivered:>10.0}");
    println!("CPU µs per delivery           {:>10.0}", of(|burst| burst.cpu));
    println!("bytes of database per event   {:>10.0}", grown / as_float(published));
    let rate = asked.rate.unwrap_or(delivered / 2.0);
    let open = bench.open_loops(rate, asked.seconds, asked.rounds).await;
    println!(
        "open loop, {rate:.0} events/s: p50 {:.1} ms, p99 {:.1} ms, {:.0} µs of CPU each, {} missing",
        open.p50, open.p99, open.cpu, open.missing
    );
    println!("peak MiB                      {:>10}", bench.subject.process().peak_memory() >> 20);
    println!("calls that came twice         {:>10}", bench.ledger.repeated());
    at_least(&format!("{name}, {integrations} Integrations, deliveries/s"), delivered, THROUGHPUT);
}

/// One of 100 destinations is amiss.
pub(crate) async fn neighbour(name: &str, asked: &Asked, ground: Ground) {
    let rate = asked.rate.unwrap_or(300.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
    let bench = Bench::start(asked, ground, 100, (rate * asked.seconds) as usize * (asked.rounds * 4 + 4) * 2).await;
    bench.open_loop(rate, asked.seconds).await;
    println!(
        "\n{name}, 100 Integrations, {rate:.0} events/s: {} rounds of {} s; the 99 others' latency",
        asked.rounds, asked.seconds
    );
    let mut alone = None;
    let manners = [
        (Manner::Well, "all answer"),
        (Manner::Hangs, "one hangs"),
        (Manner::Slow, "one answers after 14.9 s"),
        (Manner::Down, "one hangs up"),
    ];
    for (manner, what) in manners {
        bench.sink.behave(manner);
        let Round { p50, p99, missing, cpu } = bench.open_loops(rate, asked.seconds, asked.rounds).await;
        println!("{what:<28} p50 {p50:>7.1} ms, p99 {p99:>7.1} ms, {cpu:>5.0} µs of CPU each, {missing} missing");
        match alone {
            None => alone = Some(p99),
            Some(alone) => {
                at_most(&format!("{name}, {what}: the others' p99, in those of all answering"), p99 / alone, BESIDE);
            }
        }
    }
    println!("peak MiB {}", bench.subject.process().peak_memory() >> 20);
}

/// A great many deliveries wait for one of 100 Integrations, which is paused and then resumed.
pub(crate) async fn backlog(name: &str, asked: &Asked, count: usize, ground: Ground) {
    let rate = asked.rate.unwrap_or(300.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
    let most = count + ((rate * asked.seconds) as usize * (asked.rounds + 1) + asked.events * 2) * 2;
    let mut bench = Bench::start(asked, ground, 100, most).await;
    bench.burst(asked.events / 4, 1).await;
    let fresh = bench.burst(asked.events, 1).await.delivered;
    let alone = bench.open_loops(rate, asked.seconds, asked.rounds).await;
    let memory = bench.subject.process().peak_memory();
    bench.subject.stop();
    let begun = Instant::now();
    let numbers = backlog::fill(&bench.subject, &bench.ledger, 0, count).await;
    backlog::pause(&bench.subject, 0).await;
    println!("\n{name}: {count} deliveries of a paused Integration, written in {:.0} s", begun.elapsed().as_secs_f64());
    bench.resume().await;
    // What is done once for all of them is done.
    bench.open_loop(rate, asked.seconds).await;
    let beside = bench.open_loops(rate, asked.seconds, asked.rounds).await;
    for (what, round) in [("nothing waits", &alone), ("beside what waits", &beside)] {
        let Round { p50, p99, missing, cpu } = round;
        println!("{what:<28} p50 {p50:>7.1} ms, p99 {p99:>7.1} ms, {cpu:>5.0} µs of CPU each, {missing} missing");
    }
    at_most(&format!("{name}: the others' p99 beside a backlog, in those without"), beside.p99 / alone.p99, BESIDE);
    let resume = "mutation($id: ID!) { resumeIntegration(id: $id) { id } }";
    let mut client = Client::connect(&bench.subject.identity).await;
    client.graphql(resume, &json!({ "id": bench.subject.integrations[0] })).await;
    let cpu = bench.subject.process().processor_time();
    let (begun, before) = (Instant::now(), bench.ledger.calls());
    while begun.elapsed().as_secs_f64() < asked.seconds * as_float(asked.rounds)
        && bench.ledger.calls() - before < count
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let calls = as_float(bench.ledger.calls() - before);
    let drained = calls / begun.elapsed().as_secs_f64();
    let cpu = bench.subject.process().processor_time().saturating_sub(cpu).as_secs_f64() * 1e6 / calls;
    let peak = bench.subject.process().peak_memory();
    println!("fresh deliveries of it        {fresh:>10.0} a second");
    println!("worked off                    {drained:>10.0} a second, {cpu:.0} µs of CPU each");
    println!("before what is older          {:>10} places at most", bench.ledger.disorder(numbers));
    println!("peak MiB                      {:>10}, {} before there was a backlog", peak >> 20, memory >> 20);
    at_least(&format!("{name}: worked off, in the speed of fresh ones"), drained / fresh, 1.0);
    at_most(&format!("{name}: peak MiB with {count} waiting"), as_float(usize::try_from(peak >> 20).unwrap()), 256.0);
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
