//! What honest runs notice of hostile ones of other tenants, on one Lua thread that all of them share.

use std::sync::Arc;
use std::time::Duration;

use crate::workload::Workload;

const RUNS: usize = 400;

/// Each goes on until a limit stops it, and then comes again.
const HOSTILE: [&str; 4] = [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local s = string.rep('a', 1e5) while true do s:find('.-.-.-b') end",
    "local s = '[' .. string.rep('1,', 1e5) .. '1]' while true do json.decode(s) end",
];

pub(crate) fn print() {
    let workload = Workload::new(1);
    let honest = Workload::handler("honest", 0);
    let hogs: Vec<_> = (0..4).map(|n| Workload::script(&format!("hog-{n}"), HOSTILE[n])).collect();
    println!("\nthe handler on one Lua thread, ms by the clock, {RUNS} runs one after the other");
    for count in 0..=hogs.len() {
        let mut took = workload.beside(&hogs[..count], &Arc::clone(&honest), RUNS);
        took.sort();
        let of = |place: usize| ms(took[(took.len() - 1) * place / 100]);
        println!("beside {count} endless scripts of others: median {:>7.2}, 99 of 100 {:>7.2}", of(50), of(99));
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
