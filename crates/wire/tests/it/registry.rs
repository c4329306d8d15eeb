//! `Registry`, in the process and over gRPC.

use std::sync::Arc;

use tidegate_model::contract::{Registry, Resolved, WebhookKeyHash};
use tidegate_model::{Error, EventType, IntegrationId, SystemClock, SystemRandomness, Violation};
use tidegate_wire::grpc::Server;

use crate::harness::{Ends, acme, incoming, nothing, outgoing};
use crate::memory::MemoryRegistry;

async fn ends(registry: &Arc<MemoryRegistry>) -> Ends<dyn Registry> {
    let server = Server { registry: Some(registry.clone()), ..nothing() };
    Ends::<dyn Registry>::of(registry.clone(), server, |peer| peer.registry()).await
}

#[tokio::test]
async fn a_key_leads_to_none_one_or_many() {
    let registry = MemoryRegistry::new();
    let (one, other) = (Arc::new(incoming("one")), Arc::new(incoming("other")));
    registry.keys.lock().unwrap().extend([
        (WebhookKeyHash::of("one"), one.clone()),
        (WebhookKeyHash::of("twice"), one.clone()),
        (WebhookKeyHash::of("twice"), other),
    ]);
    for (end, registry) in ends(&registry).await.ends {
        assert_eq!(registry.resolve(WebhookKeyHash::of("none")).await, Ok(Resolved::None), "{end}");
        assert_eq!(registry.resolve(WebhookKeyHash::of("one")).await, Ok(Resolved::One(one.clone())), "{end}");
        assert_eq!(registry.resolve(WebhookKeyHash::of("twice")).await, Ok(Resolved::Many), "{end}");
    }
}

#[tokio::test]
async fn subscribers_come_whole_and_in_order() {
    let registry = MemoryRegistry::new();
    let all: Vec<_> = (0..300)
        .map(|i| Arc::new(outgoing(&format!("o{i}"), "Order", &[EventType::Create, EventType::Delete])))
        .collect();
    registry.integrations.lock().unwrap().extend(all.iter().cloned());
    let order = "Order".parse().unwrap();
    for (end, registry) in ends(&registry).await.ends {
        for event_type in [EventType::Create, EventType::Delete] {
            let found = registry.subscribers(&acme(), &order, event_type).await.unwrap();
            assert_eq!(found[..], all[..], "{end}");
        }
        assert!(registry.subscribers(&acme(), &order, EventType::Update).await.unwrap().is_empty(), "{end}");
        assert!(registry.subscribers(&"b".parse().unwrap(), &order, EventType::Create).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_integration_is_found_with_all_its_parts_and_in_its_tenant_alone() {
    let registry = MemoryRegistry::new();
    let all = [incoming("in"), outgoing("out", "Order", &[EventType::Update])].map(Arc::new);
    registry.integrations.lock().unwrap().extend(all.iter().cloned());
    for (end, registry) in ends(&registry).await.ends {
        for one in &all {
            let id = one.integration.id;
            assert_eq!(registry.find(&acme(), id).await, Ok(Some(one.clone())), "{end}");
            assert_eq!(registry.find(&"other".parse().unwrap(), id).await, Ok(None), "{end}");
        }
        let unknown = IntegrationId::generate(&SystemClock, &SystemRandomness);
        assert_eq!(registry.find(&acme(), unknown).await, Ok(None), "{end}");
    }
}

#[tokio::test]
async fn every_error_comes_through_as_it_was() {
    let registry = MemoryRegistry::new();
    let ends = ends(&registry).await;
    for error in [
        Error::Internal { id: "0123".into() },
        Error::Unavailable("the database"),
        Error::not_found("Integration", "x\u{1f30a}\n"),
        Error::not_unique("Logic", ""),
        Error::InvalidData(vec![
            Violation { field: "a.b".into(), expected: "this: \"that\"".into() },
            Violation { field: "c".into(), expected: "other".into() },
        ]),
        Error::InsufficientScopes("tenant:write".into()),
        Error::TenantRequired,
        Error::TenantNotFound("acme".into()),
        Error::Unauthorized("the token has expired"),
        Error::InvalidOperation("not now".into()),
    ] {
        *registry.failing.lock().unwrap() = Some(error.clone());
        for (end, registry) in &ends.ends {
            assert_eq!(registry.resolve(WebhookKeyHash::of("x")).await, Err(error.clone()), "{end}");
        }
    }
}
