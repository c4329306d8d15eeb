//! What is kept from one run to the next: machines and compiled scripts, and nothing else.

use std::sync::Arc;

use tidegate_engine::{Counts, Engine, Options};
use tidegate_model::Runnable;

use crate::harness::{Definition, Memory, call, engine_with, incoming, succeeded};

fn one_thread() -> Engine {
    engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()))
}

fn scripts(count: usize) -> Vec<Arc<Runnable>> {
    (0..count).map(|n| Arc::new(incoming(&format!("return {{ n = {n} }}")))).collect()
}

async fn run_all(engine: &Engine, all: impl IntoIterator<Item = &Arc<Runnable>>) {
    for definition in all {
        succeeded(&engine.run_incoming(definition, &call("{}")).await);
    }
}

/// How many scripts of the runs between two counts were found compiled, of 1 000.
fn found(before: Counts, after: Counts) -> u64 {
    let runs = after.scripts - before.scripts;
    (runs - (after.compiled - before.compiled)) * 1000 / runs
}

#[tokio::test]
async fn a_script_that_ran_before_is_not_compiled_again() {
    let engine = one_thread();
    let all = scripts(2);
    run_all(&engine, all.iter().chain(&all)).await;
    assert_eq!(engine.counts(), Counts { scripts: 4, compiled: 2, machines: 1, kept: 2 });
}

#[tokio::test]
async fn two_hundred_scripts_of_one_tenant_are_found_compiled_in_the_steady_state() {
    let engine = one_thread();
    let all = scripts(200);
    run_all(&engine, &all).await;
    let before = engine.counts();
    for _ in 0..5 {
        run_all(&engine, &all).await;
    }
    assert_eq!(found(before, engine.counts()), 1000, "{:?}", engine.counts());
}

#[tokio::test]
async fn scripts_that_are_in_use_stay_while_others_come_and_go() {
    let engine = one_thread();
    let (daily, rare) = (scripts(100), scripts(1000));
    run_all(&engine, &daily).await;
    for some in rare.chunks(20) {
        let before = engine.counts();
        run_all(&engine, &daily).await;
        assert_eq!(found(before, engine.counts()), 1000);
        run_all(&engine, some).await;
    }
    assert_eq!(engine.counts().compiled, 1100);
}

#[tokio::test]
async fn large_scripts_are_kept_too_and_do_not_cost_the_machine() {
    let engine = one_thread();
    let long = format!("local t = {{}}\n{}return {{}}", "t.a = { 1, 'x' }\n".repeat(5000));
    let all = [&long, &long].map(|source| Arc::new(incoming(source)));
    run_all(&engine, (0..10).flat_map(|_| &all)).await;
    let counts = engine.counts();
    assert_eq!((counts.compiled, counts.machines), (2, 1), "{counts:?}");
}

#[tokio::test]
async fn ten_thousand_scripts_in_rotation_leave_a_bounded_number_behind() {
    let engine = engine_with(Options { threads: 1, idle_machines: 4, ..Options::default() }, Arc::default());
    let mut most = 0;
    for n in 0..10_000 {
        let definition = incoming(&format!("return {{ n = {n} }}")).of(&format!("t{}", n % 8));
        run_all(&engine, &[Arc::new(definition)]).await;
        most = most.max(engine.counts().kept);
    }
    assert!(most <= 4 * 256, "{most}");
    engine.stop().await;
    assert_eq!(engine.counts().kept, 0, "{:?}", engine.counts());
}
