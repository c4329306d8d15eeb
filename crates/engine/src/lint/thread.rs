//! Where scripts are linted: on threads of their own, with a deep stack, few at a time and with little patience.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tidegate_model::contract::ScriptWarning;
use tokio::sync::{Semaphore, oneshot};

use super::{not_linted, warnings};

/// What the deepest script that is linted needs, several times over. Only what is used of it is ever touched.
const STACK: usize = 64 << 20;

/// How many scripts are linted at once: the others of these machines have better things to do.
const AT_ONCE: usize = 2;

/// Who waits longer, for a turn or for the end, does without.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lints scripts.
#[derive(Clone, Debug)]
pub(crate) struct Linter {
    turns: Arc<Semaphore>,
    known: Arc<OnceLock<HashSet<String>>>,
}

impl Default for Linter {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), known: Arc::default() }
    }
}

impl Linter {
    /// The warnings of a script that compiles. One that takes too long goes on alone, on its turn.
    pub(crate) async fn warnings(&self, source: &str) -> Vec<ScriptWarning> {
        let busy = || vec![not_linted("there was no time for it")];
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return busy() };
        let (done, answer) = oneshot::channel();
        let (source, known) = (source.to_owned(), Arc::clone(&self.known));
        let thread = std::thread::Builder::new().name("lint".to_owned()).stack_size(STACK).spawn(move || {
            let _turn = turn;
            // Whoever asked may have lost patience.
            let _ = done.send(warnings(&source, known.get_or_init(crate::sandbox::known_names)));
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread to lint a script");
            return busy();
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(warnings)) => warnings,
            // It panicked: a fault of the linter, not of the script.
            Ok(Err(_)) => vec![not_linted("the linter does not understand it")],
            Err(_) => busy(),
        }
    }
}
