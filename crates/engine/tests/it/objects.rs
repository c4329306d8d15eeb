//! `objects`: the tenant's domain objects, as the execution user.

use std::sync::Arc;
use std::sync::atomic::Ordering;

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
async fn an_object_is_found_by_its_id_too_whether_or_not_it_was_changed_in_a_transaction() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options { threads: 1, ..Options::default() }, objects);
    let core = r#"
        local function ids(wanted)
            local all = json.array{}
            for _, order in objects.find("Order", wanted) do table.insert(all, order.id) end
            return all
        end
        for i = 1, 3 do objects.create("Order", { qty = i }, "o-" .. i) end
        local function seen()
            return { one = ids{ id = "o-2" }, both = ids{ id = "o-2", qty = 2 }, other = ids{ id = "o-2", qty = 3 }, none = ids{ id = "o-9" },
                number = ids{ id = 2 }, all = #ids{} }
        end
        local before = seen()
        local within = objects.transaction(function()
            objects.update("Order", "o-1", { note = "n" })
            objects.update("Order", "o-2", { note = "n" })
            return seen()
        end)
        return { before = before, within = within }"#;
    let seen = json!({
        "one": ["o-2"], "both": ["o-2"], "other": [], "none": [], "number": [], "all": 3,
    });
    let got = succeeded(&run(&engine, incoming(core), "{}").await);
    assert_eq!(got, json!({"before": seen, "within": seen}));
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
    let within = "objects.transaction(function() objects.get('Away', 'x') end) return {}";
    assert_eq!(failed(&run(&engine, incoming(within), "{}").await).kind, FailureKind::Platform);
    let done = run(&engine, incoming("return { ok = pcall(objects.get, 'Away', 'x') }"), "{}").await;
    assert_eq!(succeeded(&done), json!({"ok": false}));
}

#[tokio::test]
async fn a_transaction_sees_its_own_changes_and_makes_them_when_it_returns() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
    let core = r#"
        objects.create("Order", { qty = 1, note = "n" }, "old")
        objects.create("Order", { qty = 1 }, "gone")
        local a, b = objects.transaction(function()
            objects.update("Order", "old", { qty = 2 })
            objects.delete("Order", "gone")
            local new = objects.create("Order", { qty = 2 }, "new")
            objects.upsert("Order", "new", { qty = 3 })
            local again = pcall(objects.create, "Order", {}, "new")
            return { old = objects.get("Order", "old"), gone = objects.get("Order", "gone") == nil, new = objects.get("Order", "new"),
                twos = #objects.find("Order", { qty = 2 }), all = #objects.find("Order"), one = #objects.find("Order", {}, { limit = 1 }), again = again }, "second"
        end)
        return { a = a, b = b, after = #objects.find("Order") }"#;
    let got = succeeded(&run(&engine, incoming(core), "{}").await);
    let a = json!({
        "old": {"id": "old", "qty": 2, "note": "n"}, "gone": true, "new": {"id": "new", "qty": 3}, "twos": 1, "all": 2, "one": 1, "again": false,
    });
    assert_eq!(got, json!({"a": a, "b": "second", "after": 2}));
    assert_eq!(objects.applied.load(Ordering::SeqCst), 1);
    assert_eq!(objects.all().iter().map(|o| o.version).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn a_transaction_that_does_not_return_changes_nothing() {
    let change = "objects.create('Order', {}, 'x') ";
    for (end, what) in [
        ("error('boom')", "boom"),
        ("fail('on purpose')", "on purpose"),
        ("while true do end", "CPU time limit"),
        ("objects.update('Order', 'nope', {})", "Object nope not found"),
        ("http.get('https://third.example')", "not within objects.transaction"),
        ("objects.transaction(function() end)", "a transaction within another is not possible"),
        ("coroutine.yield()", "yield"),
        (
            "for i = 1, 100 do objects.create('Order', {}, 'x' .. i) end",
            "the limit of changes in one transaction is reached (100)",
        ),
    ] {
        let objects = Arc::new(Memory::default());
        let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
        let core = format!("local x = 1\nobjects.transaction(function()\n{change}{end}\nend)\nreturn {{}}");
        let done = run(&engine, incoming(&core), "{}").await;
        assert!(failed(&done).message.contains(what), "{end}: {}", failed(&done).message);
        assert!(objects.all().is_empty() && objects.applied.load(Ordering::SeqCst) == 0, "{end}");
    }
}

#[tokio::test]
async fn an_error_within_a_transaction_can_be_caught_and_the_run_goes_on_without_it() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
    let core = "
        local ok, e = pcall(objects.transaction, function()
            objects.create('Order', {}, 'never')
            error({ reason = 'mine' })
        end)
        objects.transaction(function() objects.create('Order', {}, 'second') end)
        objects.create('Order', {}, 'third')
        return { ok = ok, reason = e.reason, no = select(2, pcall(objects.transaction, 'f')) }";
    let got = succeeded(&run(&engine, incoming(core), "{}").await);
    assert_eq!((&got["ok"], &got["reason"]), (&json!(false), &json!("mine")));
    assert!(got["no"].as_str().unwrap().ends_with("objects.transaction takes a function"), "{got}");
    let ids: Vec<_> = objects.all().iter().map(|o| o.id.to_string()).collect();
    assert_eq!(ids, ["second", "third"]);
}

#[tokio::test]
async fn a_transaction_on_what_somebody_else_changed_meanwhile_is_refused_and_names_it() {
    for (inside, calls) in [
        ("objects.update('Busy', 'b', { n = 2 })", 1),
        ("local o = objects.get('Busy', 'b') pcall(objects.update, 'Busy', 'b', { n = 2 })", 0),
    ] {
        let objects = Arc::new(Memory::default());
        let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
        let core = format!(
            "objects.create('Busy', {{ n = 1 }}, 'b')\nobjects.transaction(function() objects.create('Order', {{}}, 'x') {inside} end)\nreturn {{}}"
        );
        let done = run(&engine, incoming(&core), "{}").await;
        let message = &failed(&done).message;
        assert!(
            message
                .starts_with("shop-orders/core:2: objects.transaction: Busy b was changed by somebody else meanwhile"),
            "{message}"
        );
        assert_eq!(failed(&done).kind, FailureKind::Script);
        assert_eq!(objects.applied.load(Ordering::SeqCst), calls);
        assert_eq!(objects.all().len(), 1, "{inside}");
    }
}

#[tokio::test]
async fn a_coroutine_that_leaves_a_transaction_for_good_fails_the_run() {
    let objects = Arc::new(Memory::default());
    let engine = engine_with(Options { threads: 1, ..Options::default() }, objects.clone());
    let core = "
        local step = coroutine.wrap(function()
            objects.transaction(function() objects.create('Order', {}, 'x') coroutine.yield() end)
        end)
        step()
        return {}";
    let done = run(&engine, incoming(core), "{}").await;
    assert!(failed(&done).message.contains("before objects.transaction had ended"), "{}", failed(&done).message);
    assert!(objects.all().is_empty());
}
