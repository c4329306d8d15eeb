//! A third party's call, from the enabling rules to the result.

use serde_json::json;
use tidegate_model::{FailureKind, LogLevel, Outcome, SkipReason};

use crate::harness::{Definition, engine, failed, incoming, noon, run, succeeded};

#[tokio::test]
async fn core_logic_answers_with_its_table() {
    let engine = engine();
    let done = run(&engine, incoming("return { total = parameters.qty * 2, ok = true }"), r#"{"qty":21}"#).await;
    assert_eq!(succeeded(&done), json!({"total": 42, "ok": true}));
}

#[tokio::test]
async fn scripts_see_the_variables_of_the_contract() {
    let engine = engine();
    let core = r#"
        return {
            integration = integration, user = userContext, organization = organization, application = application,
            shop = headers["X-Shop"], type = headers["content-type"], missing = headers.nothing == nil,
            time = requestTime, url = requestUrl, raw = rawBody, parameters = parameters,
            outgoing = object == nil and oldObject == nil and newObject == nil and objectType == nil and eventType == nil,
        }"#;
    let seen = succeeded(&run(&engine, incoming(core), r#"{"a":[1,2]}"#).await);
    assert_eq!(
        seen,
        json!({
            "integration": {
                "id": "00000000-0000-0000-0000-000000000007", "name": "shop-orders", "type": "INCOMING", "httpMethod": "POST",
                "description": "orders of the shop",
            },
            "user": {"id": "00000000-0000-0000-0000-000000000008", "username": "integration/shop-orders"},
            "organization": {"id": "acme", "name": "Acme Inc."},
            "application": {"name": "Tidegate", "version": "1.2.3"},
            "shop": "north, south", "type": "application/json", "missing": true,
            "time": "2026-06-01T12:00:00Z", "url": "https://gate.example/webhook/key", "raw": r#"{"a":[1,2]}"#,
            "parameters": {"a": [1, 2]}, "outgoing": true,
        })
    );
}

#[tokio::test]
async fn headers_can_be_walked() {
    let engine = engine();
    let core = "local all = {} for name, value in pairs(headers) do all[name] = value end return all";
    let seen = succeeded(&run(&engine, incoming(core), "{}").await);
    assert_eq!(seen, json!({"content-type": "application/json", "x-shop": "north, south"}));
}

#[tokio::test]
async fn an_integration_that_is_inactive_or_out_of_its_window_runs_nothing() {
    let engine = engine();
    let broken = || incoming("error('ran')").enabled_by("error('ran')");
    let mut inactive = broken();
    inactive.integration.active = false;
    let mut early = broken();
    early.integration.effective_date = Some(noon() + chrono::TimeDelta::microseconds(1));
    let mut late = broken();
    late.integration.expiry_date = Some(noon() - chrono::TimeDelta::microseconds(1));
    for (definition, reason) in
        [(inactive, SkipReason::Inactive), (early, SkipReason::NotInEffect), (late, SkipReason::NotInEffect)]
    {
        let done = run(&engine, definition, "{}").await;
        assert_eq!(done.outcome, Outcome::Skipped(reason));
        assert_eq!(done.enable_result, None);
    }
}

#[tokio::test]
async fn both_ends_of_the_window_are_in_it() {
    let engine = engine();
    let mut exact = incoming("return {}");
    exact.integration.effective_date = Some(noon());
    exact.integration.expiry_date = Some(noon());
    assert_eq!(succeeded(&run(&engine, exact, "{}").await), json!({}));
}

#[tokio::test]
async fn only_a_result_that_is_true_enables() {
    let engine = engine();
    for (enable, enables) in [
        ("return { result = true }", true),
        ("return { result = parameters.state == 'open' }", true),
        ("return { result = false }", false),
        ("return { result = 'true' }", false),
        ("return { result = 1 }", false),
        ("return {}", false),
    ] {
        let done = run(&engine, incoming("return { ran = true }").enabled_by(enable), r#"{"state":"open"}"#).await;
        assert!(done.enable_result.is_some(), "{enable}");
        if enables {
            assert_eq!(succeeded(&done), json!({"ran": true}), "{enable}");
        } else {
            assert_eq!(done.outcome, Outcome::Skipped(SkipReason::NotEnabled), "{enable}");
        }
    }
}

#[tokio::test]
async fn a_broken_enable_script_fails_the_run_before_core_logic() {
    let engine = engine();
    for enable in ["return nil", "return true", "error('no')", "return {"] {
        let done = run(&engine, incoming("log('core ran') return {}").enabled_by(enable), "{}").await;
        assert_eq!(failed(&done).kind, FailureKind::Script, "{enable}");
        assert!(failed(&done).message.contains("shop-orders/enable"), "{}", failed(&done).message);
        assert!(done.log.is_empty());
    }
}

#[tokio::test]
async fn what_enable_logic_changes_core_logic_does_not_see() {
    let engine = engine();
    let enable = "parameters.added = 1 leak = 2 integration.name = 'x' return { result = true }";
    let core = "return { added = parameters.added == nil, leak = leak == nil, name = integration.name }";
    let done = run(&engine, incoming(core).enabled_by(enable), "{}").await;
    assert_eq!(succeeded(&done), json!({"added": true, "leak": true, "name": "shop-orders"}));
}

#[tokio::test]
async fn a_result_must_be_a_map() {
    let engine = engine();
    for core in
        ["return", "return 1", "return 'x'", "return nil", "return {1, 2}", "return json.array{}", "return json.null"]
    {
        let done = run(&engine, incoming(core), "{}").await;
        assert_eq!(failed(&done).kind, FailureKind::Script, "{core}");
        assert!(failed(&done).message.starts_with("shop-orders/core: must return a"), "{}", failed(&done).message);
    }
    assert_eq!(succeeded(&run(&engine, incoming("return {}"), "{}").await), json!({}));
}

#[tokio::test]
async fn an_error_names_script_line_and_what_was_there() {
    let engine = engine();
    let core = "local function price(item)\n  return item.price.amount\nend\n\nreturn { p = price(parameters) }";
    let done = run(&engine, incoming(core), "{}").await;
    let message = &failed(&done).message;
    let mut lines = message.lines();
    assert_eq!(lines.next(), Some("shop-orders/core:2: attempt to index nil with 'amount'"), "{message}");
    assert_eq!(lines.next(), Some("stack traceback:"), "{message}");
    assert!(lines.next().unwrap().contains("shop-orders/core:2"), "{message}");
    assert!(lines.next().unwrap().contains("shop-orders/core:5"), "{message}");
    assert_eq!(lines.next(), None, "{message}");
}

#[tokio::test]
async fn an_error_in_a_library_names_the_line_that_called_it() {
    let engine = engine();
    for core in ["\nreturn json.decode('{')", "\nreturn { x = base64.decode('%') }", "\ntable.sort({ 1, 'a' })"] {
        let done = run(&engine, incoming(core), "{}").await;
        assert!(failed(&done).message.starts_with("shop-orders/core:2: "), "{}", failed(&done).message);
        assert!(!failed(&done).message.contains("tidegate"), "{}", failed(&done).message);
    }
}

#[tokio::test]
async fn what_is_thrown_may_be_a_table() {
    let engine = engine();
    let done = run(&engine, incoming("error({ code = 7 })"), "{}").await;
    assert!(failed(&done).message.starts_with(r#"shop-orders/core:1: {"code":7}"#), "{}", failed(&done).message);
    let done = run(&engine, incoming("error({ message = 'no stock' })"), "{}").await;
    assert!(failed(&done).message.starts_with("shop-orders/core:1: no stock"), "{}", failed(&done).message);
}

#[tokio::test]
async fn a_script_that_does_not_compile_fails_with_its_line() {
    let engine = engine();
    let done = run(&engine, incoming("return {\n  a = \n}"), "{}").await;
    assert!(failed(&done).message.starts_with("shop-orders/core:3: "), "{}", failed(&done).message);
    assert_eq!(failed(&done).kind, FailureKind::Script);
}

#[tokio::test]
async fn log_lines_are_kept_whatever_comes_of_the_run() {
    let engine = engine();
    let core = "log('plain', 1, true, nil, { a = 1 }) log.debug('d') log.error('e') print('p') error('x')";
    let done = run(&engine, incoming(core).enabled_by("log('enable') return { result = true }"), "{}").await;
    let seen: Vec<_> = done.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (LogLevel::Info, "enable"),
            (LogLevel::Info, r#"plain 1 true nil {"a":1}"#),
            (LogLevel::Debug, "d"),
            (LogLevel::Error, "e"),
            (LogLevel::Info, "p"),
        ]
    );
    assert!(done.log.iter().all(|line| line.time == noon()));
    assert!(!done.warned);
    failed(&done);
}

#[tokio::test]
async fn a_warning_is_told() {
    let engine = engine();
    assert!(run(&engine, incoming("log.warn('careful') return {}"), "{}").await.warned);
    assert!(!run(&engine, incoming("log.error('bad') return {}"), "{}").await.warned);
}

#[tokio::test]
async fn fail_ends_the_run_and_pcall_cannot_catch_it() {
    let engine = engine();
    for core in [
        "fail('out of stock')",
        "pcall(fail, 'out of stock') return {}",
        "while true do pcall(fail, 'out of stock') end",
    ] {
        let done = run(&engine, incoming(core), "{}").await;
        assert!(failed(&done).message.contains("out of stock"), "{}", failed(&done).message);
        assert_eq!(failed(&done).kind, FailureKind::Script);
    }
}

#[tokio::test]
async fn a_stopped_engine_finishes_and_refuses() {
    let engine = engine();
    assert_eq!(succeeded(&run(&engine, incoming("return {}"), "{}").await), json!({}));
    engine.stop().await;
    assert_eq!(failed(&run(&engine, incoming("return {}"), "{}").await).kind, FailureKind::Platform);
}
