//! What is held of one kind of question.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use futures::future::Shared;
use quick_cache::sync::Cache;
use tidegate_model::{Error, Timestamp};

use super::flights::{Answer, Flights};

/// An answer, and when it was true.
#[derive(Clone)]
pub(super) struct Entry<V> {
    pub(super) value: V,
    /// Of the notices, before it was asked for.
    pub(super) revision: u64,
    /// Before it was asked for.
    pub(super) read_at: Timestamp,
}

/// Answers by key; those that say "there is none" in a room of their own.
pub(super) struct Shelf<K: Eq + Hash, V> {
    present: Cache<K, Entry<V>>,
    absent: Cache<K, Entry<V>>,
    is_absence: fn(&V) -> bool,
    flights: Arc<Flights<K, V>>,
}

impl<K, V> Shelf<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(entries: usize, absences: usize, is_absence: fn(&V) -> bool) -> Arc<Self> {
        Arc::new(Self {
            present: Cache::new(entries),
            absent: Cache::new(absences),
            is_absence,
            flights: Arc::new(Flights::default()),
        })
    }

    pub(super) fn is_absence(&self, value: &V) -> bool {
        (self.is_absence)(value)
    }

    pub(super) fn get(&self, key: &K) -> Option<Entry<V>> {
        self.present.get(key).or_else(|| self.absent.get(key))
    }

    /// Asks, together with whoever asks the same at the same revision, and keeps the answer.
    pub(super) fn ask(
        self: &Arc<Self>,
        key: K,
        revision: u64,
        now: Timestamp,
        answer: impl Future<Output = Result<V, Error>> + Send + 'static,
    ) -> Shared<Answer<V>> {
        let (kept_in, place) = (Arc::clone(self), key.clone());
        self.flights.join(key, revision, async move {
            let value = answer.await?;
            kept_in.put(place, Entry { value: value.clone(), revision, read_at: now });
            Ok(value)
        })
    }

    fn put(&self, key: K, entry: Entry<V>) {
        // An answer that was overtaken by one asked for later says nothing new.
        if self.get(&key).is_some_and(|held| held.revision > entry.revision) {
            return;
        }
        if self.is_absence(&entry.value) {
            self.present.remove(&key);
            self.absent.insert(key, entry);
        } else {
            self.absent.remove(&key);
            self.present.insert(key, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_overtaken_is_not_kept() {
        let shelf = Shelf::new(10, 10, Option::is_none);
        let entry = |value, revision| Entry { value, revision, read_at: Timestamp::UNIX_EPOCH };
        for (first, second) in [(Some("new"), None), (None, Some("new")), (Some("new"), Some("old"))] {
            shelf.put("key", entry(first, 2));
            shelf.put("key", entry(second, 1));
            assert_eq!(shelf.get(&"key").unwrap().value, first);
            shelf.put("key", entry(second, 3));
            assert_eq!(shelf.get(&"key").unwrap().value, second);
            shelf.put("key", entry(first, 4));
            assert_eq!(shelf.get(&"key").unwrap().value, first);
            shelf.present.clear();
            shelf.absent.clear();
        }
    }
}
