//! How well machines and compiled scripts are kept, and in how much memory.

use crate::workload::Workload;

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
    println!("compiled again {compiled}, machines made {}", after.machines - before.machines);
    println!("hit rate of the compile cache {} of 10 000", (runs - compiled) * 10_000 / runs);
}

/// More scripts than can be kept.
fn rotation() {
    const SCRIPTS: u32 = 10_000;
    const TENANTS: u32 = 100;
    let workload = Workload::new(2);
    let before = memory("VmRSS:");
    for _ in 0..3 {
        workload.run_all((0..SCRIPTS).map(|n| Workload::handler(&format!("tenant-{}", n % TENANTS), n)));
    }
    let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    let counts = workload.counts();
    println!("\n{SCRIPTS} different scripts of {TENANTS} tenants, three times in rotation");
    println!("resident {before} MiB before, {now} MiB after, {peak} MiB at most; at most {MOST_MIB} MiB are allowed");
    println!("compiled {} of {}, machines made {}", counts.compiled, counts.scripts, counts.machines);
    assert!(peak <= MOST_MIB, "{peak} MiB");
}

/// A line of `/proc/self/status`, in MiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
