//! The whole way: a webhook in, an object, an event, a call out, and both on record.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Sink, Tidegate, in_every_mode};

in_every_mode!(
    a_webhook_becomes_an_object_and_its_event_a_call,
    every_row_of_the_status_table_is_answered_and_recorded,
    a_regenerated_url_is_dead_at_once,
    credentials_end_with_their_client,
    what_a_script_changes_in_a_transaction_is_there_whole_or_not_at_all,
);

const ORDER_IN: &str = r#"
log("order", parameters.id, "from", headers["X-Shop"])
local saved = objects.upsert("Order", parameters.id, { qty = parameters.qty })
return { saved = saved.id, qty = saved.qty }
"#;

const ORDER_OUT: &str = r#"
log("telling about", object.id)
return { headers = { ["X-Kind"] = eventType }, body = { order = newObject.id, qty = newObject.qty, by = userContext.username } }
"#;

async fn a_webhook_becomes_an_object_and_its_event_a_call(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let incoming = acme.make_incoming("shop", ORDER_IN, json!({})).await;
    let outgoing = acme.make_outgoing("erp", ORDER_OUT, &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;

    let url = incoming["webhookUrl"].as_str().unwrap();
    assert!(url.starts_with(&tidegate.gateway("/webhook/")), "{url}");
    let answer =
        http().post(url).header("X-Shop", "north").json(&json!({ "id": "o-1", "qty": 9_007_199_254_740_993_i64 }));
    let answer = answer.send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (200, "application/json")
    );
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "saved": "o-1", "qty": 9_007_199_254_740_993_i64 }));

    let object = acme.object("Order", "o-1").await;
    assert_eq!(object["data"]["qty"], json!(9_007_199_254_740_993_i64));
    assert_eq!(object["createdBy"], format!("user:{}", incoming["executionUser"]["username"].as_str().unwrap()));

    let call = sink.wait_for("/erp", 1).await.remove(0);
    let by = outgoing["executionUser"]["username"].as_str().unwrap();
    assert_eq!(call.json(), json!({ "order": "o-1", "qty": 9_007_199_254_740_993_i64, "by": by }));
    assert_eq!((call.method.as_str(), &call.headers["x-kind"]), ("POST", &"CREATE".parse().unwrap()));

    let record = acme.ended(&incoming, 1).await.remove(0);
    assert_eq!((&record["status"], &record["trigger"]), (&json!("SUCCESS"), &json!("WEBHOOK")));
    assert!(
        record["log"].as_str().unwrap().contains("order\to-1") || record["log"].as_str().unwrap().contains("order o-1"),
        "{record}"
    );
    assert_eq!(record["parameters"]["id"], "o-1");
    assert!(!record.to_string().contains(url.rsplit('/').next().unwrap()), "the key is on record: {record}");

    let record = acme.ended(&outgoing, 1).await.remove(0);
    assert_eq!((&record["status"], &record["trigger"]), (&json!("SUCCESS"), &json!("EVENT")));
    assert_eq!(
        (&record["objectType"], &record["eventType"], &record["objectId"]),
        (&json!("Order"), &json!("CREATE"), &json!("o-1"))
    );
    assert_eq!(
        (&record["attempts"][0]["status"], &record["attempts"][0]["responseBody"]),
        (&json!(200), &json!("taken"))
    );
    assert!(record["log"].as_str().unwrap().contains("telling about"), "{record}");
}

async fn every_row_of_the_status_table_is_answered_and_recorded(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let acme = tidegate.api().await.make_tenant("acme", &[]).await;
    let no = acme.make_logic("no", "ENABLE", "return { result = false }").await;
    let broken = acme.make_logic("broken", "ENABLE", "error('boom in enable')").await;
    let fine = "return { ok = true }";
    let cases = [
        (
            "inactive",
            fine,
            json!({ "active": false, "enableLogicID": broken }),
            "{}",
            200,
            "SKIPPED",
            json!("INACTIVE"),
        ),
        (
            "expired",
            fine,
            json!({ "expiryDate": "2020-01-01T00:00:00Z", "enableLogicID": broken }),
            "{}",
            200,
            "SKIPPED",
            json!("NOT_IN_EFFECT"),
        ),
        (
            "too-early",
            fine,
            json!({ "effectiveDate": "2999-01-01T00:00:00Z" }),
            "{}",
            200,
            "SKIPPED",
            json!("NOT_IN_EFFECT"),
        ),
        ("not-enabled", fine, json!({ "enableLogicID": no }), "{}", 200, "SKIPPED", json!("NOT_ENABLED")),
        ("enabled", fine, json!({}), "{}", 200, "SUCCESS", Value::Null),
        ("warned", "log.warn('hm') return {}", json!({}), "{}", 200, "SUCCESS_WITH_WARNING", Value::Null),
        ("enable-throws", fine, json!({ "enableLogicID": broken }), "{}", 500, "FAILED", Value::Null),
        ("core-throws", "error('boom in core')", json!({}), "{}", 500, "FAILED", Value::Null),
        ("no-map", "return 'text'", json!({}), "{}", 500, "FAILED", Value::Null),
        ("too-long", "while true do end", json!({}), "{}", 500, "FAILED", Value::Null),
        ("malformed", fine, json!({}), "{\"a\":", 500, "FAILED", Value::Null),
    ];
    for (name, core, more, body, status, recorded, reason) in cases {
        let integration = acme.make_incoming(name, core, more).await;
        let url = integration["webhookUrl"].as_str().unwrap();
        let call = http().post(url).header("Content-Type", "application/json").body(body);
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}");
        let text = answer.text().await.unwrap();
        let record = acme.ended(&integration, 1).await.remove(0);
        assert_eq!((&record["status"], &record["skipReason"]), (&json!(recorded), &reason), "{name}: {record}");
        if status == 500 {
            assert!(text.contains(record["id"].as_str().unwrap()), "{name}: {text} does not name {record}");
            assert!(!text.contains("boom") && !text.contains(".lua"), "{name}: {text}");
            assert!(record["error"].is_string(), "{name}: {record}");
        }
    }
    let reached = acme.make_incoming("reached", fine, json!({})).await;
    let url = reached["webhookUrl"].as_str().unwrap();
    for (request, status) in [
        (http().post(tidegate.gateway("/webhook/nobody-has-this-key")), 404),
        (http().get(tidegate.gateway("/webhook/")), 404),
        (http().get(url), 405),
        (http().put(url), 405),
        (http().post(url).body("x".repeat(1_100_000)), 413),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        if status == 405 {
            assert_eq!(answer.headers()["allow"], "POST");
        }
    }
    assert_eq!(acme.executions(&reached).await.len(), 0, "no script ran");
}

async fn a_regenerated_url_is_dead_at_once(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let acme = tidegate.api().await.make_tenant("acme", &[]).await;
    let integration = acme.make_incoming("shop", "return {}", json!({})).await;
    let old = integration["webhookUrl"].as_str().unwrap();
    assert_eq!(http().post(old).send().await.unwrap().status(), 200);
    let regenerate = "mutation($ids: [ID!]!) { regenerateWebhookUrls(ids: $ids) { webhookUrl } }";
    let told = acme.ask(regenerate, json!({ "ids": [integration["id"]] })).await;
    let new = told["regenerateWebhookUrls"][0]["webhookUrl"].as_str().unwrap();
    if mode == Mode::Apart {
        // The notice travels; how long it may take at most is tested where caches are.
        crate::harness::eventually("the old URL is dead", || async {
            (http().post(old).send().await.unwrap().status() == 404).then_some(())
        })
        .await;
    }
    assert_eq!(http().post(old).send().await.unwrap().status(), 404);
    assert_eq!(http().post(new).send().await.unwrap().status(), 200);
}

async fn credentials_end_with_their_client(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let api = tidegate.api().await;
    api.make_tenant("acme", &[]).await;
    let register = r#"mutation { registerIntegrationSystem(in: { name: "crm" }) { id } }"#;
    let id = api.ask(register, json!({})).await["registerIntegrationSystem"]["id"].take();
    let request = "mutation($id: ID!) { requestClientCredentialsForIntegrationSystem(id: $id) {
        id auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } } } }";
    let auth = api.ask(request, json!({ "id": id })).await["requestClientCredentialsForIntegrationSystem"].take();
    let credential = &auth["auth"]["credential"];
    assert_eq!(credential["url"], tidegate.credentials("/oauth2/token"));
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    let admin = crate::harness::api::Admin { client_id: text("clientId"), client_secret: text("clientSecret") };
    let system = crate::harness::Api::sign_in(credential["url"].as_str().unwrap(), tidegate.director(""), &admin).await;
    let system = system.in_tenant("acme");
    system.ask("{ logics { totalCount } }", json!({})).await;
    assert_eq!(system.refused(r#"mutation { createTenant(in: { id: "b", name: "b" }) { id } }"#, json!({})).await, 23);

    let delete = "mutation($id: ID!) { deleteSystemAuthForIntegrationSystem(id: $id) { id } }";
    api.ask(delete, json!({ "id": auth["id"] })).await;
    crate::harness::eventually("the deleted client's token ends", || async {
        let answer =
            system.post("/graphql").json(&json!({ "query": "{ logics { totalCount } }" })).send().await.unwrap();
        (answer.status() == 401).then_some(())
    })
    .await;
}

const BOOKING: &str = r#"
return objects.transaction(function()
  local order = objects.create("Order", { qty = parameters.qty }, parameters.id)
  objects.upsert("Stock", "all", { taken = parameters.qty })
  if parameters.qty > 5 then error("too many: " .. objects.get("Order", order.id).qty) end
  return { booked = order.id }
end)
"#;

async fn what_a_script_changes_in_a_transaction_is_there_whole_or_not_at_all(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order", "Stock"]).await;
    let incoming = acme.make_incoming("booking", BOOKING, json!({})).await;
    let told = "return { headers = {}, body = { order = object.id } }";
    acme.make_outgoing("erp", told, &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    let url = incoming["webhookUrl"].as_str().unwrap();

    let answer = http().post(url).json(&json!({ "id": "large", "qty": 9 })).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 500);
    let record = acme.ended(&incoming, 1).await.remove(0);
    assert!(record["error"].as_str().unwrap().contains("too many: 9"), "{record}");

    let answer = http().post(url).json(&json!({ "id": "small", "qty": 2 })).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "booked": "small" }));
    let count = r#"{ orders: objects(objectType: "Order") { totalCount data { id } } stock: objects(objectType: "Stock") { totalCount data { data } } }"#;
    let there = acme.ask(count, json!({})).await;
    assert_eq!(there["orders"], json!({ "totalCount": 1, "data": [{ "id": "small" }] }));
    assert_eq!(there["stock"], json!({ "totalCount": 1, "data": [{ "data": { "taken": 2 } }] }));
    // Events come in their order: one of what was not made would have come first.
    assert_eq!(sink.wait_for("/erp", 1).await.remove(0).json(), json!({ "order": "small" }));
}
