//! What a person asked for, on standard output; log lines go to standard error.

use std::fmt;
use std::io::{self, Write as _};

use anyhow::Context as _;

/// Says a line as `println!` does, but fails where that panics.
macro_rules! tell {
    ($($line:tt)*) => {
        $crate::tell::line(format_args!($($line)*))
    };
}
pub(crate) use tell;

/// Writes a line. Whoever has gone has read enough: that is no failure.
pub(crate) fn line(line: fmt::Arguments<'_>) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(gone) if gone.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}
