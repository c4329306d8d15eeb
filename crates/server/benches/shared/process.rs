//! Processes under load, and what they and the machine have used.

use std::process::{Child, Command};
use std::time::Duration;

/// A process that is measured; it ends when this is dropped.
pub(crate) struct Measured(Child);

impl Measured {
    /// Takes hold of a process that was started.
    pub(crate) fn new(process: Child) -> Self {
        Self(process)
    }

    /// Asks it to stop, and waits, unless it has ended.
    fn stop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }

    /// What it and its children have used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        self.family().iter().filter_map(|id| used(*id)).sum()
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

/// What all processors together have done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Machine {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
}

impl Machine {
    /// Since it was started.
    pub(crate) fn so_far() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        let all: Vec<u64> = stat.lines().next().unwrap().split_whitespace().filter_map(|n| n.parse().ok()).collect();
        // User, nice, system, idle, waiting for the disk, interrupts, soft interrupts; what others take away is neither.
        let of = |places: &[usize]| ticks(places.iter().filter_map(|place| all.get(*place)).sum());
        Self { busy: of(&[0, 1, 2, 5, 6]), idle: of(&[3, 4]) }
    }
}

/// What this process has used so far.
pub(crate) fn own_processor_time() -> Duration {
    used(std::process::id()).unwrap_or_default()
}

/// Of user and kernel.
fn used(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold spaces; what follows it may not.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(ticks(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?))
}

/// The unit of /proc is a hundredth of a second on every Linux of today.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}

fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}
