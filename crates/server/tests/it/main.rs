//! Tidegate from the outside: the real binary, through HTTP and the command line.

mod config;
mod harness;
