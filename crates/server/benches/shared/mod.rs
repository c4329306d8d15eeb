//! What the benches of the whole binary have in common: Tidegate under load, what it stands on, and what is said of an aim.

pub(crate) mod asked;
pub(crate) mod client;
pub(crate) mod ground;
mod part;
pub(crate) mod process;
pub(crate) mod tidegate;

use std::net::TcpListener;
use std::time::Duration;

/// Prints an aim, what was found, and whether it was kept.
pub(crate) fn at_most(what: &str, found: f64, most: f64) {
    told(found <= most, &format!("{what}: at most {most}, found {found:.2}"));
}

/// As [`at_most`], for what is to be at least so much.
pub(crate) fn at_least(what: &str, found: f64, least: f64) {
    told(found >= least, &format!("{what}: at least {least}, found {found:.2}"));
}

fn told(kept: bool, what: &str) {
    println!("AIM {}: {what}", if kept { "kept" } else { "MISSED" });
}

/// Ports that nobody listens at, each another one.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let held: [TcpListener; COUNT] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// Asks until there is an answer, for a minute.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("never happened: {what}")
}

/// The value that this share of all does not exceed.
pub(crate) fn share_of(sorted: &[f64], share: f64) -> f64 {
    let place = as_float(sorted.len().saturating_sub(1)) * share;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among them")]
    sorted.get(place as usize).copied().unwrap_or_default()
}

/// The one in the middle of them; nothing, where there are none.
pub(crate) fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "exact for as many as there are")]
pub(crate) fn as_float(number: usize) -> f64 {
    number as f64
}
