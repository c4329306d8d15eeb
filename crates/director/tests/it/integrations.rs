use serde_json::{Value, json};
use tidegate_model::EventType;
use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_wire::api::v1::execution_service_client::ExecutionServiceClient;
use tidegate_wire::api::{Instant, v1};

use crate::desk::{Desk, tenant, text};
use crate::grpc::admin;

const CREATE: &str = "mutation($in: IntegrationInput!) { createIntegration(in: $in) {
    id name type description httpMethod active effectiveDate expiryDate coreLogic { name } enableLogic { name }
    executionUser { id username } webhookUrl url subscriptions { objectType eventType } createdAt updatedAt } }";
const REGENERATE: &str = "mutation($ids: [ID!]!) { regenerateWebhookUrls(ids: $ids) { id webhookUrl } }";

fn key(url: &str) -> WebhookKeyHash {
    WebhookKeyHash::of(url.strip_prefix("https://gate.example/webhook/").unwrap_or_else(|| panic!("{url}")))
}

async fn resolves(desk: &Desk, url: &str) -> Option<String> {
    match desk.director.registry().resolve(key(url)).await.unwrap() {
        Resolved::None => None,
        Resolved::One(runnable) => Some(runnable.integration.id.to_string()),
        Resolved::Many => panic!("many behind one key"),
    }
}

#[tokio::test]
async fn an_incoming_one_gets_a_user_and_a_url_that_finds_it() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let enable = desk.create_logic("acme", "enable", "ENABLE").await;
    let input = json!({
        "name": "github", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core, "enableLogicID": enable,
        "effectiveDate": "2026-01-01T00:00:00+02:00", "expiryDate": "2027-01-01T00:00:00.123456789Z",
    });
    let mut made = desk.ok(Some("acme"), CREATE, json!({ "in": input })).await["createIntegration"].take();
    let url = text(&made["webhookUrl"]);
    assert_eq!(url.len(), "https://gate.example/webhook/".len() + 43, "256 bits: {url}");
    assert_eq!(resolves(&desk, &url).await, Some(text(&made["id"])));
    assert!(made["executionUser"]["id"].is_string());
    for varying in ["id", "webhookUrl"] {
        made[varying] = Value::Null;
    }
    made["executionUser"]["id"] = Value::Null;
    assert_eq!(
        made,
        json!({
            "id": null, "name": "github", "type": "INCOMING", "description": null, "httpMethod": "POST", "active": true,
            "effectiveDate": "2025-12-31T22:00:00Z", "expiryDate": "2027-01-01T00:00:00.123456Z",
            "coreLogic": { "name": "core" }, "enableLogic": { "name": "enable" },
            "executionUser": { "id": null, "username": "integration/github" },
            "webhookUrl": null, "url": null, "subscriptions": [],
            "createdAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:00Z",
        })
    );
    let events = desk.committed().await;
    assert!(events.iter().all(|e| !e.change.object().as_str().contains(&url[30..])), "no event tells the key");
}

#[tokio::test]
async fn an_outgoing_one_is_found_by_what_it_listens_to() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let input = json!({
        "name": "chat", "type": "OUTGOING", "httpMethod": "GET", "coreLogicID": core, "url": "https://chat.example/in?x=1", "active": false,
        "subscriptions": [
            { "objectType": "Order", "eventType": "UPDATE" }, { "objectType": "Issue", "eventType": "CREATE" }, { "objectType": "Order", "eventType": "UPDATE" },
        ],
    });
    let made = desk.ok(Some("acme"), CREATE, json!({ "in": input })).await["createIntegration"].take();
    assert_eq!(made["webhookUrl"], Value::Null);
    assert_eq!(made["active"], json!(false));
    assert_eq!(
        made["subscriptions"],
        json!([{ "objectType": "Issue", "eventType": "CREATE" }, { "objectType": "Order", "eventType": "UPDATE" }])
    );
    let registry = desk.director.registry();
    let order = "Order".parse().unwrap();
    let listening = registry.subscribers(&tenant("acme"), &order, EventType::Update).await.unwrap();
    assert_eq!(listening.len(), 1, "inactive ones included");
    assert!(registry.subscribers(&tenant("acme"), &order, EventType::Create).await.unwrap().is_empty());
    assert!(registry.subscribers(&tenant("other"), &order, EventType::Update).await.unwrap().is_empty());
    let id = listening[0].integration.id;
    assert!(registry.find(&tenant("acme"), id).await.unwrap().is_some());
    assert!(registry.find(&tenant("other"), id).await.unwrap().is_none());
}

#[tokio::test]
async fn inputs_are_checked_and_told_by_field() {
    let desk = Desk::with_tenants().await;
    let core = desk.create_logic("acme", "core", "CORE").await;
    let enable = desk.create_logic("acme", "enable", "ENABLE").await;
    let incoming = json!({ "name": "i", "type": "INCOMING", "httpMethod": "GET", "coreLogicID": core });
    let outgoing = json!({
        "name": "o", "type": "OUTGOING", "httpMethod": "GET", "coreLogicID": core, "url": "http://x.example",
        "subscriptions": [{ "objectType": "A", "eventType": "CREATE" }],
    });
    let with = |base: &Value, changes: Value| {
        let mut input = base.clone();
        for (key, value) in changes.as_object().unwrap() {
            input[key] = value.clone();
        }
        input
    };
    for (field, input) in [
        ("in.name", with(&incoming, json!({ "name": "" }))),
        ("in.name", with(&incoming, json!({ "name": "a\nb" }))),
        ("in.name", with(&incoming, json!({ "name": "x".repeat(129) }))),
        ("in.url", with(&incoming, json!({ "url": "http://x.example" }))),
        (
            "in.subscriptions",
            with(&incoming, json!({ "subscriptions": [{ "objectType": "A", "eventType": "CREATE" }] })),
        ),
        ("in.coreLogicID", with(&incoming, json!({ "coreLogicID": enable }))),
        ("in.coreLogicID", with(&incoming, json!({ "coreLogicID": "x" }))),
        ("in.enableLogicID", with(&incoming, json!({ "enableLogicID": core }))),
        (
            "in.expiryDate",
            with(&incoming, json!({ "effectiveDate": "2026-01-02T00:00:00Z", "expiryDate": "2026-01-01T00:00:00Z" })),
        ),
        ("in.effectiveDate", with(&incoming, json!({ "effectiveDate": "yesterday" }))),
        ("in.httpMethod", with(&incoming, json!({ "httpMethod": "PUT" }))),
        ("in.url", with(&outgoing, json!({ "url": null }))),
        ("in.url", with(&outgoing, json!({ "url": "/relative" }))),
        ("in.url", with(&outgoing, json!({ "url": "file:///etc/passwd" }))),
        ("in.subscriptions", with(&outgoing, json!({ "subscriptions": [] }))),
        ("in.subscriptions", with(&outgoing, json!({ "subscriptions": null }))),
        (
            "in.subscriptions[0].objectType",
            with(&outgoing, json!({ "subscriptions": [{ "objectType": "a b", "eventType": "CREATE" }] })),
        ),
    ] {
        let (number, message) = desk.refused(Some("acme"), CREATE, json!({ "in": input })).await;
        assert_eq!((number, message.contains(field)), (22, true), "{field}: {message}");
    }
    assert_eq!(
        desk.ok(Some("acme"), "{ integrations { totalCount } }", json!({})).await["integrations"]["totalCount"],
        0
    );
    let same_instant =
        with(&incoming, json!({ "effectiveDate": "2026-01-01T00:00:00Z", "expiryDate": "2026-01-01T00:00:00Z" }));
    desk.ok(Some("acme"), CREATE, json!({ "in": same_instant })).await;
    assert_eq!(desk.refused(Some("acme"), CREATE, json!({ "in": incoming })).await.0, 21, "the name is taken");
    desk.ok(Some("acme"), CREATE, json!({ "in": outgoing })).await;
}

#[tokio::test]
async fn an_update_replaces_all_but_name_and_type() {
    let desk = Desk::with_tenants().await;
    let (id, url) = desk.create_incoming("acme", "hook").await;
    let core = desk.create_logic("acme", "another", "CORE").await;
    let before = desk.notices_so_far();
    let update = "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) {
        name type description httpMethod active coreLogic { name } webhookUrl } }";
    let input = json!({ "description": "d", "httpMethod": "GET", "active": false, "coreLogicID": core });
    let after = desk.ok(Some("acme"), update, json!({ "id": id, "in": input })).await;
    assert_eq!(
        after["updateIntegration"],
        json!({
            "name": "hook", "type": "INCOMING", "description": "d", "httpMethod": "GET", "active": false,
            "coreLogic": { "name": "another" }, "webhookUrl": url,
        })
    );
    assert!(desk.notices_so_far() > before);
    let outward = json!({ "httpMethod": "GET", "active": true, "coreLogicID": core, "url": "http://x.example" });
    assert!(desk.refused(Some("acme"), update, json!({ "id": id, "in": outward })).await.1.contains("in.url"));
    let input = json!({ "httpMethod": "GET", "active": true, "coreLogicID": core });
    assert_eq!(desk.refused(Some("acme"), update, json!({ "id": "x", "in": input })).await.0, 20);

    let changed = desk.committed().await.pop().unwrap();
    assert_eq!((changed.object_type.as_str(), changed.change.event_type()), ("Integration", EventType::Update));
    let old = changed.change.old_object().unwrap().to_value();
    assert_eq!(old["active"], json!(true));
    assert!(old.get("name").is_none(), "{old}");
}

#[tokio::test]
async fn a_regenerated_url_is_new_and_the_old_one_dead() {
    let desk = Desk::with_tenants().await;
    let (a, old_a) = desk.create_incoming("acme", "a").await;
    let (b, old_b) = desk.create_incoming("acme", "b").await;
    let before = desk.notices_so_far();
    let changed = desk.ok(Some("acme"), REGENERATE, json!({ "ids": [b, a] })).await["regenerateWebhookUrls"].clone();
    assert_eq!((&changed[0]["id"], &changed[1]["id"]), (&json!(b), &json!(a)), "in the order asked");
    assert!(desk.notices_so_far() > before);
    assert_eq!(resolves(&desk, &old_a).await, None);
    assert_eq!(resolves(&desk, &old_b).await, None);
    assert_eq!(resolves(&desk, &text(&changed[1]["webhookUrl"])).await, Some(a));
}

#[tokio::test]
async fn regenerating_is_refused_whole_unless_every_one_is_incoming() {
    let desk = Desk::with_tenants().await;
    let (incoming, url) = desk.create_incoming("acme", "in").await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    let (foreign, _) = desk.create_incoming("other", "in").await;
    for bad in [json!([incoming, outgoing]), json!([incoming, foreign]), json!([incoming, "x"])] {
        assert_eq!(desk.refused(Some("acme"), REGENERATE, json!({ "ids": bad })).await.0, 27, "{bad}");
    }
    assert_eq!(desk.refused(Some("acme"), REGENERATE, json!({ "ids": [] })).await.0, 22);
    assert_eq!(desk.refused(Some("acme"), REGENERATE, json!({ "ids": [incoming, incoming] })).await.0, 22);
    assert_eq!(resolves(&desk, &url).await, Some(incoming), "nothing was changed");
}

#[tokio::test]
async fn a_deleted_one_is_gone_with_its_url() {
    let desk = Desk::with_tenants().await;
    let (id, url) = desk.create_incoming("acme", "in").await;
    let delete = "mutation($id: ID!) { deleteIntegration(id: $id) { name } }";
    assert_eq!(desk.ok(Some("acme"), delete, json!({ "id": id })).await["deleteIntegration"]["name"], "in");
    assert_eq!(resolves(&desk, &url).await, None);
    assert_eq!(desk.refused(Some("acme"), delete, json!({ "id": id })).await.0, 20);
    let read = desk.ok(Some("acme"), "query($id: ID!) { integration(id: $id) { id } }", json!({ "id": id })).await;
    assert!(read["integration"].is_null());
}

#[tokio::test]
async fn dates_are_in_the_years_that_they_can_be_told_in() {
    let desk = Desk::with_tenants().await;
    let logic = desk.create_logic("acme", "core", "CORE").await;
    let input = |name: &str, from: &str, to: &str| {
        let dates = json!({ "effectiveDate": from, "expiryDate": to, "coreLogicID": logic });
        let mut input = json!({ "name": name, "type": "INCOMING", "httpMethod": "POST" });
        input.as_object_mut().unwrap().extend(dates.as_object().unwrap().clone());
        json!({ "in": input })
    };
    let (first, last) = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z");
    let made = desk.ok(Some("acme"), CREATE, input("wide", first, last)).await["createIntegration"].take();
    assert_eq!((&made["effectiveDate"], &made["expiryDate"]), (&json!(first), &json!(last)));
    for (field, from, to) in [
        ("in.effectiveDate", "0000-01-01T00:00:00+14:00", last),
        ("in.effectiveDate", "0001-01-01T00:00:00+00:01", last),
        ("in.expiryDate", first, "9999-12-31T23:59:60Z"),
        ("in.expiryDate", first, "tomorrow"),
    ] {
        let (code, message) = desk.refused(Some("acme"), CREATE, input("wider", from, to)).await;
        let expected = format!(
            "\"{field}\", expected type \"DateTime\": RFC 3339 in the years 1 to 9999, like 2026-01-31T12:00:00Z"
        );
        assert_eq!((code, message.contains(&expected)), (22, true), "{from} {to}: {message}");
    }

    let mut grpc = ExecutionServiceClient::new(desk.director.grpc().routes());
    let mut asked = async |seconds: i64, nanos: i32| {
        let filter = v1::ExecutionFilter { to_time: Some(Instant { seconds, nanos }), ..Default::default() };
        let request = v1::ListExecutionsRequest { filter: Some(filter), ..Default::default() };
        grpc.list_executions(admin(Some("acme"), request)).await
    };
    let (first, last) = (-62_135_596_800, 253_402_300_799);
    for (seconds, nanos) in [(first, 0), (last, 999_999_999)] {
        asked(seconds, nanos).await.unwrap();
    }
    for (seconds, nanos) in [(first - 1, 0), (last, 1_000_000_000), (last + 1, 0), (i64::MAX, 0), (0, -1)] {
        let refused = asked(seconds, nanos).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{seconds} {nanos}");
        assert!(refused.message().contains("filter.to_time: expected an instant in the years 1 to 9999"), "{refused}");
    }
}
