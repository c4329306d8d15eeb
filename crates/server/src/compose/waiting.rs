//! What a process needs is not there yet when it starts: it is waited for, so that processes may be started in any order.

use std::fmt::Display;
use std::time::Duration;

use tidegate_wire::with_causes;
use tokio::sync::Notify;
use tokio::time::Instant;

/// After this a process ends, so that somebody looks at it: its supervisor starts it again.
const PATIENCE: Duration = Duration::from_mins(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How often it is said what is waited for; the first time, and of a cause that is not the one before, sooner.
const AGAIN: Duration = Duration::from_mins(1);
const ANOTHER: Duration = Duration::from_secs(5);

/// Whether something is waited for.
#[derive(Default)]
pub(crate) struct Waiting {
    begun: Notify,
}

impl Waiting {
    /// Returns once something is waited for.
    pub(crate) async fn begun(&self) {
        self.begun.notified().await;
    }

    /// Tries until it is there, something else is wrong with it, or this has gone on for too long.
    pub(super) async fn for_it<T, E: std::error::Error, F>(
        &self,
        what: impl Display,
        reach: impl Fn() -> F,
        may_pass: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let began = Instant::now();
        let mut said = Said::default();
        loop {
            match reach().await {
                Err(fault) if may_pass(&fault) && began.elapsed() < PATIENCE => {
                    self.begun.notify_one();
                    said.say(&what, with_causes(&fault));
                    tokio::time::sleep(PAUSE).await;
                }
                done => {
                    if said.last.is_some() && done.is_ok() {
                        tracing::info!(%what, "it is there");
                    }
                    return done;
                }
            }
        }
    }
}

/// What was said of one thing that is waited for.
#[derive(Default)]
struct Said {
    last: Option<(Instant, String)>,
    has_warned: bool,
}

impl Said {
    /// Where all begin at one moment somebody waits for somebody: that is worth a warning after a while.
    fn say(&mut self, what: impl Display, cause: String) {
        match &self.last {
            None => tracing::info!(%what, cause, "it is waited for"),
            Some((at, before)) => {
                let pause = if self.has_warned && *before == cause { AGAIN } else { ANOTHER };
                if at.elapsed() < pause {
                    return;
                }
                tracing::warn!(%what, cause, "it is waited for");
                self.has_warned = true;
            }
        }
        self.last = Some((Instant::now(), cause));
    }
}
