use serde_json::{Value, json};
use tidegate_model::{
    Call, Execution, ExecutionId, ExecutionUser, HttpMethod, Json, ReceivedRequest, SkipReason, Status,
    SystemRandomness, Trigger, UserId,
};

use crate::desk::{Desk, tenant, text};

const TRY: &str = "mutation($in: TryLogicInput!) { tryLogic(in: $in) { status skipReason enableResult result log error cpuMs wallMs memoryBytes
    calls { method url headers body sent status error } plannedCall { method url headers body } planError changes { objectType objectId eventType old new }
    difference { differs recordedStatus statusDiffers recordedResult resultDiffers attributes callsDiffer
        calls { recorded { method url body } tried { method url body } } } } }";

pub(crate) async fn tried(desk: &Desk, input: Value) -> Value {
    desk.ok(Some("acme"), TRY, json!({ "in": input })).await["tryLogic"].clone()
}

pub(crate) async fn refused(desk: &Desk, input: Value) -> (i64, String) {
    desk.refused(Some("acme"), TRY, json!({ "in": input })).await
}

fn call(source: &str) -> Value {
    json!({ "source": source, "type": "INCOMING", "sample": { "parameters": { "n": 1 }, "headers": { "X-A": "b" } } })
}

async fn update_logic(desk: &Desk, id: &str, source: &str) {
    let update = "mutation($id: ID!, $s: String!) { updateLogic(id: $id, in: {source: $s}) { id } }";
    desk.ok(Some("acme"), update, json!({ "id": id, "s": source })).await;
}

pub(crate) async fn core_of(desk: &Desk, integration: &str) -> String {
    let read = "query($id: ID!) { integration(id: $id) { coreLogic { id } } }";
    text(&desk.ok(Some("acme"), read, json!({ "id": integration })).await["integration"]["coreLogic"]["id"])
}

/// A record of an incoming run of acme's that ended like this.
pub(crate) async fn record(desk: &Desk, integration: &str, status: Status, result: Option<&str>) -> ExecutionId {
    record_with(desk, integration, status, result, Vec::new()).await
}

/// One whose scripts made these calls.
pub(crate) async fn record_with(
    desk: &Desk,
    integration: &str,
    status: Status,
    result: Option<&str>,
    calls: Vec<Call>,
) -> ExecutionId {
    let execution = ended(desk, integration, status, result, calls);
    desk.store.append_executions(std::slice::from_ref(&execution)).await.unwrap();
    execution.id
}

/// The same, which nobody keeps yet.
pub(crate) fn ended(
    desk: &Desk,
    integration: &str,
    status: Status,
    result: Option<&str>,
    calls: Vec<Call>,
) -> Execution {
    let now = "2026-03-01T11:00:00Z".parse().unwrap();
    Execution {
        id: ExecutionId::generate(&*desk.clock, &SystemRandomness),
        tenant: tenant("acme"),
        integration: integration.parse().unwrap(),
        trigger: Trigger::Webhook,
        status,
        skip_reason: (status == Status::Skipped).then_some(SkipReason::NotEnabled),
        started_at: now,
        finished_at: Some(now),
        request: Some(ReceivedRequest {
            method: HttpMethod::Post,
            url: "https://gate.example/webhook".to_owned(),
            headers: Json::parse(r#"{"x-shop":"north","authorization":"***"}"#).unwrap(),
            parameters: Json::parse(r#"{"n":9007199254740993}"#).unwrap(),
            caller_address: Some([203, 0, 113, 7].into()),
        }),
        event: None,
        attempts: Vec::new(),
        next_attempt_at: None,
        calls,
        enable_result: None,
        core_result: result.map(|r| Json::parse(r).unwrap()),
        log: Vec::new(),
        error: None,
        core_logic_version: Some(1),
        enable_logic_version: None,
        execution_user: ExecutionUser {
            id: UserId::generate(&*desk.clock, &SystemRandomness),
            username: "integration/hook".to_owned(),
        },
        replay_of: None,
    }
}

async fn everything(desk: &Desk) -> Value {
    let read = "{ objects(objectType: \"Order\") { data { id version data } } executions { totalCount } logics { totalCount } }";
    desk.ok(Some("acme"), read, json!({})).await
}

#[tokio::test]
async fn a_source_runs_on_a_sample_call() {
    let desk = Desk::with_tenants().await;
    let source = "log('n', parameters.n) log.warn('careful')
        return { n = parameters.n, a = headers['X-A'], body = rawBody, url = requestUrl, by = userContext.username, to = organization.id }";
    let done = tried(&desk, call(source)).await;
    assert_eq!(done["status"], "SUCCESS_WITH_WARNING", "{done}");
    assert_eq!(
        done["result"],
        json!({ "n": 1, "a": "b", "body": "{\"n\":1}", "url": "https://gate.example/webhook/", "by": "trial", "to": "acme" })
    );
    assert!(text(&done["log"]).contains("info n 1\n") && text(&done["log"]).contains("warn careful"), "{done}");
    assert!(done["difference"].is_null() && done["error"].is_null());
    for cost in ["cpuMs", "wallMs", "memoryBytes"] {
        assert!(done[cost].as_f64().unwrap() > 0.0, "{cost}: {done}");
    }
    let failed = tried(&desk, call("\nerror('oh')")).await;
    assert_eq!((&failed["status"], &failed["result"]), (&json!("FAILED"), &json!(null)));
    assert!(text(&failed["error"]).starts_with("trial/core:2: oh"), "{failed}");
    assert!(text(&tried(&desk, call("while true do end")).await["error"]).contains("CPU time limit"));
}

#[tokio::test]
async fn a_saved_logic_runs_on_a_sample_event_and_enable_logic_alone() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "sync", "CORE").await;
    update_logic(&desk, &core, "return { body = { is = object.n, was = oldObject.n, type = objectType.name } }").await;
    let event =
        json!({ "objectType": "Order", "eventType": "UPDATE", "objectId": "7", "old": { "n": 1 }, "new": { "n": 2 } });
    let input = json!({ "logicID": core, "type": "OUTGOING", "sample": event });
    assert_eq!(tried(&desk, input).await["result"], json!({ "body": { "is": 2, "was": 1, "type": "Order" } }));

    let enable = desk.create_logic("acme", "only big", "ENABLE").await;
    update_logic(&desk, &enable, "return { result = object.n > 1 }").await;
    for (n, status, result) in [(2, "SUCCESS", json!({ "result": true })), (1, "SKIPPED", json!(null))] {
        let event = json!({ "objectType": "Order", "eventType": "CREATE", "new": { "n": n } });
        let done = tried(&desk, json!({ "logicID": enable, "type": "OUTGOING", "sample": event })).await;
        assert_eq!((&done["status"], &done["result"]), (&json!(status), &result), "{done}");
        assert_eq!(done["enableResult"], json!({ "result": n > 1 }));
    }
}

#[tokio::test]
async fn objects_are_read_through_and_changed_in_the_trial_alone() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let create = "mutation($id: ID!, $d: JSON!) { createObject(objectType: \"Order\", id: $id, data: $d) { id } }";
    for (id, n) in [("a", 1), ("b", 1), ("c", 2)] {
        desk.ok(Some("acme"), create, json!({ "id": id, "d": { "n": n } })).await;
    }
    let (before, events) = (everything(&desk).await, desk.committed().await.len());
    let source = r#"
        local function ids(found) local all = json.array{} for _, o in ipairs(found) do table.insert(all, o.id) end return all end
        local made = objects.create("Order", { n = 1 }, "d")
        local again = pcall(objects.create, "Order", { n = 1 }, "d")
        objects.update("Order", "c", { n = 1, more = "x" })
        objects.update("Order", "c", { n = 1 })
        objects.delete("Order", "a")
        local gone, twice = objects.get("Order", "a") == nil, pcall(objects.delete, "Order", "a")
        local left, first = ids(objects.find("Order", { n = 1 })), ids(objects.find("Order", { n = 1 }, { limit = 2 }))
        objects.upsert("Order", "a", { n = 3 })
        objects.delete("Order", "d")
        local ok, unknown = pcall(objects.get, "Nope", "x")
        local _, large = pcall(objects.create, "Order", { text = string.rep("x", 300000) })
        return { made = made, again = again, gone = gone, twice = twice, left = left, first = first, unknown = unknown, large = large,
            c = objects.get("Order", "c"), all = ids(objects.find("Order")) }"#;
    let done = tried(&desk, call(source)).await;
    let result = &done["result"];
    assert_eq!(result["made"], json!({ "id": "d", "n": 1 }), "{done}");
    assert_eq!((&result["again"], &result["gone"], &result["twice"]), (&json!(false), &json!(true), &json!(false)));
    assert_eq!((&result["left"], &result["first"]), (&json!(["b", "c", "d"]), &json!(["b", "c"])));
    assert_eq!(result["all"], json!(["b", "c", "a"]));
    assert_eq!(result["c"], json!({ "id": "c", "n": 1, "more": "x" }));
    assert!(text(&result["unknown"]).contains("Nope not found"), "{result}");
    assert!(text(&result["large"]).contains("256 KiB"), "the rules are the real ones: {result}");
    let change = |id: &str, kind: &str, old: Value, new: Value| json!({ "objectType": "Order", "objectId": id, "eventType": kind, "old": old, "new": new });
    assert_eq!(
        done["changes"],
        json!([
            change("d", "CREATE", json!(null), json!({ "n": 1 })),
            change("c", "UPDATE", json!({ "n": 2, "more": null }), json!({ "n": 1, "more": "x" })),
            change("a", "DELETE", json!({ "n": 1 }), json!(null)),
            change("a", "CREATE", json!(null), json!({ "n": 3 })),
            change("d", "DELETE", json!({ "n": 1 }), json!(null)),
        ])
    );
    assert_eq!(everything(&desk).await, before, "nothing real changed");
    assert_eq!(desk.committed().await.len(), events, "no event");
    assert_eq!(tried(&desk, call("return { n = objects.get('Order', 'a').n }")).await["result"], json!({ "n": 1 }));
}

#[tokio::test]
async fn a_transaction_of_a_trial_changes_the_trial_alone_and_whole_or_not_at_all() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let source = r#"
        local ok = pcall(objects.transaction, function() objects.create("Order", {}, "never") error("no") end)
        objects.transaction(function()
            objects.create("Order", { a = 1 }, "x")
            objects.update("Order", "x", { a = 2 })
        end)
        return { ok = ok, a = objects.get("Order", "x").a, all = #objects.find("Order") }"#;
    let before = everything(&desk).await;
    let came = tried(&desk, call(source)).await;
    assert_eq!(came["result"], json!({ "ok": false, "a": 2, "all": 1 }), "{came}");
    let changes: Vec<_> = came["changes"].as_array().unwrap().iter().map(|c| text(&c["eventType"])).collect();
    assert_eq!(changes, ["CREATE", "UPDATE"]);
    assert_eq!(everything(&desk).await, before);
}

#[tokio::test]
async fn a_search_goes_on_behind_a_page_whose_objects_the_trial_deleted() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let create = "mutation($id: ID!) { createObject(objectType: \"Order\", id: $id, data: {n: 1}) { id } }";
    for i in 0..102 {
        desk.ok(Some("acme"), create, json!({ "id": format!("{i:03}") })).await;
    }
    let source = "for i = 0, 99 do objects.delete('Order', string.format('%03d', i)) end
        objects.create('Order', { n = 1 }, 'new')
        local all = json.array{} for _, o in ipairs(objects.find('Order', { n = 1 })) do table.insert(all, o.id) end
        return { all = all }";
    assert_eq!(tried(&desk, call(source)).await["result"], json!({ "all": ["100", "101", "new"] }));
}

#[tokio::test]
async fn http_calls_are_written_down_and_not_sent() {
    let desk = Desk::with_tenants().await;
    let source = "local ok, why = pcall(http.post, 'https://stock.example/x?a=1', { json = { n = parameters.n }, headers = { ['X-K'] = 'v' } })
        return { ok = ok, why = why }";
    let done = tried(&desk, call(source)).await;
    assert_eq!(done["result"]["ok"], false);
    assert!(text(&done["result"]["why"]).contains("not sent: this is a trial"), "{done}");
    assert_eq!(
        done["calls"],
        json!([{ "method": "POST", "url": "https://stock.example/x?a=1", "headers": { "x-k": "v", "content-type": "application/json" }, "body": "{\"n\":1}",
            "sent": false, "status": null, "error": "not sent: this is a trial" }])
    );
    let mut sent = call("http.get('http://127.0.0.1:1/') return {}");
    sent["sendHttp"] = json!(true);
    let done = tried(&desk, sent).await;
    assert_eq!((&done["calls"][0]["sent"], &done["calls"][0]["status"]), (&json!(true), &json!(null)), "{done}");
    assert!(!text(&done["calls"][0]["error"]).contains("trial"), "{done}");
}

#[tokio::test]
async fn a_record_is_tried_again_and_the_difference_is_told() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let core = core_of(&desk, &hook).await;
    let live = "return { n = parameters.n, shop = headers['x-shop'], auth = headers.authorization, by = userContext.username, at = requestTime }";
    update_logic(&desk, &core, live).await;
    let result =
        r#"{"n":9007199254740993,"shop":"north","auth":"***","by":"integration/hook","at":"2026-03-01T11:00:00Z"}"#;
    let id = record(&desk, &hook, Status::Success, Some(result)).await;
    let before = everything(&desk).await;
    let same = tried(&desk, json!({ "logicID": core, "executionID": id })).await;
    assert_eq!(
        same["difference"],
        json!({ "differs": false, "recordedStatus": "SUCCESS", "statusDiffers": false, "recordedResult": serde_json::from_str::<Value>(result).unwrap(),
            "resultDiffers": false, "attributes": [], "callsDiffer": false, "calls": [] }),
        "{same}"
    );
    let other = live.replace("'x-shop'", "'x-house'").replace("by =", "who =");
    let other = tried(&desk, json!({ "source": other, "executionID": id })).await;
    assert_eq!(other["difference"]["attributes"], json!(["by", "shop", "who"]), "{other}");
    assert_eq!((&other["difference"]["differs"], &other["difference"]["statusDiffers"]), (&json!(true), &json!(false)));
    let broken = tried(&desk, json!({ "source": "error('no')", "executionID": id })).await;
    assert_eq!((&broken["status"], &broken["difference"]["statusDiffers"]), (&json!("FAILED"), &json!(true)));
    assert!(text(&broken["error"]).starts_with("hook/core:1: no"), "{broken}");

    let enable = json!({ "source": "return { result = false }", "kind": "ENABLE", "executionID": id });
    let skipped = tried(&desk, enable.clone()).await;
    assert_eq!((&skipped["status"], &skipped["skipReason"]), (&json!("SKIPPED"), &json!("NOT_ENABLED")));
    let skip = record(&desk, &hook, Status::Skipped, None).await;
    let mut enable = enable;
    enable["executionID"] = json!(skip);
    assert_eq!(tried(&desk, enable).await["difference"]["differs"], false);
    let after = everything(&desk).await;
    assert_eq!(after["objects"], before["objects"]);
    assert_eq!(after["executions"]["totalCount"], 2, "no record but those two");
}

#[tokio::test]
async fn another_tenants_record_and_logic_are_not_found() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let logic = core_of(&desk, &hook).await;
    let id = record(&desk, &hook, Status::Success, Some("{}")).await;
    for (input, what) in [
        (json!({ "source": "return {}", "executionID": id }), "Execution"),
        (json!({ "source": "return {}", "executionID": "x" }), "Execution"),
        (json!({ "logicID": logic, "type": "INCOMING", "sample": {} }), "Logic"),
    ] {
        let (code, message) = desk.refused(Some("other"), TRY, json!({ "in": input })).await;
        assert_eq!((code, message.starts_with(what)), (20, true), "{message}");
    }
    desk.create_type("acme", "Order").await;
    let peek = desk.ok(Some("other"), TRY, json!({ "in": call("return objects.find('Order')") })).await;
    assert!(text(&peek["tryLogic"]["error"]).contains("Order not found"), "{peek}");
    desk.ok(Some("acme"), "mutation($i: ID!) { deleteIntegration(id: $i) { id } }", json!({ "i": hook })).await;
    let (code, message) = refused(&desk, json!({ "source": "return {}", "executionID": id })).await;
    assert_eq!((code, message.contains("its Integration is deleted")), (27, true), "{message}");
}

#[tokio::test]
async fn trying_needs_logic_write_and_of_a_record_execution_read() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let id = record(&desk, &hook, Status::Success, Some("{}")).await;
    desk.grant_scopes("reader", &["logic:read", "execution:read"]);
    desk.grant_scopes("writer", &["logic:write"]);
    desk.grant_scopes("both", &["logic:write", "execution:read"]);
    let sample = json!({ "in": call("return {}") });
    let of_record = json!({ "in": { "source": "return {}", "executionID": id } });
    let ask = async |token: &str, input: &Value| desk.ask_as(token, Some("acme"), TRY, input.clone()).await;
    for (token, input, scope) in [
        ("reader", &sample, "logic:write"),
        ("reader", &of_record, "logic:write"),
        ("writer", &of_record, "execution:read"),
    ] {
        let (code, message) = ask(token, input).await.refusal();
        assert_eq!((code, message.contains(scope)), (23, true), "{token}: {message}");
    }
    ask("writer", &sample).await.data();
    ask("both", &of_record).await.data();
}

#[tokio::test]
async fn an_input_that_says_too_little_or_too_much_is_refused_with_its_field() {
    let desk = Desk::with_tenants().await;
    let enable = desk.create_logic("acme", "on", "ENABLE").await;
    let (source, sample) = ("return {}", json!({}));
    for (input, field) in [
        (json!({ "type": "INCOMING", "sample": sample }), "in: expected one of source and logicID"),
        (
            json!({ "source": source, "logicID": enable, "type": "INCOMING", "sample": sample }),
            "one of source and logicID",
        ),
        (json!({ "source": source }), "one of sample and executionID"),
        (json!({ "source": source, "type": "INCOMING", "sample": sample, "executionID": "x" }), "one of sample and"),
        (json!({ "source": source, "sample": sample }), "in.type"),
        (json!({ "source": source, "type": "INCOMING", "executionID": "x" }), "in.type"),
        (json!({ "source": "return\n%%", "type": "INCOMING", "sample": sample }), "line 2"),
        (json!({ "logicID": enable, "kind": "CORE", "type": "INCOMING", "sample": sample }), "in.kind"),
        (json!({ "source": source, "type": "INCOMING", "sample": { "parameters": 1 } }), "in.sample.parameters"),
        (json!({ "source": source, "type": "INCOMING", "sample": { "headers": { "a": 1 } } }), "in.sample.headers"),
        (
            json!({ "source": source, "type": "INCOMING", "sample": { "objectType": "Order" } }),
            "in.sample: expected a call",
        ),
        (
            json!({ "source": source, "type": "OUTGOING", "sample": { "method": "GET" } }),
            "in.sample: expected an event",
        ),
        (json!({ "source": source, "type": "OUTGOING", "sample": { "objectType": "Order" } }), "in.sample.eventType"),
        (
            json!({ "source": source, "type": "OUTGOING", "sample": { "objectType": "Order", "eventType": "CREATE" } }),
            "in.sample.new",
        ),
    ] {
        let (code, message) = refused(&desk, input.clone()).await;
        assert_eq!((code, message.contains(field)), (22, true), "{input}: {message}");
    }
}
