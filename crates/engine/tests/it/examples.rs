//! The scripts of `examples/`, on the payloads beside them.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tidegate_engine::Options;
use tidegate_model::{Change, Json, Outcome, SkipReason};

use crate::harness::{Definition, Memory, call, engine, engine_with, event, incoming, noon, outgoing, succeeded};

fn read(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

#[tokio::test]
async fn github_webhooks_become_objects_of_the_default_branch() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options::default(), objects.clone());
    let scripts =
        incoming(&read("github-to-chat/to_objects.lua")).enabled_by(&read("github-to-chat/default_branch.lua"));
    let scripts = Arc::new(scripts);
    for (payload, saved) in [
        ("issues.opened", Some("Issue")),
        ("issues.closed", Some("Issue")),
        ("push.default-branch", Some("Push")),
        ("push.other-branch", None),
    ] {
        let mut call = call(&read(&format!("github-to-chat/payloads/{payload}.json")));
        let kind = payload.split('.').next().unwrap();
        call.headers.push(("x-github-event".to_owned(), kind.to_owned()));
        let done = engine.run_incoming(&scripts, &call).await;
        match saved {
            Some(saved) => assert_eq!(succeeded(&done)["saved"], saved, "{payload}"),
            None => assert_eq!(done.outcome, Outcome::Skipped(SkipReason::NotEnabled), "{payload}"),
        }
    }
    assert_eq!(objects.all().len(), 2);
}

#[tokio::test]
async fn a_changed_issue_is_told_by_what_changed() {
    let engine = engine();
    let script = Arc::new(outgoing(&read("github-to-chat/to_chat.lua")));
    let old = Json::parse(r#"{"title":"Leak","state":"open","labels":[],"assignee":null}"#).unwrap();
    let new = Json::parse(r#"{"title":"Leak","state":"closed","labels":["done"],"assignee":"ann"}"#).unwrap();
    let done = engine.run_outgoing(&script, &event(Change::Update { old, new }), noon()).await;
    let text = "Issue o-1 changed: assignee: nothing -> ann; labels: [] -> [\"done\"]; state: open -> closed";
    assert_eq!(succeeded(&done), json!({"body": {"text": text}}));
}

#[tokio::test]
async fn a_deleted_order_tells_the_warehouse_what_it_had_reserved() {
    let engine = engine();
    let script = Arc::new(outgoing(&read("order-sync/to_warehouse.lua")));
    let old = Json::parse(read("order-sync/payloads/order.json")).unwrap();
    let done = engine.run_outgoing(&script, &event(Change::Delete { old }), noon()).await;
    let planned = succeeded(&done);
    assert_eq!(planned["headers"], json!({"X-Order-Id": "o-1"}));
    assert!(planned["body"]["reserved"].as_array().is_some_and(|lines| !lines.is_empty()), "{planned}");
}
