//! One suite over every store: SQLite in memory, SQLite in a file, PostgreSQL.

mod clients;
mod harness;
mod samples;
mod systems;
