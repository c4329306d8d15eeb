//! Who goes on next on a Lua thread. What is new goes first, so that a short run waits for one slice of a long one at most, however many
//! of those there are; but those whose turn was over are not forgotten either.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};

/// What is new may take this long before somebody who waits has a turn again.
const SHARE: Duration = Duration::from_millis(5);

/// The runs of a thread whose turn was over.
#[derive(Debug)]
pub(crate) struct Turns {
    gate: Semaphore,
    waiting: Cell<usize>,
    wanted: Notify,
    /// When somebody who waited last had a turn, or nobody waited.
    given: Cell<Instant>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let given = Cell::new(Instant::now());
        Self { gate: Semaphore::const_new(0), waiting: Cell::default(), wanted: Notify::const_new(), given }
    }

    /// Waits for another turn, first come, first served.
    pub(crate) async fn wait(&self) {
        let _waiting = Waiting::new(self);
        self.wanted.notify_one();
        // Never closed.
        if let Ok(turn) = self.gate.acquire().await {
            turn.forget();
        }
    }

    /// Waits until somebody waits.
    pub(crate) async fn wanted(&self) {
        while self.waiting.get() == 0 {
            self.wanted.notified().await;
        }
    }

    /// Whether what is new goes first.
    pub(crate) fn begin_with_new(&self) -> bool {
        if self.waiting.get() == 0 {
            return true;
        }
        self.given.get().elapsed() < SHARE
    }

    /// Gives the one that waited longest a turn.
    pub(crate) async fn give(&self) {
        self.gate.add_permits(1);
        tokio::task::yield_now().await;
        self.given.set(Instant::now());
    }
}

/// One that waits, until dropped.
struct Waiting<'a>(&'a Turns);

impl<'a> Waiting<'a> {
    fn new(turns: &'a Turns) -> Self {
        if turns.waiting.replace(turns.waiting.get() + 1) == 0 {
            turns.given.set(Instant::now());
        }
        Self(turns)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn turns_are_given_in_the_order_of_asking_and_to_nobody_who_has_gone() {
        let (turns, had) = (Turns::new(), RefCell::new(Vec::new()));
        let asks = |number| {
            let (turns, had) = (&turns, &had);
            async move {
                turns.wait().await;
                had.borrow_mut().push(number);
            }
            .fuse()
        };
        let (mut first, mut second, mut third) = (Box::pin(asks(1)), Box::pin(asks(2)), Box::pin(asks(3)));
        for asked in [&mut first, &mut second, &mut third] {
            assert!(futures::poll!(asked.as_mut()).is_pending());
        }
        turns.wanted().await;
        drop(first);
        for _ in 0..2 {
            turns.give().await;
            let _ = futures::poll!(third.as_mut());
            let _ = futures::poll!(second.as_mut());
        }
        assert_eq!(*had.borrow(), [2, 3]);
        assert!(turns.begin_with_new());
    }
}
