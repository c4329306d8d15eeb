//! Remembering, in PostgreSQL or SQLite.

/// Names statements, and lists them for the test that prepares each one on both databases.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $text:expr;)*) => {
        $(const $name: &str = $text;)*

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

mod body;
mod codec;
pub mod contract;
mod fault;
mod lite;
mod open;
mod pg;
mod recorder;
mod schema;
mod seal;
mod url;

pub use contract::Store;
pub use open::{OpenError, Opened, Options, migrate, open};
pub use seal::Sealer;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
