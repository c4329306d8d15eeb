//! From text to meaning, one value at a time.

use super::fault::Fault;
use super::keys::{self, Kind};
use super::layers::{Layers, said};
use super::print::without_password;

/// What is told of a value that may not be shown.
pub(super) const NOT_UNDERSTOOD: &str = "the value cannot be understood";

/// The values that hold, with the fault of one that cannot be understood.
pub(super) struct Values<'a>(pub(super) &'a Layers);

impl Values<'_> {
    /// A value that must be there.
    pub(super) fn required<T>(&self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        read(&self.0.get(name).text).ok_or_else(|| self.refused(name))
    }

    /// As [`Values::required`], where `read` tells what is wrong.
    pub(super) fn judged<T, E: Into<String>>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Fault> {
        let written = self.0.get(name);
        read(&written.text).map_err(|wrong| Fault::new(said(name, &written.origin), wrong, form(name)))
    }

    /// A value that may be left out; an empty text is nothing.
    pub(super) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let written = self.0.get(name);
        if written.text.is_empty() {
            return Ok(None);
        }
        read(&written.text).map(Some).ok_or_else(|| self.refused(name))
    }

    /// What a PEM file holds, where its path is given.
    pub(super) fn pem(&self, name: &'static str) -> Result<Option<Vec<u8>>, Fault> {
        let written = self.0.get(name);
        if written.text.is_empty() {
            return Ok(None);
        }
        let refused = |wrong: String| Fault::new(said(name, &written.origin), wrong, form(name));
        let bytes =
            std::fs::read(&written.text).map_err(|e| refused(format!("{} cannot be read: {e}", written.text)))?;
        if bytes.windows(11).any(|part| part == b"-----BEGIN ") {
            Ok(Some(bytes))
        } else {
            Err(refused(format!("{} is no PEM file", written.text)))
        }
    }

    /// The fault of a value that another one asks for.
    pub(super) fn missing(&self, name: &'static str, why: &str) -> Fault {
        Fault::new(said(name, &self.0.get(name).origin), format!("is missing: {why}"), form(name))
    }

    fn refused(&self, name: &'static str) -> Fault {
        let written = self.0.get(name);
        let shown = match keys::find(name).map(|key| key.kind) {
            Some(Kind::Plain) => format!("{:?} cannot be understood", without_password(&written.text)),
            _ => NOT_UNDERSTOOD.to_owned(),
        };
        Fault::new(said(name, &written.origin), shown, form(name))
    }
}

fn form(name: &str) -> &'static str {
    keys::find(name).map_or("another value", |key| key.form)
}
