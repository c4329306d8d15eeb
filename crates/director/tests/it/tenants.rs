use serde_json::json;

use crate::desk::Desk;

#[tokio::test]
async fn a_tenant_is_made_read_listed_by_id_and_deleted_with_all_that_is_its() {
    let desk = Desk::with_tenants().await;
    let before = desk.notices_so_far();
    let made = desk
        .ok(None, "mutation { createTenant(in: {id: \"b-2\", name: \"B & Söhne\"}) { id name createdAt } }", json!({}))
        .await;
    assert_eq!(made["createTenant"], json!({ "id": "b-2", "name": "B & Söhne", "createdAt": "2026-03-01T12:00:00Z" }));
    assert!(desk.notices_so_far() > before);
    let list = desk.ok(None, "{ tenants { data { id } totalCount } }", json!({})).await;
    assert_eq!(
        list["tenants"],
        json!({ "data": [{ "id": "acme" }, { "id": "b-2" }, { "id": "other" }], "totalCount": 3 })
    );

    desk.create_type("acme", "Order").await;
    let deleted = desk.ok(None, "mutation { deleteTenant(id: \"acme\") { id } }", json!({})).await;
    assert_eq!(deleted["deleteTenant"]["id"], "acme");
    assert_eq!(desk.refused(Some("acme"), "{ objectTypes { id } }", json!({})).await.0, 25);
    assert_eq!(desk.refused(None, "mutation { deleteTenant(id: \"acme\") { id } }", json!({})).await.0, 20);
    assert!(desk.ok(None, "{ tenant(id: \"acme\") { id } }", json!({})).await["tenant"].is_null());
}

#[tokio::test]
async fn a_tenants_id_is_a_dns_label_and_unique() {
    let desk = Desk::with_tenants().await;
    let create = "mutation($id: ID!, $n: String!) { createTenant(in: {id: $id, name: $n}) { id } }";
    assert_eq!(desk.refused(None, create, json!({ "id": "acme", "n": "again" })).await.0, 21);
    for bad in ["", "Acme", "a.b", "-a", "a_b", &"a".repeat(64)] {
        let (code, message) = desk.refused(None, create, json!({ "id": bad, "n": "x" })).await;
        assert_eq!((code, message.contains("in.id")), (22, true), "{bad}: {message}");
    }
    let (code, message) = desk.refused(None, create, json!({ "id": "A", "n": "" })).await;
    assert!(code == 22 && message.contains("in.id") && message.contains("in.name"), "every fault is told: {message}");
    assert!(desk.ok(None, "{ tenant(id: \"Not a label\") { id } }", json!({})).await["tenant"].is_null());
}
