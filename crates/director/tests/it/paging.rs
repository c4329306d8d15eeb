use serde_json::{Value, json};

use crate::desk::{Desk, text};

const LOGICS: &str = "query($f: Int, $a: PageCursor) { logics(first: $f, after: $a) { data { name } totalCount pageInfo { startCursor endCursor hasNextPage } } }";

async fn page(desk: &Desk, tenant: &str, first: Value, after: Value) -> Value {
    desk.ok(Some(tenant), LOGICS, json!({ "f": first, "a": after })).await["logics"].clone()
}

#[tokio::test]
async fn a_list_is_walked_to_its_end_while_rows_are_added() {
    let desk = Desk::with_tenants().await;
    for i in 0..5 {
        desk.create_logic("acme", &format!("l{i}"), "CORE").await;
        desk.clock.advance(chrono::TimeDelta::microseconds(1));
    }
    let one = page(&desk, "acme", json!(2), json!(null)).await;
    assert_eq!(one["data"], json!([{ "name": "l0" }, { "name": "l1" }]));
    assert_eq!((&one["totalCount"], &one["pageInfo"]["hasNextPage"]), (&json!(5), &json!(true)));
    assert_eq!(one["pageInfo"]["startCursor"], "", "the first page");
    let cursor = one["pageInfo"]["endCursor"].clone();
    assert!(!text(&cursor).is_empty() && !text(&cursor).contains("l1"), "opaque: {cursor}");

    desk.create_logic("acme", "l5", "CORE").await;
    let two = page(&desk, "acme", json!(3), cursor.clone()).await;
    assert_eq!(two["data"], json!([{ "name": "l2" }, { "name": "l3" }, { "name": "l4" }]));
    assert_eq!(two["pageInfo"]["startCursor"], cursor, "it echoes after");
    let three = page(&desk, "acme", json!(3), two["pageInfo"]["endCursor"].clone()).await;
    assert_eq!(three["data"], json!([{ "name": "l5" }]));
    assert_eq!((&three["pageInfo"]["endCursor"], &three["pageInfo"]["hasNextPage"]), (&json!(""), &json!(false)));
    assert_eq!(three["totalCount"], 6);
}

#[tokio::test]
async fn first_is_1_to_100_and_100_when_absent() {
    let desk = Desk::with_tenants().await;
    for bad in [0, -1, 101, i32::MAX] {
        let (code, message) = desk.refused(Some("acme"), LOGICS, json!({ "f": bad })).await;
        assert_eq!((code, message.contains("first")), (22, true), "{bad}: {message}");
    }
    assert_eq!(desk.refused(Some("acme"), LOGICS, json!({ "f": 3_000_000_000_u64 })).await.0, 22);
    assert_eq!(desk.refused(Some("acme"), LOGICS, json!({ "f": "2" })).await.0, 22);
    for i in 0..101 {
        desk.create_logic("acme", &format!("l{i}"), "CORE").await;
    }
    let all = desk.ok(Some("acme"), "{ logics { data { name } pageInfo { hasNextPage } } }", json!({})).await;
    assert_eq!(all["logics"]["data"].as_array().unwrap().len(), 100);
    assert_eq!(all["logics"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(page(&desk, "acme", json!(100), json!(null)).await["data"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_tenant() {
    let desk = Desk::with_tenants().await;
    for tenant in ["acme", "other"] {
        for name in ["a", "b"] {
            desk.clock.advance(chrono::TimeDelta::microseconds(1));
            desk.create_logic(tenant, name, "CORE").await;
            desk.create_type(tenant, name).await;
            for object in ["1", "2"] {
                let create = "mutation($t: String!, $i: ID) { createObject(objectType: $t, id: $i, data: {}) { id } }";
                desk.ok(Some(tenant), create, json!({ "t": name, "i": object })).await;
            }
        }
    }
    let cursor = page(&desk, "acme", json!(1), json!(null)).await["pageInfo"]["endCursor"].clone();
    assert_eq!(page(&desk, "acme", json!(1), cursor.clone()).await["data"], json!([{ "name": "b" }]));

    let objects = "query($t: String!, $a: PageCursor) { objects(objectType: $t, first: 1, after: $a) { data { id } pageInfo { endCursor } } }";
    let of_a = desk.ok(Some("acme"), objects, json!({ "t": "a" })).await["objects"]["pageInfo"]["endCursor"].clone();
    let next = desk.ok(Some("acme"), objects, json!({ "t": "a", "a": of_a })).await;
    assert_eq!(next["objects"]["data"], json!([{ "id": "2" }]));

    let mut forged = text(&cursor);
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    let integrations = "query($a: PageCursor) { integrations(after: $a) { totalCount } }";
    for (tenant, query, variables) in [
        ("other", LOGICS, json!({ "a": cursor })),
        ("acme", integrations, json!({ "a": cursor })),
        ("acme", objects, json!({ "t": "b", "a": of_a })),
        ("other", objects, json!({ "t": "a", "a": of_a })),
        ("acme", LOGICS, json!({ "a": forged })),
        ("acme", LOGICS, json!({ "a": "bm90IG91cnM" })),
        ("acme", LOGICS, json!({ "a": "?" })),
        ("acme", LOGICS, json!({ "a": "A".repeat(100_000) })),
    ] {
        let (code, message) = desk.refused(Some(tenant), query, variables).await;
        assert_eq!((code, message.contains("after")), (22, true), "{query}: {message}");
    }
}
