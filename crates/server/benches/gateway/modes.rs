//! The things that are measured.

use std::time::Duration;

use crate::Asked;
use crate::load::{Load, Pace, Target};
use crate::report::{self, Series};
use crate::shared::{at_least, at_most};
use crate::subject::Subject;

/// All of them, as fast as it goes and then at a given rate.
pub(crate) async fn in_turns(asked: &Asked, subjects: &[Subject]) {
    let targets: Vec<Aim<'_>> = subjects.iter().map(|s| (s.name.as_str(), s, s.target.clone())).collect();
    let closed = measured(asked, &targets, Pace::AsFastAsItGoes).await;
    report::print("closed loop", &closed);
    let slowest = closed.iter().map(Series::requests_per_second).fold(f64::INFINITY, f64::min);
    let rate = asked.rate.unwrap_or(slowest / 2.0);
    let open = measured(asked, &targets, Pace::PerSecond(rate)).await;
    report::print(&format!("open loop, {rate:.0} requests a second"), &open);
    let p99 = |series: &[Series], which: usize| series[which].latency(0.99);
    if asked.integrations.len() > 1 {
        let (few, many) = (p99(&open, 0), p99(&open, open.len() - 1));
        at_most("p99 of the open loop with the most Integrations, in that with the fewest", many / few, 1.5);
    }
    let Some(nginx) = subjects.iter().position(Subject::is_nginx) else { return };
    for (series, subject) in closed.iter().zip(subjects).filter(|(_, subject)| !subject.is_nginx()) {
        let ratio = series.requests_per_second() / closed[nginx].requests_per_second();
        at_least(&format!("{}: requests/s, in those of nginx", subject.name), ratio, 1.0);
    }
}

/// A name, what is measured, and what is asked of it.
type Aim<'a> = (&'a str, &'a Subject, Target);

/// The same call with less and less to do.
pub(crate) async fn phases(asked: &Asked, subject: &Subject) {
    let aims = [
        ("maps 1 KB", subject, subject.target.clone()),
        ("returns the body", subject, subject.neighbour("echo", "return parameters").await),
        ("returns {}", subject, subject.neighbour("nothing", "return {}").await),
        ("no such key", subject, subject.nowhere()),
    ];
    report::print(&format!("{}, closed loop", subject.name), &measured(asked, &aims, Pace::AsFastAsItGoes).await);
}

/// Rounds of each, in turns.
async fn measured(asked: &Asked, aims: &[Aim<'_>], pace: Pace) -> Vec<Series> {
    let load = Load { connections: asked.connections, time: Duration::from_secs_f64(asked.seconds), pace };
    let mut all: Vec<Series> = aims.iter().map(|(name, ..)| Series::new(name)).collect();
    // What comes first warms what is cold.
    for (_, subject, target) in aims {
        Load { time: load.time.div_f64(4.0), ..load }.put_on(target).await;
        subject.settle().await;
    }
    for _ in 0..asked.rounds {
        for ((_, subject, target), series) in aims.iter().zip(&mut all) {
            let before = subject.processor_times();
            let round = load.put_on(target).await;
            // What is left to do is this one's work, and must not be done in another one's turn.
            series.settled(subject.settle().await);
            series.used(&before, &subject.processor_times());
            series.add(round, subject.peak_memory());
        }
    }
    all
}

/// The same open loop alone and beside a flood of endless scripts, in turns.
pub(crate) async fn beside_a_hog(asked: &Asked, subject: &Subject) {
    let hog = subject.neighbour("hog", "while true do end").await;
    let pace = Pace::PerSecond(asked.rate.unwrap_or(200.0));
    let load = Load { connections: asked.connections, time: Duration::from_secs_f64(asked.seconds), pace };
    let flood = Load { pace: Pace::AsFastAsItGoes, ..load };
    let (mut alone, mut beside) = (Series::new("alone"), Series::new("beside a hog"));
    load.put_on(&subject.target).await;
    for _ in 0..asked.rounds {
        alone.add(load.put_on(&subject.target).await, subject.peak_memory());
        subject.settle().await;
        let flooding = tokio::join!(load.put_on(&subject.target), flood.put_on(&hog));
        beside.add(flooding.0, subject.peak_memory());
        subject.settle().await;
    }
    let ratio = beside.latency(0.99) / alone.latency(0.99);
    let title = format!("{}, open loop; the neighbour's endless scripts in a closed loop", subject.name);
    report::print(&title, &[beside, alone]);
    at_most(&format!("{}: p99 beside another tenant's endless scripts, in that without", subject.name), ratio, 2.0);
}
