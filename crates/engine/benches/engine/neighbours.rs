//! What honest runs notice of hostile ones of other tenants, on one Lua thread that all of them share.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::Runnable;

use crate::workload::Workload;

const RUNS: usize = 400;

/// Each goes on until a limit stops it, and then comes again.
const HOSTILE: [(&str, &str); 6] = [
    ("a loop", "while true do end"),
    ("a loop of pcalls", "while true do pcall(function() while true do end end) end"),
    ("a pattern", "local s = string.rep('a', 1e5) while true do s:find('.-.-.-b') end"),
    ("a loop of json.decode", "local s = '[' .. string.rep('1,', 1e5) .. '1]' while true do json.decode(s) end"),
    ("a coroutine", "coroutine.wrap(function() while true do end end)()"),
    ("a comparator", "table.sort({ 2, 1 }, function() while true do end end)"),
];

pub(crate) fn print() {
    let workload = Workload::new(1);
    let honest = Workload::handler("honest", 0);
    let hogs: Vec<_> =
        HOSTILE.iter().enumerate().map(|(n, (_, source))| Workload::script(&format!("hog-{n}"), source)).collect();
    println!("\nthe handler on one Lua thread, ms by the clock, {RUNS} runs one after the other");
    let mut alone = None;
    let mut line = |beside: &str, hogs: &[Arc<Runnable>]| {
        let mut took = workload.beside(hogs, &honest, RUNS);
        took.sort();
        let of = |place: usize| ms(took[(took.len() - 1) * place / 100]);
        let alone = *alone.get_or_insert(of(50));
        let (median, slow) = (of(50), of(99));
        println!(
            "beside {beside:<36} median {median:>7.2} ({:>5.1} times as long), 99 of 100 {slow:>7.2}",
            median / alone
        );
    };
    line("nobody", &[]);
    for (n, (name, _)) in HOSTILE.iter().enumerate() {
        line(name, &hogs[n..=n]);
    }
    line("four of the first at once", &[&hogs[0], &hogs[1], &hogs[0], &hogs[1]].map(Arc::clone));
    line("all of them at once", &hogs);
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
