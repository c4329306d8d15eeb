//! What the benches of the whole binary have in common: processes under load, and what is said of an aim.

use std::process::{Child, Command};
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

/// A process that is measured; it ends when this is dropped.
pub(crate) struct Measured(Child);

impl Measured {
    /// Takes hold of a process that was started.
    pub(crate) fn new(process: Child) -> Self {
        Self(process)
    }

    /// Asks it to stop, and waits, unless it has ended.
    pub(crate) fn stop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }

    /// What it and its children have used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        let ticks: u64 = self.family().iter().filter_map(|id| ticks(*id)).sum();
        // The unit of /proc is a hundredth of a second on every Linux of today.
        Duration::from_millis(ticks * 10)
    }

    /// The most that it and its children have held at once, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.family().iter().filter_map(|id| peak(*id)).sum()
    }

    fn family(&self) -> Vec<u32> {
        let own = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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

#[expect(clippy::cast_precision_loss, reason = "exact for as many as there are")]
pub(crate) fn as_float(number: usize) -> f64 {
    number as f64
}

/// Of user and kernel, in the unit of /proc.
fn ticks(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold spaces; what follows it may not.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}
