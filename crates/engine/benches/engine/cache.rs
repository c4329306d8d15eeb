//! How well machines and compiled scripts are kept, and in how much memory.

#![expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]

use crate::workload::Workload;
use crate::{aim, aim_at_least};

/// Lua threads.
const THREADS: usize = 2;

/// Idle machines that a thread keeps, and scripts that a machine does.
const MACHINES: usize = 64;
const SCRIPTS_OF_ONE: usize = 256;

/// The process may have this much with 10 000 different scripts in rotation.
const MOST_MIB: u64 = 512;

pub(crate) fn print() {
    steady();
    rotation();
}

/// Few enough scripts for all of them to be kept.
fn steady() {
    const TENANTS: u32 = 16;
    const EACH: u32 = 8;
    let workload = Workload::new(2);
    let all: Vec<_> = (0..TENANTS * EACH).map(|n| Workload::handler(&format!("tenant-{}", n % TENANTS), n)).collect();
    let pass = |times| workload.run_all((0..times).flat_map(|_| all.iter().cloned()));
    pass(20);
    let before = workload.counts();
    pass(200);
    let after = workload.counts();
    let (runs, compiled) = (after.scripts - before.scripts, after.compiled - before.compiled);
    println!("\n{} scripts of {TENANTS} tenants, 32 runs in flight, {runs} runs after a warm-up", TENANTS * EACH);
    let machines = after.machines - before.machines;
    println!("compiled again {compiled}, machines made {machines}");
    let of_a_hundred = |part: u64| part as f64 * 100.0 / runs as f64;
    aim("virtual machines made for a hundred runs", of_a_hundred(machines), 0.0);
    aim_at_least("scripts found compiled, of a hundred", of_a_hundred(runs - compiled), 99.0);
}

/// More scripts than can be kept.
fn rotation() {
    const SCRIPTS: u32 = 10_000;
    const TENANTS: u32 = 100;
    let workload = Workload::new(THREADS);
    let before = memory("VmRSS:");
    for _ in 0..3 {
        workload.run_all((0..SCRIPTS).map(|n| Workload::handler(&format!("tenant-{}", n % TENANTS), n)));
    }
    let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    let counts = workload.counts();
    println!("\n{SCRIPTS} different scripts of {TENANTS} tenants, three times in rotation");
    println!("resident {before} MiB before, {now} MiB after, {peak} MiB at most; at most {MOST_MIB} MiB are allowed");
    println!("compiled {} of {}, machines made {}", counts.compiled, counts.scripts, counts.machines);
    aim("compiled scripts kept after all", counts.kept as f64, (THREADS * MACHINES * SCRIPTS_OF_ONE) as f64);
    aim("resident MiB at most, with 10 000 scripts in rotation", peak as f64, MOST_MIB as f64);
    assert!(peak <= MOST_MIB, "{peak} MiB");
}

/// A line of `/proc/self/status`, in MiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
