//! Remembering, in PostgreSQL or SQLite.

pub mod contract;
mod seal;

pub use contract::Store;
pub use seal::Sealer;
