//! One suite over every store: SQLite in memory, SQLite in a file, PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod aside;
mod audit;
mod clients;
mod credentials;
mod days;
mod deliveries;
mod executions;
mod faults;
mod harness;
mod housekeeping;
mod intake;
mod integrations;
mod local_log;
mod logics;
mod objects;
mod opening;
mod ordering;
mod orphans;
mod outbox;
mod parity;
mod pauses;
mod recorder;
mod repeats;
#[path = "../../../model/tests/contract/repeats.rs"]
mod repeats_suite;
mod replays;
mod samples;
mod sessions;
mod silence;
mod survival;
mod systems;
mod upgrade;
mod walls;
