//! Tidegate from the outside: the real binary, through HTTP and the command line.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "tests read where the servers are, and their callers end with the test")]

mod administrators;
mod bad_input;
mod browser;
mod bus;
mod calls;
mod clients;
mod clocks;
mod config;
mod credentials;
mod days;
mod events;
mod faults;
mod gateways;
mod harness;
mod hostile;
mod interfaces;
mod meeting;
mod operator;
mod orphans;
mod orphans_by_step;
mod owners;
mod process;
mod proxies;
mod records;
mod repeats;
mod services;
mod settings;
mod standard_client;
mod starting;
mod story;
mod tls;
mod trials;
mod walls;
