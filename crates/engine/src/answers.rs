//! Answers on their way back. To wake another thread for one costs as much as a short run, so those of short runs of the same Integration are
//! given together while more of it waits. Nobody waits longer because of somebody else's Integration.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tidegate_model::IntegrationId;
use tokio::sync::oneshot;

use crate::engine::Run;

/// Answers are kept back while the runs after the first of them took this long together at most.
pub(crate) const TOGETHER: Duration = Duration::from_micros(100);

/// So many at most: one more is not worth its wait.
const MOST: usize = 16;

/// The answers of one Lua thread that are kept back.
#[derive(Default)]
pub(crate) struct Answers {
    kept: RefCell<Vec<Answer>>,
    /// The Integration that they are of; others' are given at once.
    of: Cell<Option<IntegrationId>>,
    /// What the runs behind them took.
    took: Cell<Duration>,
}

/// What came of a run, and who waits for it.
pub(crate) struct Answer {
    pub(crate) reply: oneshot::Sender<Run>,
    pub(crate) run: Run,
}

impl Answers {
    /// Begins with a run of this Integration; what is kept of others is given. `None` is one whose answer is not kept.
    pub(crate) fn begin(&self, integration: Option<IntegrationId>) {
        if self.of.get() != integration {
            self.give();
            self.of.set(integration);
        }
    }

    /// Takes the answer of a run that took so long, to give it soon; at once where the run was not begun last.
    pub(crate) fn take(&self, answer: Answer, integration: Option<IntegrationId>, took: Duration) {
        let mut kept = self.kept.borrow_mut();
        kept.push(answer);
        self.took.set(self.took.get() + took);
        let is_enough = kept.len() >= MOST || self.took.get() > TOGETHER;
        drop(kept);
        if is_enough || integration.is_none() || self.of.get() != integration {
            self.give();
        }
    }

    /// Whether some are kept back.
    pub(crate) fn are_kept(&self) -> bool {
        !self.kept.borrow().is_empty()
    }

    /// Gives all that are kept, and keeps none back until the next run begins.
    pub(crate) fn give(&self) {
        self.of.set(None);
        self.took.set(Duration::ZERO);
        for Answer { reply, run } in self.kept.borrow_mut().drain(..) {
            // The caller may be gone; then nobody wants to know.
            let _ = reply.send(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_model::{Outcome, SkipReason};
    use uuid::Uuid;

    use super::*;

    fn answer() -> (Answer, oneshot::Receiver<Run>) {
        let (reply, waits) = oneshot::channel();
        (Answer { reply, run: Run::without_scripts(Outcome::Skipped(SkipReason::NotEnabled)) }, waits)
    }

    fn come(waits: &mut oneshot::Receiver<Run>) -> bool {
        waits.try_recv().is_ok()
    }

    fn integrations() -> [Option<IntegrationId>; 2] {
        [1, 2].map(|n| Some(IntegrationId(Uuid::from_u128(n))))
    }

    #[test]
    fn answers_of_short_runs_of_one_integration_are_given_together() {
        let (answers, short) = (Answers::default(), Duration::from_micros(10));
        let [one, other] = integrations();
        let take = |of, took| {
            let (answer, waits) = answer();
            answers.begin(of);
            answers.take(answer, of, took);
            waits
        };
        let mut first = take(one, short);
        let mut second = take(one, short);
        assert!(!come(&mut first) && !come(&mut second) && answers.are_kept());
        // Somebody else's run does not keep them waiting.
        answers.begin(other);
        assert!(come(&mut second) && come(&mut first) && !answers.are_kept());
        // Nor does a long one of the same.
        let mut third = take(other, short);
        let mut fourth = take(other, TOGETHER);
        assert!(come(&mut fourth) && come(&mut third));
        // Nor too many.
        let mut many: Vec<_> = (0..MOST).map(|_| take(one, Duration::ZERO)).collect();
        assert!(many.iter_mut().rev().all(come));
        assert!(come(&mut take(None, short)));
    }

    #[test]
    fn the_answer_of_a_run_that_waited_in_between_is_given_at_once() {
        let answers = Answers::default();
        let [one, other] = integrations();
        answers.begin(one);
        answers.give();
        let (late, mut waits) = answer();
        answers.take(late, one, Duration::ZERO);
        assert!(come(&mut waits));
        answers.begin(other);
        let (late, mut waits) = answer();
        answers.take(late, one, Duration::ZERO);
        assert!(come(&mut waits));
    }
}
