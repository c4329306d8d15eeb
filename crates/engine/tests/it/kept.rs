//! What is kept from one run to the next: machines and compiled scripts, and nothing else.

use std::sync::Arc;

use tidegate_engine::{Counts, Options};

use crate::harness::{Memory, call, engine_with, incoming, succeeded};

#[tokio::test]
async fn a_script_that_ran_before_is_not_compiled_again() {
    let engine = engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()));
    let (one, other) = (Arc::new(incoming("return {}")), Arc::new(incoming("return { other = true }")));
    for definition in [&one, &other, &one, &other] {
        succeeded(&engine.run_incoming(definition, &call("{}")).await);
    }
    assert_eq!(engine.counts(), Counts { scripts: 4, compiled: 2, machines: 1 });
}
