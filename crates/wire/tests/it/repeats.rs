//! Which calls came before, on the broker.

use tidegate_model::contract::Claimed;
use tidegate_model::{Error, Json, TenantId};
use tidegate_wire::nats::{Nats, NatsOptions};

use crate::harness::{Broker, acme, eventually, nats_url, now, options};
use crate::repeats_suite;

#[tokio::test]
async fn repeats_hold_between_two_processes() {
    let Some(url) = nats_url() else { return };
    let options = options(url);
    let (one, other) = (Nats::connect(options.clone()).await.unwrap(), Nats::connect(options).await.unwrap());
    let other_tenant: TenantId = "other".parse().unwrap();
    repeats_suite::holds(&one.repeats(), &other.repeats(), [&acme(), &other_tenant]).await;
}

#[tokio::test]
async fn nothing_is_told_while_the_broker_is_away_and_what_was_kept_is_there_after_it() {
    if nats_url().is_none() {
        return;
    }
    let mut broker = Broker::start();
    let nats = Nats::connect(NatsOptions::at(broker.url())).await.unwrap();
    let repeats = nats.repeats();
    let (first, again) = (repeats_suite::call(&acme(), "k", "a"), repeats_suite::call(&acme(), "k", "a"));
    let until = now() + chrono::TimeDelta::hours(1);
    assert_eq!(repeats.claim(&first, now(), until).await.unwrap(), Claimed::First);
    repeats.settle(&first, &Json::empty_object(), until).await.unwrap();
    broker.kill();
    let refused = repeats.claim(&again, now(), until).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    broker.restart();
    let told = eventually("the broker to be back", async || repeats.claim(&again, now(), until).await.ok()).await;
    assert_eq!(told, Claimed::Answered(Json::empty_object()));
}
