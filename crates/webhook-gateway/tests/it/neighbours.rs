//! What one tenant's calls do to others: nothing that the others notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join_all, select};
use tidegate_model::contract::Resolved;
use tidegate_webhook_gateway::Options;

use crate::failing::wait_until;
use crate::harness::{World, integration, of_tenant, post_to};

fn options() -> Options {
    Options {
        max_calls: 32,
        max_calls_of_tenant: 8,
        max_calls_of_integration: 4,
        patience: Duration::from_millis(1),
        ..Options::default()
    }
}

/// A gateway at which each tenant has an Integration, at the key that is called like it.
fn world(tenants: &[(&str, &str)]) -> World {
    let world = World::of(Resolved::None, options());
    for (tenant, core) in tenants {
        let runnable = of_tenant(integration(core), tenant);
        world.registry.put(tenant, Resolved::One(Arc::new(runnable)));
    }
    world
}

#[tokio::test]
async fn one_tenants_endless_scripts_leave_the_others_served() {
    let world = world(&[("hog", "while true do end"), ("acme", "return { served = true }")]);
    let (failed, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let flood = join_all((0..64).map(async |_| {
        loop {
            let answer = world.call(post_to("hog"), "{}").await;
            match answer.status.as_u16() {
                500 => failed.fetch_add(1, Ordering::SeqCst),
                503 => refused.fetch_add(1, Ordering::SeqCst),
                other => panic!("{other}"),
            };
            assert_eq!(answer.header("retry-after").is_some(), answer.status.as_u16() == 503);
            // Who is refused at once must not keep this thread from all others.
            tokio::task::yield_now().await;
        }
    }));
    let calls = async {
        wait_until(|| failed.load(Ordering::SeqCst) > 0 && refused.load(Ordering::SeqCst) > 0).await;
        for n in 0..20 {
            let answer = world.call(post_to("acme"), "{}").await;
            assert_eq!(answer.status.as_u16(), 200, "call {n}: {}", answer.text);
        }
    };
    select(Box::pin(flood), Box::pin(calls)).await;
}

#[tokio::test]
async fn an_integration_fills_its_own_places_and_none_of_its_tenants() {
    let world = world(&[("acme", "return {}"), ("other", "return {}")]);
    let mut second = of_tenant(integration("return {}"), "acme");
    second.integration.id = tidegate_model::IntegrationId(uuid::Uuid::from_u128(99));
    world.registry.put("second", Resolved::One(Arc::new(second)));
    world.recorder.gate.forget_permits(1000);
    // Four get in and wait for their record; the others are one too many.
    let calls =
        |key: &'static str, count: usize| (0..count).map(|_| world.call(post_to(key), "{}")).collect::<Vec<_>>();
    let statuses = |key: &'static str, count: usize| {
        let calls = calls(key, count);
        async move { join_all(calls).await.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>() }
    };
    let all = async { tokio::join!(statuses("acme", 6), statuses("second", 6), statuses("other", 4)) };
    let released = async {
        // 4 of each of the three: 8 of acme, 4 of the other tenant.
        wait_until(|| world.recorder.asked() == 12).await;
        world.recorder.gate.add_permits(1000);
    };
    let ((acme, second, other), ()) = tokio::join!(all, released);
    let served = |all: &[u16]| all.iter().filter(|status| **status == 200).count();
    assert_eq!((served(&acme), served(&second), served(&other)), (4, 4, 4));
    assert!(acme.iter().chain(&second).all(|status| [200, 503].contains(status)), "{acme:?} {second:?}");
}
