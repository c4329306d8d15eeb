//! Questions under way: whoever asks the same thing meanwhile waits for the same answer.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use tidegate_model::Error;

pub(super) type Answer<V> = BoxFuture<'static, Result<V, Error>>;

/// As many as there are callers who wait: nobody's leaving leaves one behind.
pub(super) struct Flights<K: Eq + Hash, V>(Mutex<Aloft<K, V>>);

struct Aloft<K, V> {
    flights: HashMap<K, Flight<V>>,
    begun: u64,
}

struct Flight<V> {
    number: u64,
    revision: u64,
    answer: WeakShared<Answer<V>>,
}

impl<K: Eq + Hash, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Aloft { flights: HashMap::new(), begun: 0 }))
    }
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Waits for the answer that is under way, or begins `ask`. One that began at another revision may have read what was true
    /// before the change that the caller knows of, so it is left alone. It is driven by those who wait, and ends when none does.
    pub(super) fn join(
        self: &Arc<Self>,
        key: K,
        revision: u64,
        ask: impl Future<Output = Result<V, Error>> + Send + 'static,
    ) -> Shared<Answer<V>> {
        let mut aloft = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The revision is compared first: a handle that was taken only to be dropped might be the last, and its end locks again.
        if let Some(flight) = aloft.flights.get(&key)
            && flight.revision == revision
            && let Some(answer) = flight.answer.upgrade()
        {
            return answer;
        }
        aloft.begun += 1;
        let number = aloft.begun;
        let landing = Landing { flights: Arc::clone(self), key: key.clone(), number };
        let answer = async move {
            let answer = ask.await;
            drop(landing);
            answer
        }
        .boxed()
        .shared();
        if let Some(handle) = answer.downgrade() {
            aloft.flights.insert(key, Flight { number, revision, answer: handle });
        }
        answer
    }
}

/// Strikes a flight off the list when it has its answer, and when everybody has left it.
struct Landing<K: Eq + Hash, V> {
    flights: Arc<Flights<K, V>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let mut aloft = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if aloft.flights.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            aloft.flights.remove(&self.key);
        }
    }
}
