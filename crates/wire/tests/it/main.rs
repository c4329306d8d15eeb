//! The contracts, over every end that this crate gives them; the broker is a real one, and so are the sockets.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod aside;
mod authority;
mod by_hand;
mod cache;
#[path = "../../../model/tests/shared/captured.rs"]
mod captured;
mod consumer;
mod entrance;
mod event_log;
mod harness;
mod lines;
mod memory;
mod notices;
mod objects;
mod odd_messages;
mod odd_records;
mod peer;
mod proof;
mod records;
mod registry;
mod repeats;
#[path = "../../../model/tests/contract/repeats.rs"]
mod repeats_suite;
mod streams;
mod vault;
