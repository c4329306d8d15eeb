//! The gateway through its route, with the real engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod bodies;
mod calls;
#[path = "../../../model/tests/shared/captured.rs"]
mod captured;
mod failing;
mod harness;
mod limits;
mod logs;
mod memory_repeats;
mod neighbours;
mod proxies;
mod rates;
mod records;
mod repeats;
#[path = "../../../model/tests/contract/repeats.rs"]
mod repeats_suite;
mod signatures;
mod status;
