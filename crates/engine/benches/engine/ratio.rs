//! The engine's price over the baseline's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tidegate_model::Outcome;

use crate::aim;
use crate::baseline::Baseline;
use crate::workload::{Echo, Workload, body};

const ROUNDS: usize = 40;
const CALLS: u32 = 500;

/// What one call cost.
struct Cost {
    cpu: Duration,
    clock: Duration,
}

pub(crate) fn print() {
    let baseline = Baseline::new();
    let workload = Workload::new(1);
    let handler = Workload::handler("acme", 0);
    let disabled = Workload::disabled();
    let Outcome::Succeeded(came) = workload.run(&handler) else { panic!("the handler fails") };
    let by_hand: serde_json::Value = serde_json::from_slice(&baseline.handle(body())).unwrap();
    assert_eq!(came.to_value(), by_hand, "both do the same work");
    println!(
        "\nhandler: {} bytes in, {} bytes out; {ROUNDS} rounds of {CALLS} calls",
        body().len(),
        came.as_str().len()
    );
    let (echo, mut rounds) = (Echo::new(), Vec::new());
    // The first round warms up.
    for _ in 0..=ROUNDS {
        let raw = cost(|| (0..CALLS).for_each(|_| drop(divan::black_box(baseline.handle(body())))));
        let ours = cost(|| workload.run_all((0..CALLS).map(|_| Arc::clone(&handler))));
        let alone = cost(|| (0..CALLS).for_each(|_| drop(workload.run(&handler))));
        let enable = cost(|| workload.run_all((0..CALLS).map(|_| Arc::clone(&disabled))));
        let enable_alone = cost(|| (0..CALLS).for_each(|_| drop(workload.run(&disabled))));
        let nobody = cost(|| workload.ask_nobody((0..CALLS).map(|_| Arc::clone(&disabled))));
        let echoed = cost(|| workload.ask_echo(&echo, (0..CALLS).map(|_| Arc::clone(&disabled))));
        rounds.push([raw, ours, alone, enable, enable_alone, nobody, echoed]);
    }
    rounds.remove(0);
    let all = |of: fn(&[Cost; 7]) -> f64| quartiles(rounds.iter().map(of).collect());
    line("baseline, CPU µs", all(|r| micros(r[0].cpu)));
    line("engine, 32 in flight, CPU µs", all(|r| micros(r[1].cpu)));
    line("engine, one at a time, CPU µs", all(|r| micros(r[2].cpu)));
    line("engine, one at a time, µs by the clock", all(|r| micros(r[2].clock)));
    let enable = all(|r| micros(r[3].cpu));
    line("enable logic, 32 in flight, CPU µs", enable);
    line("enable logic, one at a time, CPU µs", all(|r| micros(r[4].cpu)));
    line("enable logic, one at a time, µs by the clock", all(|r| micros(r[4].clock)));
    line("  of it whoever asks, 32 in flight, CPU µs", all(|r| micros(r[5].cpu)));
    line("  as many echoes of another thread, CPU µs", all(|r| micros(r[6].cpu)));
    line("enable logic, in baselines", all(|r| r[3].cpu.as_secs_f64() / r[0].cpu.as_secs_f64()));
    let ratio = all(|r| r[1].cpu.as_secs_f64() / r[0].cpu.as_secs_f64());
    line("ratio of CPU, 32 in flight", ratio);
    line("ratio of CPU, one at a time", all(|r| r[2].cpu.as_secs_f64() / r[0].cpu.as_secs_f64()));
    aim("a realistic handler, in baselines", ratio[1], 1.3);
    aim("enable logic that does not look at the body, CPU µs", enable[1], 10.0);
}

fn line(what: &str, [low, median, high]: [f64; 3]) {
    println!("{what:<46} {median:>8.2}   (middle half {low:.2} to {high:.2})");
}

fn cost(work: impl FnOnce()) -> Cost {
    let (cpu, clock) = (process_time(), Instant::now());
    work();
    Cost { cpu: process_time().saturating_sub(cpu) / CALLS, clock: clock.elapsed() / CALLS }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The CPU time of all threads of this process.
fn process_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
