//! Who was refused; and how long entries are kept.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::{ClientOwner, RuntimeId, SystemRandomness};

use super::{from, log};
use crate::desk::{Desk, eventually, tenant, text};
use crate::working::Working;

async fn refusals(desk: &Desk, of: Option<&str>) -> Vec<Value> {
    log(desk, of).await.into_iter().filter(|entry| !entry["error"].is_null()).collect()
}

#[tokio::test]
async fn who_is_refused_is_told_of_in_its_own_log_once_at_once_and_then_counted() {
    let desk = Desk::with_tenants().await;
    let working = Working::start(&desk);
    let runtime = ClientOwner::Runtime(tenant("acme"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
    let client = desk.grant("reader", runtime, ["object:read".parse().unwrap()].into());
    let create = "mutation { renamed: createObjectType(in: {name: \"Order\"}) { id } }";
    for _ in 0..5 {
        assert_eq!(desk.ask_as("reader", None, create, json!({})).await.refusal().0, 23);
    }
    eventually(async || refusals(&desk, Some("acme")).await.len() == 1).await;
    let first = refusals(&desk, Some("acme")).await.remove(0);
    let told = [&first["actor"], &first["operation"], &first["kind"], &first["objectId"], &first["error"]];
    let expected = [&format!("client:{client}"), "createObjectType", "Scope", "object:write", "InsufficientScopes"];
    assert_eq!(told, expected.map(|text| json!(text)).each_ref());
    // Those that followed within the minute.
    desk.clock.advance(TimeDelta::minutes(2));
    eventually(async || refusals(&desk, Some("acme")).await.len() == 2).await;
    let counts: Vec<_> = refusals(&desk, Some("acme")).await.iter().map(|one| one["count"].as_i64().unwrap()).collect();
    assert_eq!(counts.iter().sum::<i64>(), 5, "{counts:?}");

    assert_eq!(desk.ask_as("reader", Some("other"), "{ objectTypes { id } }", json!({})).await.refusal().0, 25);
    let found = async || {
        let all = refusals(&desk, Some("acme")).await;
        all.into_iter()
            .any(|one| one["error"] == "TenantNotFound" && one["kind"] == "Tenant" && one["objectId"] == "other")
    };
    eventually(found).await;
    assert!(refusals(&desk, Some("other")).await.is_empty(), "the other tenant hears nothing of acme's client");
    assert!(log(&desk, Some("acme")).await.iter().all(|entry| entry["error"].is_string()), "nothing was changed");
    working.stop().await;
}

#[tokio::test]
async fn a_stranger_cannot_fill_the_disk() {
    let desk = Desk::with_tenants().await;
    let working = Working::start(&desk);
    let runtime = ClientOwner::Runtime(tenant("acme"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
    desk.grant("reader", runtime, BTreeSet::new());
    for n in 0..200 {
        let peer = format!("203.0.113.{}:{}", n % 250, 1000 + n);
        let answer = desk.send(from(&peer, &format!("made-up-{n}"), "{ tenants { totalCount } }", "")).await;
        assert_eq!(answer.status, 401);
        // One that is known tries names of tenants.
        desk.ask_as("reader", Some(&format!("tenant-{n}")), "{ tenants { totalCount } }", json!({})).await.refusal();
    }
    working.stop().await;
    let (platform, acme) = (refusals(&desk, None).await, refusals(&desk, Some("acme")).await);
    assert!((1..=2).contains(&platform.len()), "{platform:#?}");
    assert!(acme.len() <= 40, "{}", acme.len());
    for (all, actor) in [(platform, "stranger"), (acme, "client:")] {
        assert!(all.iter().all(|one| text(&one["actor"]).starts_with(actor)), "{all:#?}");
        assert_eq!(all.iter().map(|one| one["count"].as_i64().unwrap()).sum::<i64>(), 200, "none is lost");
    }
}

#[tokio::test]
async fn entries_go_when_they_are_older_than_they_are_kept() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Old").await;
    desk.clock.advance(TimeDelta::hours(25));
    desk.create_type("acme", "New").await;
    let working = Working::start(&desk);
    eventually(async || log(&desk, Some("acme")).await.len() == 1).await;
    assert_eq!(log(&desk, Some("acme")).await[0]["after"]["name"], "New");
    working.stop().await;
}
