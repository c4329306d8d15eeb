//! What the log may know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_model::contract::Resolved;
use tidegate_model::{Error, HttpMethod};
use tidegate_webhook_gateway::Options;

use crate::captured::Captured;
use crate::harness::{KEY, World, inactive, integration, post, taking};

#[tokio::test]
async fn neither_the_key_nor_what_was_sent_is_logged_or_answered_whatever_happens() {
    let captured = Captured::listen();
    let call = async |world: &World| {
        let request = post().header("authorization", "Bearer hunter2").header("content-type", "application/json");
        let whole = world.call(request, r#"{"card":"4111111111111111"}"#).await;
        let broken = world.post(r#"{"card":"4111111111111111""#).await;
        for answer in [whole, broken] {
            let told = format!("{:?} {}", answer.headers, answer.text);
            assert!(!told.contains(KEY) && !told.contains("4111") && !told.contains("hunter2"), "{told}");
        }
    };

    call(&World::with(integration("return {}"))).await;
    call(&World::with(integration("error(parameters.card)"))).await;
    let world = World::with(integration("return {}"));
    for behind in [Resolved::None, Resolved::Many] {
        world.registry.put(KEY, behind);
        call(&world).await;
    }
    world.registry.fail_with(Error::Unavailable("the director"));
    call(&world).await;
    call(&World::with(inactive(integration("return {}")))).await;
    call(&World::with(taking(integration("return {}"), HttpMethod::Get))).await;
    let options = [
        Options { max_body: 10, ..Options::default() },
        Options { body_timeout: Duration::from_millis(1), ..Options::default() },
        Options { rate_limit: Some("1/h".parse().unwrap()), ..Options::default() },
        Options { trusted_proxies: "10.0.0.0/8".parse().unwrap(), ..Options::default() },
    ];
    for options in options {
        call(&World::of(Resolved::One(Arc::new(integration("return {}"))), options)).await;
    }
    let lengthy = post().uri(format!("/webhook/{KEY}?card={}", "4111".repeat(3000)));
    World::with(integration("return {}")).call(lengthy, "").await;
    let world = World::with(integration("return {}"));
    world.recorder.is_full.store(true, Ordering::SeqCst);
    call(&world).await;

    let log = captured.text();
    assert!(log.contains("an incoming integration failed") && log.contains("record cannot be kept"), "{log}");
    for secret in [KEY, "hunter2", "4111"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn what_is_away_is_not_said_with_every_call() {
    let captured = Captured::listen();
    let (unknown, full) = (World::with(integration("return {}")), World::with(integration("return {}")));
    unknown.registry.fail_with(Error::Unavailable("the director"));
    full.recorder.is_full.store(true, Ordering::SeqCst);
    for world in [&unknown, &full] {
        for _ in 0..20 {
            assert_eq!(world.post("{}").await.status, 503);
        }
    }
    let log = captured.text();
    let lines = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    // A slow machine may be at it for longer than nothing is said.
    assert!((1..10).contains(&lines("webhooks cannot be resolved now")), "{log}");
    assert!((1..10).contains(&lines("record cannot be kept")), "{log}");
}
