//! What is said once and not with every call: that something does not work, why, and that it works again.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So long nothing new is said: what comes and goes with every call says no more than two lines in this time.
const SILENCE: Duration = Duration::from_secs(5);

/// How something stands, for all who use it.
#[derive(Default)]
pub(crate) struct Standing(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// What was said last, while it did not work.
    cause: Option<String>,
    said_at: Option<Instant>,
}

impl Standing {
    /// It did not work: the cause, if that is worth a line.
    pub(crate) fn fails(&self, cause: impl Display) -> Option<String> {
        let cause = cause.to_string();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_said = known.cause.as_ref() == Some(&cause);
        if was_said || known.said_at.is_some_and(|at| at.elapsed() < SILENCE) {
            return None;
        }
        *known = Known { cause: Some(cause.clone()), said_at: Some(Instant::now()) };
        Some(cause)
    }

    /// It works: whether it was said that it does not.
    pub(crate) fn works(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cause.take().is_some()
    }
}

/// An error with what caused it, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    // Some errors say what their sources say.
    texts.dedup_by(|later, earlier| earlier.contains(later.as_str()));
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_is_said_once_and_one_that_changes_all_the_time_now_and_then() {
        let standing = Standing::default();
        assert!(!standing.works());
        assert_eq!(standing.fails("full").as_deref(), Some("full"));
        assert_eq!(standing.fails("full"), None);
        assert_eq!(standing.fails("away"), None, "just now something was said");
        assert!(standing.works());
        assert!(!standing.works());
        assert_eq!(standing.fails("full"), None);
        assert!(!standing.works(), "nobody was told that it failed again");
        tokio::time::advance(SILENCE).await;
        assert_eq!(standing.fails("full").as_deref(), Some("full"));
        tokio::time::advance(SILENCE).await;
        assert_eq!(standing.fails("full"), None, "that is known");
        assert_eq!(standing.fails("away").as_deref(), Some("away"));
        assert!(standing.works());
    }
}
