//! `CachedRegistry`: when it asks, when it does not, and what it answers while nobody can be asked.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::join_all;
use tidegate_model::contract::{Notices, Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Error, EventType, ManualClock, Runnable};
use tidegate_wire::{CacheOptions, CachedRegistry, LocalNotices};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::harness::{acme, eventually, incoming, now, outgoing};
use crate::memory::MemoryRegistry;

struct Cache {
    inner: Arc<MemoryRegistry>,
    notices: Arc<LocalNotices>,
    clock: Arc<ManualClock>,
    cached: Arc<CachedRegistry>,
}

fn cache_with(options: CacheOptions) -> Cache {
    let (inner, notices, clock) =
        (MemoryRegistry::new(), Arc::new(LocalNotices::new()), Arc::new(ManualClock::new(now())));
    let cached = Arc::new(CachedRegistry::new(inner.clone(), notices.clone(), clock.clone(), options));
    Cache { inner, notices, clock, cached }
}

fn cache() -> Cache {
    cache_with(CacheOptions::default())
}

fn key(text: &str) -> WebhookKeyHash {
    WebhookKeyHash::of(text)
}

impl Cache {
    /// Makes `key` lead to a new Integration.
    fn define(&self, key: WebhookKeyHash) -> Arc<Runnable> {
        let runnable = Arc::new(incoming("x"));
        let mut keys = self.inner.keys.lock().unwrap();
        keys.retain(|(known, _)| *known != key);
        keys.push((key, runnable.clone()));
        runnable
    }

    fn undefine(&self, key: WebhookKeyHash) {
        self.inner.keys.lock().unwrap().retain(|(known, _)| *known != key);
    }

    fn fail(&self, error: Option<Error>) {
        *self.inner.failing.lock().unwrap() = error;
    }

    fn resolve(&self, key: WebhookKeyHash) -> AbortOnDropHandle<Result<Resolved, Error>> {
        let cached = self.cached.clone();
        AbortOnDropHandle::new(TaskTracker::new().spawn(async move { cached.resolve(key).await }))
    }
}

const AWAY: Error = Error::Unavailable("the director");

#[tokio::test]
async fn a_fresh_answer_is_not_asked_for_again() {
    let cache = cache();
    let runnable = cache.define(key("a"));
    for _ in 0..3 {
        assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable.clone())));
        assert_eq!(cache.cached.resolve(key("none")).await, Ok(Resolved::None));
    }
    assert_eq!(cache.inner.asked(), 2);
}

#[tokio::test]
async fn every_question_is_remembered() {
    let cache = cache();
    let runnable = Arc::new(outgoing("o", "Order", &[EventType::Create]));
    cache.inner.integrations.lock().unwrap().push(runnable.clone());
    let order = "Order".parse().unwrap();
    for _ in 0..2 {
        let subscribers = cache.cached.subscribers(&acme(), &order, EventType::Create).await.unwrap();
        assert_eq!(subscribers.iter().collect::<Vec<_>>(), [&runnable]);
        assert!(cache.cached.subscribers(&acme(), &order, EventType::Update).await.unwrap().is_empty());
        assert_eq!(cache.cached.find(&acme(), runnable.integration.id).await, Ok(Some(runnable.clone())));
        assert_eq!(cache.cached.find(&"other".parse().unwrap(), runnable.integration.id).await, Ok(None));
    }
    assert_eq!(cache.inner.asked(), 4);
}

#[tokio::test]
async fn a_notice_makes_answers_stale_at_once() {
    let cache = cache();
    cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.cached.resolve(key("b")).await.unwrap();
    cache.undefine(key("a"));
    let b = cache.define(key("b"));
    cache.notices.announce().await;
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::None));
    assert_eq!(cache.cached.resolve(key("b")).await, Ok(Resolved::One(b)));
}

#[tokio::test]
async fn an_answer_grows_old_without_a_notice() {
    let cache = cache();
    cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.undefine(key("a"));
    cache.clock.advance(TimeDelta::milliseconds(999));
    assert!(matches!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(_))));
    cache.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::None));
}

#[tokio::test]
async fn those_who_ask_together_ask_once() {
    let cache = cache();
    let runnable = cache.define(key("a"));
    cache.inner.gate.forget_permits(usize::MAX);
    let waiting: Vec<_> = (0..50).map(|_| cache.resolve(key("a"))).collect();
    eventually("the question", || async { (cache.inner.asked() > 0).then_some(()) }).await;
    cache.inner.gate.add_permits(1);
    for answer in join_all(waiting).await {
        assert_eq!(answer.unwrap(), Ok(Resolved::One(runnable.clone())));
    }
    assert_eq!(cache.inner.asked(), 1);
}

#[tokio::test]
async fn those_who_wait_are_answered_though_the_first_leaves() {
    let cache = cache();
    let runnable = cache.define(key("a"));
    cache.inner.gate.forget_permits(usize::MAX);
    let first = cache.resolve(key("a"));
    eventually("the question", || async { (cache.inner.asked() == 1).then_some(()) }).await;
    let second = cache.resolve(key("a"));
    tokio::task::yield_now().await;
    drop(first);
    cache.inner.gate.add_permits(2);
    assert_eq!(second.await.unwrap(), Ok(Resolved::One(runnable)));
    // And when all have left, the next one asks for itself.
    cache.notices.announce().await;
    cache.inner.gate.forget_permits(usize::MAX);
    drop(cache.resolve(key("a")));
    cache.inner.gate.add_permits(10);
    assert!(matches!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(_))));
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_told_after_it() {
    let cache = cache();
    cache.define(key("a"));
    cache.inner.gate.forget_permits(usize::MAX);
    // It reads the old state, and is slow to say so.
    let slow = cache.resolve(key("a"));
    eventually("the question", || async { (cache.inner.asked() == 1).then_some(()) }).await;
    cache.undefine(key("a"));
    cache.notices.announce().await;
    // Whoever asks now must not wait for the slow one's answer, nor find it later.
    let after = cache.resolve(key("a"));
    eventually("a question of its own", || async { (cache.inner.asked() == 2).then_some(()) }).await;
    cache.inner.gate.add_permits(10);
    assert_eq!(after.await.unwrap(), Ok(Resolved::None));
    assert!(matches!(slow.await.unwrap(), Ok(Resolved::One(_))));
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::None));
}

#[tokio::test]
async fn while_the_registry_is_away_older_answers_serve() {
    let cache = cache();
    let runnable = cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.cached.resolve(key("none")).await.unwrap();
    cache.fail(Some(AWAY));

    cache.clock.advance(TimeDelta::minutes(59));
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable.clone())));
    let asked = cache.inner.asked();
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable.clone())));
    assert_eq!(cache.inner.asked(), asked, "it was just found to be away");
    assert_eq!(cache.cached.resolve(key("none")).await, Err(AWAY), "an absence may be over by now");
    assert_eq!(cache.cached.resolve(key("new")).await, Err(AWAY));

    cache.clock.advance(TimeDelta::minutes(1));
    assert_eq!(cache.cached.resolve(key("a")).await, Err(AWAY), "that is too old");
    cache.fail(None);
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable)));
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_not_waited_for_when_an_older_answer_serves() {
    let cache = cache_with(CacheOptions { patience: Duration::from_millis(20), ..CacheOptions::default() });
    let runnable = cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.inner.gate.forget_permits(usize::MAX);
    cache.clock.advance(TimeDelta::seconds(2));
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable)));
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_waited_for_by_one_caller_now_and_then() {
    let options = CacheOptions::default();
    let cache = cache();
    let runnable = cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.inner.gate.forget_permits(usize::MAX);
    cache.clock.advance(TimeDelta::seconds(2));
    // The defaults: the first one waits as long as an answer is fresh.
    let waiting = cache.resolve(key("a"));
    eventually("the question", || async { (cache.inner.asked() == 2).then_some(()) }).await;
    cache.clock.advance(TimeDelta::from_std(options.patience).unwrap());
    assert_eq!(waiting.await.unwrap(), Ok(Resolved::One(runnable.clone())));
    let known = |what| {
        let (resolve, runnable) = (cache.cached.resolve(key("a")), runnable.clone());
        async move {
            // Whoever does not wait has its answer at the first look.
            let answer = resolve.now_or_never().unwrap_or_else(|| panic!("{what}"));
            assert_eq!(answer, Ok(Resolved::One(runnable)));
        }
    };
    for _ in 0..5 {
        known("it was found to be away just now").await;
    }
    cache.clock.advance(TimeDelta::from_std(options.away_for).unwrap());
    let waiting = cache.resolve(key("a"));
    eventually("another question", || async { (cache.inner.asked() == 3).then_some(()) }).await;
    known("somebody else asks").await;
    cache.inner.gate.add_permits(10);
    waiting.await.unwrap().unwrap();
    cache.clock.advance(TimeDelta::seconds(2));
    cache.cached.resolve(key("a")).await.unwrap();
    assert_eq!(cache.inner.asked(), 4, "it is there again");
    cache.notices.announce().await;
    cache.inner.gate.forget_permits(usize::MAX);
    assert!(cache.cached.resolve(key("a")).now_or_never().is_none(), "what may have changed is asked for");
}

#[tokio::test]
async fn an_error_other_than_absence_is_told_and_not_remembered() {
    let cache = cache();
    let runnable = cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    cache.clock.advance(TimeDelta::seconds(2));
    let broken = Error::Internal { id: "1".into() };
    cache.fail(Some(broken.clone()));
    assert_eq!(cache.cached.resolve(key("a")).await, Err(broken));
    cache.fail(None);
    assert_eq!(cache.cached.resolve(key("a")).await, Ok(Resolved::One(runnable)));
}

#[tokio::test]
async fn guessing_keys_pushes_out_no_real_one() {
    let cache = cache_with(CacheOptions { entries: 100, absences: 100, ..CacheOptions::default() });
    cache.define(key("a"));
    cache.cached.resolve(key("a")).await.unwrap();
    for i in 0..5000 {
        cache.cached.resolve(key(&format!("guess {i}"))).await.unwrap();
    }
    let asked = cache.inner.asked();
    cache.cached.resolve(key("a")).await.unwrap();
    assert_eq!(cache.inner.asked(), asked);
    for i in 0..1000 {
        cache.cached.resolve(key(&format!("guess {i}"))).await.unwrap();
    }
    assert!(cache.inner.asked() > asked + 800, "absences are bounded too");
}
