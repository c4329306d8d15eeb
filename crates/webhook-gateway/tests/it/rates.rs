//! How often an Integration may be called.

use std::sync::Arc;

use chrono::TimeDelta;
use tidegate_model::contract::Resolved;
use tidegate_webhook_gateway::Options;

use crate::harness::{World, inactive, integration, of_tenant, post_to};

#[tokio::test]
async fn a_call_too_often_is_429_and_leaves_no_record_and_others_are_not_counted_with_it() {
    let options = Options { rate_limit: Some("2/m".parse().unwrap()), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(integration("return {}"))), options);
    let other = of_tenant(integration("return {}"), "other");
    world.registry.put("other", Resolved::One(Arc::new(other)));
    for _ in 0..2 {
        assert_eq!(world.post("{}").await.status.as_u16(), 200);
    }
    let refused = world.post("{}").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("30")));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.json()["requestId"], refused.header("x-request-id").unwrap());
    assert_eq!(world.records().len(), 2);
    assert_eq!(world.call(post_to("other"), "{}").await.status.as_u16(), 200);
    world.clock.advance(TimeDelta::seconds(30));
    assert_eq!(world.post("{}").await.status.as_u16(), 200);
    assert_eq!(world.post("{}").await.status.as_u16(), 429);
}

#[tokio::test]
async fn calls_of_an_inactive_integration_count_too() {
    let options = Options { rate_limit: Some("1/h".parse().unwrap()), ..Options::default() };
    let world = World::of(Resolved::One(Arc::new(inactive(integration("return {}")))), options);
    assert_eq!(world.post("{}").await.header("integration-outcome"), Some("inactive"));
    assert_eq!(world.post("{}").await.status.as_u16(), 429);
}

#[tokio::test]
async fn an_integration_may_have_a_limit_of_its_own() {
    let options = || Options { rate_limit: Some("1/h".parse().unwrap()), ..Options::default() };
    let mut runnable = integration("return {}");
    runnable.integration.settings.incoming.rate_limit = Some("3/h".parse().unwrap());
    let world = World::of(Resolved::One(Arc::new(runnable)), options());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(world.post("{}").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
}
