//! Hostile scripts of our own, by name. The first line of each says what is expected of it; see `sandbox`.

mod control;
mod known;
mod references;
mod shared;
mod texts;
mod values;

/// All of them.
pub(crate) fn attacks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = [known::ALL, references::ALL, texts::ALL, control::ALL, values::ALL, shared::ALL];
    all.into_iter().flatten().copied()
}
