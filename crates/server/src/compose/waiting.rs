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

/// How often it is said what is waited for; of a cause that is not the one before, sooner.
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
        let mut said: Option<(Instant, String)> = None;
        loop {
            match reach().await {
                Err(fault) if may_pass(&fault) && began.elapsed() < PATIENCE => {
                    self.begun.notify_one();
                    let cause = with_causes(&fault);
                    let is_news = |(at, before): &(Instant, String)| {
                        at.elapsed() >= if *before == cause { AGAIN } else { ANOTHER }
                    };
                    if said.as_ref().is_none_or(is_news) {
                        tracing::warn!(%what, cause, "it is waited for");
                        said = Some((Instant::now(), cause));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                done => {
                    if said.is_some() && done.is_ok() {
                        tracing::info!(%what, "it is there");
                    }
                    return done;
                }
            }
        }
    }
}
