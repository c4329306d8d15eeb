//! `objects`: the tenant's domain objects, as the execution user.

use std::sync::Arc;

use serde_json::json;
use tidegate_engine::Options;
use tidegate_model::FailureKind;

use crate::harness::{Memory, engine_with, failed, incoming, run, succeeded};

#[tokio::test]
async fn scripts_work_with_objects_as_the_execution_user() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
    let core = r#"
        local made = objects.create("Order", { qty = 1, note = json.null, tags = json.array{} }, "o-1")
        local other = objects.create("Order", { qty = 2 })
        local changed = objects.update("Order", "o-1", { qty = 5 })
        local up = objects.upsert("Order", "o-3", { id = "ignored", qty = 5 })
        local found = objects.find("Order", { qty = 5 }, { limit = 10 })
        local first = objects.find("Order", { qty = 5 }, { limit = 1 })
        local gone = objects.delete("Order", other.id)
        return { made = made, other = other, changed = changed, up = up, found = #found, first = #first, none = #objects.find("Order", { qty = 99 }),
            all = #objects.find("Order"), gone = gone == nil, missing = objects.get("Order", "o-9") == nil, got = objects.get("Order", "o-1") }"#;
    let got = succeeded(&run(&engine, incoming(core), "{}").await);
    assert_eq!(
        got,
        json!({
            "made": {"id": "o-1", "qty": 1, "note": null, "tags": []}, "other": {"id": "generated", "qty": 2},
            "changed": {"id": "o-1", "qty": 5, "note": null, "tags": []}, "up": {"id": "o-3", "qty": 5},
            "found": 2, "first": 1, "none": 0, "all": 2, "gone": true, "missing": true,
            "got": {"id": "o-1", "qty": 5, "note": null, "tags": []},
        })
    );
    let kept = objects.all();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|o| o.tenant.as_str() == "acme" && o.created_by == "user:integration/shop-orders"));
    assert!(kept.iter().all(|o| o.data.attributes().unwrap().iter().all(|(key, _)| key != "id")));
}

#[tokio::test]
async fn a_refusal_is_an_error_that_names_the_line_and_can_be_caught() {
    let engine = engine_with(Options::default(), Arc::new(Memory::default()));
    let done = run(&engine, incoming("\nobjects.update('Order', 'o-1', {})\nreturn {}"), "{}").await;
    assert!(failed(&done).message.starts_with("shop-orders/core:2: object o-1 not found"), "{}", failed(&done).message);
    let core = "
        local function try(...) local ok, e = pcall(...) return tostring(e) end
        return { type = try(objects.get, 'no type', 'x'), unknown = try(objects.get, 'Unknown', 'x'), id = try(objects.get, 'Order'), data = try(objects.create, 'Order', 'x'),
            array = try(objects.create, 'Order', { 1 }), limit = try(objects.find, 'Order', {}, { limit = 5000 }), f = try(objects.create, 'Order', { f = print }) }";
    let got = succeeded(&run(&engine, incoming(core), "{}").await);
    for (key, what) in [
        ("type", "an object type: expected a letter"),
        ("unknown", "object type Unknown not found"),
        ("id", "an id was expected"),
        ("data", "a table of attributes was expected"),
        ("array", "not an array"),
        ("limit", "from 1 to 1000"),
        ("f", "a function has no place in JSON"),
    ] {
        assert!(got[key].as_str().unwrap().contains(what), "{key}: {}", got[key]);
    }
}

#[tokio::test]
async fn a_run_that_fails_because_the_database_is_away_is_the_platforms_failure() {
    let engine = engine_with(Options::default(), Arc::new(Memory::default()));
    let done = run(&engine, incoming("\nobjects.get('Away', 'x') return {}"), "{}").await;
    assert_eq!(failed(&done).kind, FailureKind::Platform, "{}", failed(&done).message);
    assert!(failed(&done).message.starts_with("shop-orders/core:2: "), "{}", failed(&done).message);
    for core in [
        "pcall(objects.get, 'Away', 'x') objects.get('Order', 'x') error('of its own')",
        "pcall(objects.get, 'Away', 'x') fail('of its own')",
    ] {
        let done = run(&engine, incoming(core), "{}").await;
        assert_eq!(failed(&done).kind, FailureKind::Script, "{core}: {}", failed(&done).message);
    }
    let done = run(&engine, incoming("return { ok = pcall(objects.get, 'Away', 'x') }"), "{}").await;
    assert_eq!(succeeded(&done), json!({"ok": false}));
}
