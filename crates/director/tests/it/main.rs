//! The director through its HTTP faces, over SQLite in memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod applications;
mod aside;
mod audit;
mod client_secrets;
mod comparison;
mod compatibility;
mod credentials;
mod deleted;
mod desk;
mod events;
mod executions;
mod faces;
mod grpc;
mod integration_systems;
mod integrations;
mod interfaces;
mod logics;
mod matrix;
mod objects;
mod outgoing;
mod paging;
mod relay;
mod replays;
mod requests;
mod schema;
mod schemas;
mod scopes;
mod scripts;
mod settings;
mod signatures;
#[path = "../../../storage/tests/shared/steps.rs"]
#[expect(dead_code, reason = "nothing is stopped at here")]
mod steps;
mod tenants;
mod transactions;
mod trial_calls;
mod trials;
mod trials_over_grpc;
mod walk;
mod working;
