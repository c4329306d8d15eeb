//! That something is away is said now and then, and not with every call that it refuses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines about the same thing.
const SILENCE: Duration = Duration::from_secs(5);

/// What was away, and when it was said last.
#[derive(Default)]
pub(crate) struct Away(Mutex<HashMap<&'static str, Said>>);

struct Said {
    at: Instant,
    calls: u64,
}

impl Away {
    /// A call was refused because of `what`: if that is worth a line, how many calls were since the last one, this one among them.
    pub(crate) fn refused(&self, what: &'static str) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(said) = all.get_mut(what) else {
            all.insert(what, Said { at: Instant::now(), calls: 0 });
            return Some(1);
        };
        said.calls += 1;
        if said.at.elapsed() < SILENCE {
            return None;
        }
        said.at = Instant::now();
        Some(std::mem::take(&mut said.calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_thing_is_said_at_once_and_then_with_how_many_calls_it_met() {
        let away = Away::default();
        assert_eq!(
            [away.refused("a"), away.refused("a"), away.refused("b"), away.refused("a")],
            [Some(1), None, Some(1), None]
        );
        tokio::time::advance(SILENCE).await;
        assert_eq!([away.refused("a"), away.refused("a"), away.refused("b")], [Some(3), None, Some(1)]);
    }
}
