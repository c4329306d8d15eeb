//! The status table of the contract, its check order, and the window.

use std::sync::Arc;

use chrono::TimeDelta;
use http::Request;
use tidegate_model::contract::Resolved;
use tidegate_model::{HttpMethod, Runnable, Status};
use tidegate_webhook_gateway::Options;

use crate::harness::{KEY, World, get, inactive, integration, post, taking, with_enable, within};

const CORE: &str = "return { seen = parameters }";

/// What a case must come to: status, `Integration-Outcome`, and the status on record, if there is a record.
type Expected = (u16, Option<&'static str>, Option<Status>);

async fn check(name: &str, world: &World, request: http::request::Builder, body: &str, expected: Expected) {
    let (status, outcome, recorded) = expected;
    let answer = world.call(request, body.to_owned()).await;
    assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
    assert_eq!(answer.header("integration-outcome"), outcome, "{name}");
    let id = answer.header("x-request-id").unwrap();
    let records = world.records();
    assert_eq!(records.first().map(|record| record.status), recorded, "{name}");
    assert!(records.iter().all(|record| record.id.to_string() == id), "{name}: the record has the answer's id");
    assert!(!answer.text.contains(KEY), "{name}: {}", answer.text);
    if recorded.is_none() || status >= 400 {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{name}");
        assert_eq!(answer.json()["status"], status, "{name}");
        assert_eq!(answer.json()["requestId"], id, "{name}");
    }
}

fn day(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

#[tokio::test]
async fn each_case_of_the_status_table_has_its_status_and_its_record() {
    let skipped = |reason| (200, Some(reason), Some(Status::Skipped));
    let failed = (500, Some("failed"), Some(Status::Failed));
    let success = (200, Some("executed"), Some(Status::Success));
    let json = || post().header("content-type", "application/json");
    let unknown = || Request::post("/webhook/unknown");
    let enabling = |source: &str| with_enable(integration(CORE), source);
    let cases: Vec<(&str, Runnable, http::request::Builder, &str, Expected)> = vec![
        ("unknown key", integration(CORE), unknown(), "{}", (404, None, None)),
        ("no key", integration(CORE), Request::post("/webhook/"), "{}", (404, None, None)),
        ("deeper path", integration(CORE), Request::post(format!("/webhook/{KEY}/x")), "{}", (404, None, None)),
        ("not active", inactive(integration(CORE)), json(), "{}", skipped("inactive")),
        ("not yet", within(integration(CORE), day(1), day(2)), json(), "{}", skipped("not-in-effect")),
        ("no more", within(integration(CORE), day(-2), day(-1)), json(), "{}", skipped("not-in-effect")),
        ("enable says false", enabling("return { result = false }"), json(), "{}", skipped("not-enabled")),
        ("enable says text", enabling("return { result = 'true' }"), json(), "{}", skipped("not-enabled")),
        ("enable says nothing", enabling("return {}"), json(), "{}", skipped("not-enabled")),
        ("enable says true", enabling("return { result = true }"), json(), "{}", success),
        ("core succeeds", integration(CORE), json(), "{}", success),
        ("core throws", integration("error('no')"), json(), "{}", failed),
        ("core hits a limit", integration("while true do end"), json(), "{}", failed),
        ("core returns no map", integration("return 'text'"), json(), "{}", failed),
        ("core returns nothing", integration("local x = 1"), json(), "{}", failed),
        ("core does not compile", integration("return {"), json(), "{}", failed),
        ("enable throws", enabling("error('no')"), json(), "{}", failed),
        ("malformed body", integration(CORE), json(), "{oops", failed),
        ("wrong method", integration(CORE), get(""), "", (405, None, None)),
        ("another method", integration(CORE), Request::put(format!("/webhook/{KEY}")), "{}", (405, None, None)),
        ("not compressed", integration(CORE), json().header("content-encoding", "gzip"), "{}", failed),
        ("compressed else", integration(CORE), json().header("content-encoding", "br"), "{}", (415, None, None)),
    ];
    for (name, runnable, request, body, expected) in cases {
        check(name, &World::with(runnable), request, body, expected).await;
    }
    let many = World::of(Resolved::Many, Options::default());
    check("more than one", &many, post(), "{}", (500, Some("failed"), None)).await;
    let small = Options { max_body: 10, ..Options::default() };
    let small = World::of(Resolved::One(Arc::new(integration(CORE))), small);
    check("too large", &small, post(), "01234567890", (413, None, None)).await;
}

#[tokio::test]
async fn the_first_check_that_fails_decides() {
    let broken = || with_enable(integration("error('core ran')"), "error('enable ran')");
    let get_integration = |runnable| taking(runnable, HttpMethod::Get);
    let json = || post().header("content-type", "application/json");
    let skipped = |reason| (200, Some(reason), Some(Status::Skipped));
    let failed = (500, Some("failed"), Some(Status::Failed));
    let options = || Options { max_body: 10, ..Options::default() };
    let large = "a body that is too large";
    let cases: Vec<(&str, Runnable, http::request::Builder, &str, Expected)> = vec![
        ("key before method and body", broken(), Request::put("/webhook/unknown"), large, (404, None, None)),
        ("method before active", get_integration(inactive(broken())), json(), "{}", (405, None, None)),
        ("method before body", get_integration(broken()), json(), large, (405, None, None)),
        ("active before window", inactive(within(broken(), day(1), day(2))), json(), "{}", skipped("inactive")),
        ("active before a malformed body", inactive(broken()), json(), "{oops", skipped("inactive")),
        ("active before enable", inactive(broken()), json(), "{}", skipped("inactive")),
        ("window before enable", within(broken(), day(1), day(2)), json(), "{}", skipped("not-in-effect")),
        ("a malformed body before enable", broken(), json(), "{oops", failed),
    ];
    for (name, runnable, request, body, expected) in cases {
        let world = World::of(Resolved::One(Arc::new(runnable)), options());
        check(name, &world, request, body, expected).await;
        for record in world.records() {
            assert!(!record.error.unwrap_or_default().contains(" ran"), "{name}");
        }
    }
}

#[tokio::test]
async fn the_window_includes_both_its_ends() {
    let micro = TimeDelta::microseconds(1);
    let cases = [
        (TimeDelta::zero(), TimeDelta::zero(), "executed"),
        (micro, day(1), "not-in-effect"),
        (day(-1), -micro, "not-in-effect"),
        (day(-1), day(1), "executed"),
    ];
    for (from, until, outcome) in cases {
        let world = World::with(within(integration(CORE), from, until));
        assert_eq!(world.post("{}").await.header("integration-outcome"), Some(outcome), "{from} {until}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    for (method, allowed) in [(HttpMethod::Get, "GET"), (HttpMethod::Post, "POST")] {
        let world = World::with(taking(integration(CORE), method));
        for wrong in ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", if allowed == "GET" { "POST" } else { "GET" }] {
            let answer = world.call(post().method(wrong), "").await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some(allowed)), "{wrong}");
        }
        assert!(world.records().is_empty());
    }
}
