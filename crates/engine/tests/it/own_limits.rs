//! The limits that an Integration sets for its own scripts.

use std::sync::Arc;

use tidegate_engine::Options;
use tidegate_model::{RunBounds, RunLimits, Runnable};

use crate::harness::{Definition, call, engine, engine_with, failed, incoming, succeeded};

fn limited(mut runnable: Runnable, limits: RunLimits) -> Arc<Runnable> {
    runnable.integration.settings.limits = limits;
    Arc::new(runnable)
}

#[tokio::test]
async fn each_limit_is_the_integrations_own_and_the_error_names_it() {
    let engine = engine();
    let none = RunLimits::default();
    let endless = "while true do end";
    let large = "local t = {} for i = 1, 400000 do t[i] = { i } end return {}";
    let cases = [
        (incoming(endless), RunLimits { core_cpu_ms: Some(20), ..none }, "CPU time limit reached (20 ms)"),
        (
            incoming("return {}").enabled_by(endless),
            RunLimits { enable_cpu_ms: Some(7), ..none },
            "CPU time limit reached (7 ms)",
        ),
        (
            incoming(large),
            RunLimits { memory_mib: Some(8), core_cpu_ms: Some(1_000), ..none },
            "memory limit reached (8 MiB)",
        ),
        (
            incoming("http.request({ url = 'http://10.0.0.1/' }) return {}"),
            RunLimits { http_calls: Some(0), ..none },
            "HTTP call limit reached (0 calls)",
        ),
    ];
    for (runnable, limits, names) in cases {
        let done = engine.run_incoming(&limited(runnable, limits), &call("{}")).await;
        let message = failed(&done).message.clone();
        assert!(message.contains(names), "{message}");
    }
}

#[tokio::test]
async fn a_larger_limit_lets_through_what_the_default_stops() {
    let engine = engine();
    let large = "local t = {} for i = 1, 600000 do t[i] = { i } end return {}";
    let generous = RunLimits { memory_mib: Some(128), core_cpu_ms: Some(1_000), ..RunLimits::default() };
    let done = engine.run_incoming(&limited(incoming(large), RunLimits::default()), &call("{}")).await;
    failed(&done);
    let done = engine.run_incoming(&limited(incoming(large), generous), &call("{}")).await;
    succeeded(&done);
}

#[tokio::test]
async fn the_operators_bound_holds_whatever_was_saved() {
    let bounds = RunBounds { cpu_ms: 15, ..RunBounds::default() };
    let engine = engine_with(Options { bounds, ..Options::default() }, Arc::default());
    let saved_before = RunLimits { core_cpu_ms: Some(60_000), ..RunLimits::default() };
    let done = engine.run_incoming(&limited(incoming("while true do end"), saved_before), &call("{}")).await;
    assert!(failed(&done).message.contains("CPU time limit reached (15 ms)"), "{:?}", done.outcome);
}
