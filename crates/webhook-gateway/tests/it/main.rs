//! The gateway through its route, with the real engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod bodies;
mod calls;
mod failing;
mod harness;
mod limits;
mod logs;
mod neighbours;
mod proxies;
mod rates;
mod records;
mod signatures;
mod status;
