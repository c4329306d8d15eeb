//! Starts the real binary and talks to it.

pub(crate) mod command;
