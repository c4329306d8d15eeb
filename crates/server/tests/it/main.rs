//! Tidegate from the outside: the real binary, through HTTP and the command line.

mod bad_input;
mod config;
mod crash;
mod events;
mod harness;
mod process;
mod settings;
mod story;
