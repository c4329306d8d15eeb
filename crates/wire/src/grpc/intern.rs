//! Names that errors hold as `&'static str`, read back from the wire.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// More names than the vocabulary has; past it something is wrong with the peer, and memory stays bounded.
const MAX_NAMES: usize = 256;
const MAX_LENGTH: usize = 200;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The one static copy of `name`; `fallback` when there are too many, or it is too long to be a name.
///
/// The names are the nouns and phrases of the code at the other end, a closed set, so each is leaked once.
pub(crate) fn intern(name: &str, fallback: &'static str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if name.is_empty() || name.len() > MAX_LENGTH || names.len() >= MAX_NAMES {
        return fallback;
    }
    let leaked: &'static str = Box::leak(name.into());
    names.insert(leaked);
    leaked
}
