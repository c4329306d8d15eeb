use serde_json::json;

use crate::desk::Desk;

#[tokio::test]
async fn each_change_of_the_source_makes_a_version_and_each_version_stays() {
    let desk = Desk::with_tenants().await;
    let id = desk.create_logic("acme", "core", "CORE").await;
    let before = desk.notices_so_far();
    desk.clock.advance(chrono::TimeDelta::seconds(5));
    let update = "mutation($id: ID!, $in: LogicUpdateInput!) { updateLogic(id: $id, in: $in) { name kind version description createdAt updatedAt } }";
    let changed = desk.ok(Some("acme"), update, json!({ "id": id, "in": { "source": "return { a = 1 }" } })).await;
    assert_eq!(
        changed["updateLogic"],
        json!({ "name": "core", "kind": "CORE", "version": 2, "description": null, "createdAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:05Z" })
    );
    assert!(desk.notices_so_far() > before);
    let described = desk
        .ok(Some("acme"), update, json!({ "id": id, "in": { "source": "return { a = 1 }", "description": "one" } }))
        .await;
    assert_eq!(described["updateLogic"]["version"], 2, "a description is no version");
    assert_eq!(described["updateLogic"]["description"], "one");

    let read = "query($id: ID!, $v: Int) { logic(id: $id, version: $v) { version source } }";
    for (version, is) in [
        (json!(1), json!({ "version": 1, "source": "return {}" })),
        (json!(null), json!({ "version": 2, "source": "return { a = 1 }" })),
        (json!(3), json!(null)),
        (json!(0), json!(null)),
    ] {
        assert_eq!(desk.ok(Some("acme"), read, json!({ "id": id, "v": version })).await["logic"], is);
    }
    let versions: Vec<_> =
        desk.committed().await.iter().map(|e| e.change.object().to_value()["version"].clone()).collect();
    assert_eq!(versions, [json!(1), json!(2), json!(2)], "one event each");
}

#[tokio::test]
async fn a_script_that_does_not_compile_is_refused_with_the_line_and_nothing_is_written() {
    let desk = Desk::with_tenants().await;
    let create = "mutation($s: String!) { createLogic(in: {name: \"bad\", kind: CORE, source: $s}) { id } }";
    let (code, message) = desk.refused(Some("acme"), create, json!({ "s": "local a = 1\nreturn %% a" })).await;
    assert_eq!(code, 22);
    assert!(
        message.contains("in.source") && message.contains("line 2, column 8") && message.contains("unexpected '%'"),
        "{message}"
    );
    let (_, message) = desk.refused(Some("acme"), create, json!({ "s": "x".repeat(256 * 1024 + 1) })).await;
    assert!(message.contains("in.source"), "{message}");
    let id = desk.create_logic("acme", "good", "CORE").await;
    let update = "mutation($id: ID!) { updateLogic(id: $id, in: {source: \"%%\"}) { id } }";
    assert!(desk.refused(Some("acme"), update, json!({ "id": id })).await.1.contains("line 1"));
    let list = desk.ok(Some("acme"), "{ logics { data { name version } } }", json!({})).await;
    assert_eq!(list["logics"]["data"], json!([{ "name": "good", "version": 1 }]));
}

#[tokio::test]
async fn what_is_doubtful_in_a_source_is_saved_and_told_then_and_whenever_it_is_read() {
    let desk = Desk::with_tenants().await;
    let warnings = "warnings { line column rule message }";
    let create = format!(
        "mutation($s: String!) {{ createLogic(in: {{name: \"odd\", kind: CORE, source: $s}}) {{ id {warnings} }} }}"
    );
    let made = desk.ok(Some("acme"), &create, json!({ "s": "return {}\n-- doubtful" })).await["createLogic"].clone();
    let told = json!([{ "line": 2, "column": 3, "rule": "UNUSED_LOCAL", "message": "is it?" }]);
    assert_eq!(made["warnings"], told);
    let update = format!(
        "mutation($id: ID!) {{ updateLogic(id: $id, in: {{source: \"return {{}}\"}}) {{ version {warnings} }} }}"
    );
    let changed = desk.ok(Some("acme"), &update, json!({ "id": made["id"] })).await["updateLogic"].clone();
    assert_eq!(changed, json!({ "version": 2, "warnings": [] }));
    let read = format!("query($id: ID!) {{ logic(id: $id, version: 1) {{ {warnings} }} }}");
    assert_eq!(desk.ok(Some("acme"), &read, json!({ "id": made["id"] })).await["logic"]["warnings"], told);
}

#[tokio::test]
async fn names_are_unique_in_the_tenant_and_a_logic_in_use_stays() {
    let desk = Desk::with_tenants().await;
    desk.create_incoming("acme", "hook").await;
    let create = "mutation($n: String!) { createLogic(in: {name: $n, kind: ENABLE, source: \"\"}) { id } }";
    assert_eq!(desk.refused(Some("acme"), create, json!({ "n": "hook core" })).await.0, 21);
    desk.ok(Some("other"), create, json!({ "n": "hook core" })).await;
    for bad in ["", "a\tb", &"x".repeat(129)] {
        assert!(desk.refused(Some("acme"), create, json!({ "n": bad })).await.1.contains("in.name"), "{bad}");
    }
    let used = desk.ok(Some("acme"), "{ logics { data { id } } }", json!({})).await["logics"]["data"][0]["id"].clone();
    let delete = "mutation($id: ID!) { deleteLogic(id: $id) { name } }";
    assert_eq!(desk.refused(Some("acme"), delete, json!({ "id": used })).await.0, 27);
    let free = desk.create_logic("acme", "free", "CORE").await;
    assert_eq!(desk.ok(Some("acme"), delete, json!({ "id": free })).await["deleteLogic"]["name"], "free");
    assert_eq!(desk.refused(Some("acme"), delete, json!({ "id": free })).await.0, 20);
}
