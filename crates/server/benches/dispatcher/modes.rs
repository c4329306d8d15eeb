//! What others notice when one Integration is amiss, or has a backlog.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Asked;
use crate::backlog;
use crate::bench::{Bench, events_in};
use crate::load::Pace;
use crate::shared::asked::Way;
use crate::shared::client::Client;
use crate::shared::{as_float, at_least, at_most};
use crate::sink::Manner;

/// By how much the others may become slower beside one that is amiss.
const BESIDE: f64 = 1.5;

/// How long it is waited for what is done once for all that waits.
const MARKING: Duration = Duration::from_mins(4);

/// One of 100 destinations is amiss.
pub(crate) async fn neighbour(asked: &Asked, way: Way, folder: &Path) {
    let rate = asked.rate.unwrap_or(300.0);
    let events = events_in(rate, asked.seconds) * (asked.rounds * 4 + 4) * 2;
    let mut bench = Bench::start(asked, way, folder, 100, events).await;
    bench.open_loop(rate, asked.seconds).await;
    println!(
        "\n{way}, 100 Integrations, {rate:.0} events/s: {} rounds of {} s; the 99 others' latency",
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
        let round = bench.open_loops(rate, asked.seconds, asked.rounds).await;
        round.print(what);
        match alone {
            None => alone = Some(round.p99),
            Some(alone) => {
                at_most(
                    &format!("{way}, {what}: the others' p99, in those of all answering"),
                    round.p99 / alone,
                    BESIDE,
                );
            }
        }
    }
    println!("peak MiB {}", bench.subject.tidegate.peak_memory() >> 20);
    bench.subject.tidegate.end().await;
}

/// A great many deliveries wait for one of 100 Integrations, which is paused and then resumed.
pub(crate) async fn backlog(asked: &Asked, way: Way, count: usize, folder: &Path) {
    let rate = asked.rate.unwrap_or(300.0);
    let most = count
        + (events_in(rate, asked.seconds) * (asked.rounds + 1) + asked.events * 2) * 2
        + events_in(rate, MARKING.as_secs_f64()) * 2;
    let mut bench = Bench::start(asked, way, folder, 100, most).await;
    bench.burst(asked.events / 4, 1).await;
    let fresh = bench.burst(asked.events, 1).await.delivered;
    let alone = bench.open_loops(rate, asked.seconds, asked.rounds).await;
    let memory = bench.subject.tidegate.peak_memory();
    bench.subject.tidegate.stop();
    let begun = Instant::now();
    let numbers = backlog::fill(&bench.subject, &bench.ledger, 0, count).await;
    backlog::pause(&bench.subject, 0).await;
    println!("\n{way}: {count} deliveries of a paused Integration, written in {:.0} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    bench.subject.tidegate.resume();
    marking(&bench, rate, begun).await;
    let beside = bench.open_loops(rate, asked.seconds, asked.rounds).await;
    alone.print("nothing waits");
    beside.print("beside what waits");
    at_most(&format!("{way}: the others' p99 beside a backlog, in those without"), beside.p99 / alone.p99, BESIDE);
    let resume = "mutation($id: ID!) { resumeIntegration(id: $id) { id } }";
    let mut client = Client::connect(&bench.load.identity).await;
    client.graphql(resume, &json!({ "id": bench.subject.integrations[0] })).await;
    let cpu = bench.subject.tidegate.processor_time();
    let (begun, before) = (Instant::now(), bench.ledger.calls());
    while begun.elapsed().as_secs_f64() < asked.seconds * as_float(asked.rounds)
        && bench.ledger.calls() - before < count
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let calls = as_float(bench.ledger.calls() - before);
    let drained = calls / begun.elapsed().as_secs_f64();
    let cpu = bench.subject.tidegate.processor_time().saturating_sub(cpu).as_secs_f64() * 1e6 / calls;
    let peak = bench.subject.tidegate.peak_memory();
    println!("fresh deliveries of it        {fresh:>10.0} a second");
    println!("worked off                    {drained:>10.0} a second, {cpu:.0} µs of CPU each");
    println!("before what is older          {:>10} places at most", bench.ledger.disorder(numbers));
    println!("peak MiB                      {:>10}, {} before there was a backlog", peak >> 20, memory >> 20);
    at_least(&format!("{way}: worked off, in the speed of fresh ones"), drained / fresh, 1.0);
    at_most(&format!("{way}: peak MiB with {count} waiting"), as_float(usize::try_from(peak >> 20).unwrap()), 256.0);
    bench.subject.tidegate.end().await;
}

/// Waits until everything that waits is marked as such, which is done once after the start at this instant, and tells what the others notice
/// of that.
async fn marking(bench: &Bench, rate: f64, begun: Instant) {
    let marked = async {
        while backlog::is_unmarked(&bench.subject, 0).await {
            if begun.elapsed() > MARKING {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(begun.elapsed())
    };
    let mut marked = std::pin::pin!(marked);
    let mut published = Vec::new();
    let took = loop {
        let ((numbers, _), took) =
            tokio::join!(bench.load.put_on(events_in(rate, 1.0), Pace::PerSecond(rate)), async {
                tokio::time::timeout(Duration::from_secs(1), marked.as_mut()).await
            });
        published.push(numbers);
        if let Ok(took) = took {
            break took;
        }
    };
    match took {
        Some(took) => println!("all of it is marked after     {:>10.1} s", took.as_secs_f64()),
        None => println!("not all of it is marked after {:>10.0} s", MARKING.as_secs_f64()),
    }
    bench.found(&published).await.print("meanwhile");
}
