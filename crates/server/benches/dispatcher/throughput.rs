//! Events as fast as they go, then at half of that; each way in which Tidegate lives in turns with the others.

use std::path::Path;

use crate::Asked;
use crate::account::Account;
use crate::bench::{Bench, Burst, Round};
use crate::shared::asked::Way;
use crate::shared::{as_float, at_least, middle};

/// The aim of the whole way, in deliveries a second.
const AIM: f64 = 5_000.0;

/// One way, and what was found of it.
struct Series {
    bench: Bench,
    bursts: Vec<Burst>,
    open: Vec<Round>,
    /// Bytes of database before and after.
    size: [u64; 2],
}

impl Series {
    fn way(&self) -> Way {
        self.bench.subject.tidegate.way
    }

    fn delivered(&self) -> f64 {
        middle(self.bursts.iter().map(|burst| burst.delivered).collect())
    }

    /// Of the open loop.
    fn rate(&self, asked: &Asked) -> f64 {
        asked.rate.unwrap_or(self.delivered() / 2.0)
    }
}

/// Measures all ways with so many Integrations.
pub(crate) async fn measure(asked: &Asked, ways: &[Way], integrations: usize, folder: &Path) {
    let most = asked.events * (asked.rounds + 2) * 8;
    let mut all = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        let folder = folder.join(format!("tidegate-{integrations}-{number}"));
        let bench = Bench::start(asked, *way, &folder, integrations, most).await;
        // What comes first warms what is cold.
        bench.burst(asked.events / 4, integrations).await;
        let size = bench.subject.tidegate.ground.size().await;
        all.push(Series { bench, bursts: Vec::new(), open: Vec::new(), size: [size; 2] });
    }
    for _ in 0..asked.rounds {
        for series in &mut all {
            series.bursts.push(series.bench.burst(asked.events, integrations).await);
        }
    }
    for series in &mut all {
        series.size[1] = series.bench.subject.tidegate.ground.size().await;
    }
    for _ in 0..if asked.seconds > 0.0 { asked.rounds } else { 0 } {
        for series in &mut all {
            let round = series.bench.open_loop(series.rate(asked), asked.seconds).await;
            series.open.push(round);
        }
    }
    for series in &all {
        print(asked, series, integrations);
    }
    compare(&all, integrations);
    for mut series in all {
        series.bench.subject.tidegate.end().await;
    }
}

fn print(asked: &Asked, series: &Series, integrations: usize) {
    let Series { bench, bursts, open, size: [before, after] } = series;
    let (name, rate, delivered) = (series.way(), series.rate(asked), series.delivered());
    let account = bursts.iter().fold(Account::default(), |sum, burst| sum.and(&burst.account));
    let grown = as_float(usize::try_from(after.saturating_sub(*before)).unwrap());
    let of = |one: fn(&Burst) -> f64| middle(bursts.iter().map(one).collect());
    println!("\n{name}, {integrations} Integrations: {} rounds of {} events", asked.rounds, asked.events);
    println!("accepted/s                    {:>10.0}", of(|burst| burst.accepted));
    println!("delivered/s, end to end       {delivered:>10.0}");
    println!("CPU µs per delivery           {:>10.0}   ({account})", of(|burst| burst.account.per_delivery()));
    println!("bytes of database per event   {:>10.0}", grown / as_float(asked.events * asked.rounds));
    if !open.is_empty() {
        Round::middle(open).print(&format!("open loop, {rate:.0} events/s"));
    }
    println!("peak MiB                      {:>10}", bench.subject.tidegate.peak_memory() >> 20);
    println!("calls that came twice         {:>10}", bench.ledger.repeated());
    at_least(&format!("{name}, {integrations} Integrations, deliveries/s"), delivered, AIM);
}

/// Apart, in what one process on the same servers delivers and in what the fewest dispatchers do.
fn compare(all: &[Series], integrations: usize) {
    let of = |way: fn(Way) -> bool| all.iter().find(|series| way(series.way()));
    let together = of(|way| way == Way::Servers);
    let Some(fewest) = of(|way| matches!(way, Way::Apart { .. })) else { return };
    println!();
    for series in all.iter().filter(|series| matches!(series.way(), Way::Apart { .. })) {
        let ratio = |other: &Series| series.delivered() / other.delivered();
        let in_one = together.map_or_else(String::new, |one| format!(", {:.2} of one process", ratio(one)));
        println!("{}, {integrations} Integrations: {:.2} of {}{in_one}", series.way(), ratio(fewest), fewest.way());
    }
}
