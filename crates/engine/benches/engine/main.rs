//! What a script costs, beside Lua without the engine around it. `scripts/bench engine` runs it.
//!
//! The table is divan's, by the clock. The ratio below it is of CPU time, in many short rounds that take turns: a busy machine moves
//! both sides of it alike. It ends with an error where the engine keeps less than it should.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod baseline;
mod cache;
mod neighbours;
mod ratio;
mod workload;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;

use workload::{Workload, body};

/// Runs of one round.
const ROUND: u32 = 500;

fn main() {
    divan::main();
    // Divan lists or filters on request; what follows is for a whole run, or for its name.
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if asked.is_empty() || asked == ["ratio"] {
        ratio::print();
    }
    if asked.is_empty() {
        cache::print();
        neighbours::print();
    }
}

/// Prints one of the engine's aims, and what was found.
fn aim(what: &str, found: f64, most: f64) {
    let verdict = if found <= most { "kept" } else { "MISSED" };
    println!("AIM {verdict}: {what}: at most {most}, found {found:.2}");
}

/// As [`aim`], for what is to be at least so much.
fn aim_at_least(what: &str, found: f64, least: f64) {
    let verdict = if found >= least { "kept" } else { "MISSED" };
    println!("AIM {verdict}: {what}: at least {least}, found {found:.2}");
}

/// The handler on a pooled machine, without the engine.
#[divan::bench]
fn handler_baseline(bencher: Bencher) {
    let baseline = baseline::Baseline::new();
    bencher.bench_local(|| baseline.handle(body()));
}

/// The handler in the engine, one run after the other: two hops between threads included.
#[divan::bench]
fn handler_engine(bencher: Bencher) {
    let workload = Workload::new(1);
    let handler = Workload::handler("acme", 0);
    bencher.bench_local(|| workload.run(&handler));
}

/// Enable logic that looks at a header and says no.
#[divan::bench]
fn enable_engine(bencher: Bencher) {
    let workload = Workload::new(1);
    let definition = Workload::disabled();
    bencher.bench_local(|| workload.run(&definition));
}

/// The same, 32 of them in flight.
#[divan::bench]
fn enable_engine_32_in_flight(bencher: Bencher) {
    let workload = Workload::new(1);
    let definition = Workload::disabled();
    let round = || workload.run_all((0..ROUND).map(|_| Arc::clone(&definition)));
    bencher.counter(ItemsCount::new(ROUND)).bench_local(round);
}
