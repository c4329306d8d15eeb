//! What third parties get: the OpenAPI document over every face, and the snippets. That tools read the one and that the others run is
//! tested with the whole of Tidegate.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::integration_service_client::IntegrationServiceClient;

use crate::desk::{ADMIN, Answer, Desk, text};

const CREATE: &str = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id webhookUrl } }";
const READ: &str = "query($id: ID!) { integration(id: $id) { openapi snippets { name language text } } }";
const CREDENTIAL: &str =
    "mutation { createCredential(in: { name: \"partner\", kind: SIGNING, secret: \"hunter2-hunter2\" }) { id } }";

/// Makes an INCOMING Integration of acme's; answers its id and URL.
async fn make(desk: &Desk, method: &str, incoming: Value) -> (String, String) {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let core = desk.create_logic("acme", &format!("core {number}"), "CORE").await;
    let input = json!({ "in": { "name": format!("hook {number}"), "type": "INCOMING", "httpMethod": method,
        "description": "What: it's for", "coreLogicID": core, "incoming": incoming } });
    let made = desk.ok(Some("acme"), CREATE, input).await["createIntegration"].take();
    (text(&made["id"]), text(&made["webhookUrl"]))
}

async fn fetch(desk: &Desk, token: &str, tenant: &str, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {token}")).header("tenant", tenant);
    desk.send(request.body(Body::empty()).unwrap()).await
}

async fn document(desk: &Desk, id: &str) -> Value {
    let answer = fetch(desk, ADMIN, "acme", &format!("/v1/integrations/{id}/openapi.json")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn the_document_tells_what_becomes_of_calls_that_come_again() {
    let desk = Desk::with_tenants().await;
    let (id, _) = make(&desk, "POST", json!({ "idempotencyKey": "REQUIRED" })).await;
    let document = document(&desk, &id).await;
    let path = document["paths"].as_object().unwrap().values().next().unwrap();
    let parameter = &path["post"]["parameters"][0];
    assert_eq!((&parameter["name"], &parameter["required"]), (&json!("Idempotency-Key"), &json!(true)));
    let answers = &path["post"]["responses"];
    assert!(answers["409"]["headers"].get("Retry-After").is_some() && answers["422"].is_object(), "{answers}");
    assert!(answers["200"]["headers"].get("Idempotency-Replayed").is_some(), "{answers}");
}

#[tokio::test]
async fn the_document_tells_address_method_body_and_every_status() {
    let desk = Desk::with_tenants().await;
    let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/order",
        "type": "object", "required": ["line"], "properties": { "line": { "$ref": "#/$defs/line" },
            "more": { "items": { "$ref": "https://example.com/order#here" } }, "root": { "$ref": "#" },
            "$ref": { "enum": [{ "$ref": "#/as/it/is" }] } },
        "$defs": { "line": { "$anchor": "here", "required": ["sku"], "properties": { "sku": { "type": "string" } } } } });
    let (id, url) = make(&desk, "POST", json!({ "bodySchema": schema, "checkBody": true })).await;
    let document = document(&desk, &id).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"], json!([{ "url": "https://gate.example" }]));
    let path = url.strip_prefix("https://gate.example").unwrap();
    assert_eq!(document["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), [path]);
    let operation = &document["paths"][path]["post"];
    let input = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Input" } } });
    assert_eq!(operation["requestBody"], json!({ "required": true, "content": input }));
    let moved = &document["components"]["schemas"]["Input"];
    assert_eq!(moved["properties"]["line"]["$ref"], "#/components/schemas/Input/$defs/line");
    assert_eq!(moved["properties"]["more"]["items"]["$ref"], "#/components/schemas/Input/$defs/line");
    assert_eq!(moved["properties"]["root"]["$ref"], "#/components/schemas/Input");
    assert_eq!(moved["properties"]["$ref"], json!({ "enum": [{ "$ref": "#/as/it/is" }] }), "a name, and a value");
    assert!(moved.get("$id").is_none() && moved.get("$schema").is_none());

    let answers = operation["responses"].as_object().unwrap();
    let statuses: Vec<_> = answers.keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "400", "404", "405", "408", "413", "414", "415", "422", "429", "431", "500", "503"],);
    for (status, answer) in answers {
        assert!(answer["headers"].get("X-Request-Id").is_some(), "{status}");
        let media = if status == "200" { "application/json" } else { "application/problem+json" };
        assert!(answer["content"].get(media).is_some(), "{status}");
    }
    for (status, name) in
        [("200", "Integration-Outcome"), ("429", "Retry-After"), ("503", "Retry-After"), ("405", "Allow")]
    {
        assert!(answers[status]["headers"].get(name).is_some(), "{status} {name}");
    }
}

#[tokio::test]
async fn the_parameters_of_a_get_are_those_of_its_schema() {
    let desk = Desk::with_tenants().await;
    let schema =
        json!({ "required": ["state"], "properties": { "state": { "enum": ["open"] }, "q": { "type": "string" } } });
    let (id, url) = make(&desk, "GET", json!({ "bodySchema": schema })).await;
    let document = document(&desk, &id).await;
    let path = url.strip_prefix("https://gate.example").unwrap();
    let operation = &document["paths"][path]["get"];
    assert_eq!(
        operation["parameters"],
        json!([
            { "name": "q", "in": "query", "required": false, "schema": { "type": "string" } },
            { "name": "state", "in": "query", "required": true, "schema": { "enum": ["open"] } },
        ])
    );
    assert!(operation["responses"].get("422").is_none(), "it is not checked");
    assert!(operation.get("requestBody").is_none());
}

#[tokio::test]
async fn each_scheme_is_told_with_its_headers_and_no_secret_with_any() {
    let desk = Desk::with_tenants().await;
    desk.ok(Some("acme"), CREDENTIAL, json!({})).await;
    let generic = json!({ "scheme": "GENERIC", "header": "X-Sig", "prefix": "v1=", "algorithm": "SHA512",
        "encoding": "BASE64", "template": "{timestamp}.{id}.{body}", "timestampHeader": "X-Time", "idHeader": "X-Id" });
    for (mut signature, names) in [
        (json!({ "scheme": "GITHUB" }), vec!["X-Hub-Signature-256"]),
        (json!({ "scheme": "STRIPE" }), vec!["Stripe-Signature"]),
        (json!({ "scheme": "SLACK" }), vec!["X-Slack-Request-Timestamp", "X-Slack-Signature"]),
        (json!({ "scheme": "SHOPIFY" }), vec!["X-Shopify-Hmac-Sha256"]),
        (json!({ "scheme": "TWILIO" }), vec!["X-Twilio-Signature", "bodySHA256"]),
        (generic, vec!["X-Sig", "X-Time", "X-Id"]),
        (json!({ "scheme": "TOKEN", "header": "X-Token" }), vec![]),
    ] {
        signature["credentials"] = json!(["partner"]);
        let (id, url) = make(&desk, "POST", json!({ "signature": signature })).await;
        let document = document(&desk, &id).await;
        let operation = &document["paths"][url.strip_prefix("https://gate.example").unwrap()]["post"];
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let told: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(told, names, "{signature}");
        assert!(operation["responses"].get("401").is_some(), "{signature}");
        let is_token = signature["scheme"] == "TOKEN";
        assert_eq!(operation["security"].is_array(), is_token, "{signature}");
        let told = desk.ok(Some("acme"), READ, json!({ "id": id })).await["integration"].take();
        assert_eq!(told["openapi"], document, "both faces tell the same");
        let snippets = told["snippets"].as_array().unwrap();
        assert_eq!(snippets.iter().map(|s| s["language"].as_str().unwrap()).collect::<Vec<_>>(), ["Shell", "Python"]);
        for snippet in snippets {
            let lines = snippet["text"].as_str().unwrap();
            assert!(lines.contains("WEBHOOK_SECRET") && lines.contains(&url), "{lines}");
        }
        assert_eq!(operation["x-codeSamples"][0]["source"], snippets[0]["text"]);
        assert!(!told.to_string().contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn who_may_not_see_the_url_gets_no_document() {
    let desk = Desk::with_tenants().await;
    let (id, url) = make(&desk, "POST", json!({})).await;
    let outgoing = desk.create_outgoing("acme", "erp", "Order").await;
    desk.grant_scopes("reader", &["integration:read"]);
    desk.grant_scopes("other", &["logic:read"]);
    for name in ["openapi.json", "openapi.yaml"] {
        let path = |id: &str| format!("/v1/integrations/{id}/{name}");
        let own = fetch(&desk, "reader", "acme", &path(&id)).await;
        assert_eq!((own.status, own.headers["cache-control"].to_str().unwrap()), (StatusCode::OK, "no-store"));
        for (token, tenant, id, status) in [
            ("unknown", "acme", id.as_str(), 401),
            ("other", "acme", &id, 403),
            (ADMIN, "other", &id, 404),
            (ADMIN, "acme", &outgoing, 404),
            (ADMIN, "acme", "no-id", 404),
            (ADMIN, "nowhere", &id, 404),
        ] {
            let refused = fetch(&desk, token, tenant, &path(id)).await;
            assert_eq!(refused.status.as_u16(), status, "{token} {tenant} {id} {name}");
            assert_eq!(refused.headers["content-type"], "application/problem+json");
            assert!(!refused.body.to_string().contains(&url), "{}", refused.body);
        }
    }
    let yaml = fetch(&desk, ADMIN, "acme", &format!("/v1/integrations/{id}/openapi.yaml")).await;
    assert_eq!(yaml.headers["content-type"], "application/yaml");
    let read = desk.ok(Some("acme"), READ, json!({ "id": outgoing })).await;
    assert_eq!(read["integration"], json!({ "openapi": null, "snippets": [] }));
}

#[tokio::test]
async fn over_grpc_it_is_there_when_it_is_asked_for() {
    let desk = Desk::with_tenants().await;
    let (id, _) = make(&desk, "POST", json!({ "bodySchema": { "required": ["a"] } })).await;
    let mut client = IntegrationServiceClient::new(desk.director.grpc().routes());
    let mut get = async |with_interface| {
        let mut request = tonic::Request::new(v1::GetIntegrationRequest { id: id.clone(), with_interface });
        request.metadata_mut().insert("authorization", format!("Bearer {ADMIN}").parse().unwrap());
        request.metadata_mut().insert("tenant", "acme".parse().unwrap());
        client.get_integration(request).await.unwrap().into_inner().integration.unwrap()
    };
    let without = get(false).await;
    assert_eq!((without.openapi, without.snippets.len()), (None, 0));
    let with = get(true).await;
    let told: Value = serde_json::from_str(&with.openapi.unwrap()).unwrap();
    assert_eq!(told, document(&desk, &id).await);
    assert_eq!(with.snippets[1].language, "Python");
}
