//! The pure rules, through the crate's public face.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod changes;
mod cloud_events;
mod credentials;
mod enabling;
mod ids;
mod json;
mod schemas;
mod signatures;
mod time;
