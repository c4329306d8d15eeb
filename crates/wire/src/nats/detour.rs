//! When a log is read around the client library.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long after such a message the way around is kept to: who publishes one publishes more, and each that the broker delivers costs the connection, which
/// everything in this process shares.
const STAY: Duration = Duration::from_mins(10);

/// Whether messages are to be asked for one by one, because of one that cannot be delivered.
#[derive(Default)]
pub(super) struct Detour(Mutex<Way>);

#[derive(Clone, Copy, Default)]
enum Way {
    #[default]
    Straight,
    /// What was asked for did not come; that can have other reasons too.
    Doubtful,
    /// Such a message was met, the last one then.
    Around(Instant),
}

impl Detour {
    /// What was to be delivered did not come.
    pub(super) fn doubt(&self) {
        let mut way = self.way();
        if matches!(*way, Way::Straight) {
            *way = Way::Doubtful;
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        let mut way = self.way();
        if matches!(*way, Way::Around(met) if met.elapsed() >= STAY) {
            *way = Way::Straight;
        }
        !matches!(*way, Way::Straight)
    }

    /// A message was met that cannot be delivered. Whether that is news.
    pub(super) fn met(&self) -> bool {
        let before = std::mem::replace(&mut *self.way(), Way::Around(Instant::now()));
        !matches!(before, Way::Around(_))
    }

    /// Nothing was found that cannot be delivered.
    pub(super) fn found_nothing(&self) {
        let mut way = self.way();
        if matches!(*way, Way::Doubtful) {
            *way = Way::Straight;
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_way_around_is_left_when_nothing_was_in_the_way_or_for_a_while() {
        let detour = Detour::default();
        assert!(!detour.is_taken());
        detour.doubt();
        assert!(detour.is_taken());
        detour.found_nothing();
        assert!(!detour.is_taken());
        detour.doubt();
        assert!(detour.met());
        assert!(!detour.met());
        detour.doubt();
        detour.found_nothing();
        assert!(detour.is_taken());
        tokio::time::advance(STAY / 2).await;
        assert!(!detour.met());
        tokio::time::advance(STAY / 2).await;
        assert!(detour.is_taken());
        tokio::time::advance(STAY / 2).await;
        assert!(!detour.is_taken());
    }
}
