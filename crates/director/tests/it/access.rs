//! Who is calling, in which tenant, with which scopes.

use axum::http::StatusCode;
use serde_json::json;
use tidegate_model::{ApplicationId, ClientOwner, IntegrationSystemId, Scope, SystemRandomness};

use crate::desk::{ADMIN, Desk, tenant};

const TENANTS: &str = "{ tenants { totalCount } }";
const LOGICS: &str = "{ logics { totalCount } }";

#[tokio::test]
async fn without_a_good_token_the_answer_is_401_and_graphql_shaped() {
    let desk = Desk::new().await;
    let answer = desk.ask_as("nobody", None, TENANTS, json!({})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"tidegate\", error=\"invalid_token\"");
    assert_eq!(answer.refusal().0, 26);
    assert!(answer.body["data"].is_null());

    for authorization in [None, Some("Basic YTpi"), Some("Bearer"), Some("Bearer ")] {
        let mut request = axum::http::Request::post("/graphql");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = desk.send(request.body(json!({ "query": TENANTS }).to_string().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"tidegate\"", "{authorization:?}");
        assert_eq!(answer.refusal().0, 26);
    }
}

#[tokio::test]
async fn a_tenant_scoped_operation_needs_a_tenant_that_exists() {
    let desk = Desk::with_tenants().await;
    assert_eq!(desk.refused(None, LOGICS, json!({})).await.0, 24);
    desk.ok(Some("acme"), LOGICS, json!({})).await;
    for unknown in ["nope", "Not A Label", "ACME"] {
        assert_eq!(desk.refused(Some(unknown), LOGICS, json!({})).await.0, 25, "{unknown}");
        assert_eq!(desk.refused(Some(unknown), TENANTS, json!({})).await.0, 25, "on every operation: {unknown}");
    }
}

#[tokio::test]
async fn a_client_bound_to_a_tenant_needs_no_header_and_finds_no_other_tenant() {
    let desk = Desk::with_tenants().await;
    let id = ApplicationId::generate(&*desk.clock, &SystemRandomness);
    desk.grant("app", ClientOwner::Application(tenant("acme"), id), Scope::all());
    desk.ask_as("app", None, LOGICS, json!({})).await.data();
    desk.ask_as("app", Some("acme"), LOGICS, json!({})).await.data();
    let other = desk.ask_as("app", Some("other"), LOGICS, json!({})).await.refusal();
    let unknown = desk.ask_as("app", Some("nopes"), LOGICS, json!({})).await.refusal();
    assert_eq!(other.0, 25);
    assert_eq!(other.1.replace("other", "X"), unknown.1.replace("nopes", "X"), "one answer for both");
    // Even a token with every scope does not lift its client above its tenant.
    for global in [TENANTS, "{ integrationSystems { totalCount } }", "{ tenant(id: \"other\") { name } }"] {
        assert_eq!(desk.ask_as("app", None, global, json!({})).await.refusal().0, 23, "{global}");
    }
}

#[tokio::test]
async fn a_client_of_an_integration_system_acts_in_any_tenant_but_mints_no_credentials() {
    let desk = Desk::with_tenants().await;
    let id = IntegrationSystemId::generate(&*desk.clock, &SystemRandomness);
    desk.grant("system", ClientOwner::IntegrationSystem(id), Scope::of_integration_system());
    for tenant in ["acme", "other"] {
        desk.ask_as("system", Some(tenant), LOGICS, json!({})).await.data();
    }
    let register = "mutation { registerApplication(in: {name: \"a\"}) { id } }";
    let made = desk.ask_as("system", Some("acme"), register, json!({})).await.data();
    let application = made["registerApplication"]["id"].clone();
    let request = "mutation($id: ID!) { requestClientCredentialsForApplication(id: $id) { id } }";
    let refusal = desk.ask_as("system", Some("acme"), request, json!({ "id": application })).await.refusal();
    assert_eq!(refusal.0, 23);
    for denied in [
        "mutation { registerIntegrationSystem(in: {name: \"a\"}) { id } }",
        "mutation { createTenant(in: {id: \"a\", name: \"a\"}) { id } }",
        "mutation { requestClientCredentialsForIntegrationSystem(id: \"a\") { id } }",
    ] {
        assert_eq!(desk.ask_as("system", None, denied, json!({})).await.refusal().0, 23, "{denied}");
    }
}

#[tokio::test]
async fn each_operation_asks_for_its_own_scope_and_the_error_names_it() {
    let desk = Desk::with_tenants().await;
    let operations = [
        ("integration_system:read", "{ integrationSystems { totalCount } }"),
        ("integration_system:read", "{ integrationSystem(id: \"x\") { id } }"),
        ("integration_system:write", "mutation { registerIntegrationSystem(in: {name: \"a\"}) { id } }"),
        ("integration_system:write", "mutation { updateIntegrationSystem(id: \"x\", in: {name: \"a\"}) { id } }"),
        ("integration_system:write", "mutation { unregisterIntegrationSystem(id: \"x\") { id } }"),
        ("integration_system:write", "mutation { requestClientCredentialsForIntegrationSystem(id: \"x\") { id } }"),
        ("integration_system:write", "mutation { deleteSystemAuthForIntegrationSystem(id: \"x\") { id } }"),
        ("integration_system:write", "mutation { addClientSecretForIntegrationSystem(id: \"x\") { id } }"),
        (
            "integration_system:write",
            "mutation { removeClientSecretForIntegrationSystem(id: \"x\", secretID: \"x\") { id } }",
        ),
        ("credential:write", "mutation { addClientSecretForApplication(id: \"x\") { id } }"),
        ("credential:write", "mutation { removeClientSecretForRuntime(id: \"x\", secretID: \"x\") { id } }"),
        ("tenant:read", "{ tenants { totalCount } }"),
        ("tenant:read", "{ tenant(id: \"acme\") { id } }"),
        ("tenant:write", "mutation { createTenant(in: {id: \"a\", name: \"a\"}) { id } }"),
        ("tenant:write", "mutation { deleteTenant(id: \"x\") { id } }"),
        ("application:read", "{ applications { totalCount } }"),
        ("application:write", "mutation { registerApplication(in: {name: \"a\"}) { id } }"),
        ("credential:write", "mutation { requestClientCredentialsForApplication(id: \"x\") { id } }"),
        ("runtime:read", "{ runtime(id: \"x\") { id } }"),
        ("runtime:write", "mutation { unregisterRuntime(id: \"x\") { id } }"),
        ("credential:write", "mutation { deleteSystemAuthForRuntime(id: \"x\") { id } }"),
        ("logic:read", "{ logic(id: \"x\") { id } }"),
        ("logic:write", "mutation { deleteLogic(id: \"x\") { id } }"),
        ("integration:read", "{ integrations { totalCount } }"),
        ("integration:write", "mutation { regenerateWebhookUrls(ids: [\"x\"]) { id } }"),
        ("execution:read", "{ executions { totalCount } }"),
        ("execution:write", "mutation { replayExecution(id: \"x\") { id } }"),
        ("object:read", "{ objectTypes { id } }"),
        ("object:read", "{ object(objectType: \"T\", id: \"x\") { id } }"),
        ("object:write", "mutation { createObjectType(in: {name: \"T\"}) { id } }"),
        ("object:write", "mutation { createObject(objectType: \"T\", data: {}) { id } }"),
        ("event:write", "mutation { publishEvent(in: {objectType: \"T\", eventType: DELETE, objectId: \"1\"}) }"),
    ];
    for (scope, operation) in operations {
        let mut others = Scope::all();
        others.remove(&scope.parse().unwrap());
        desk.grant("others", ClientOwner::Administrator, others);
        desk.grant_scopes("this", &[scope]);
        let (code, message) = desk.ask_as("others", Some("acme"), operation, json!({})).await.refusal();
        assert_eq!(code, 23, "{operation}: {message}");
        assert!(message.contains(scope), "{operation}: {message}");
        let answer = desk.ask_as("this", Some("acme"), operation, json!({})).await;
        let code = answer.body["errors"][0]["extensions"]["error_code"].as_i64();
        assert_ne!(code, Some(23), "{operation}: {}", answer.body);
        assert_ne!(code, Some(10), "{operation}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_a_field_shows_of_another_noun_needs_that_nouns_scope() {
    let desk = Desk::with_tenants().await;
    desk.create_incoming("acme", "hook").await;
    desk.grant_scopes("reader", &["integration:read"]);
    let plain = "{ integrations { data { name webhookUrl executionUser { username } } } }";
    let page = desk.ask_as("reader", Some("acme"), plain, json!({})).await.data();
    assert!(page["integrations"]["data"][0]["webhookUrl"].is_string());
    let nested = "{ integrations { data { coreLogic { source } } } }";
    let (code, message) = desk.ask_as("reader", Some("acme"), nested, json!({})).await.refusal();
    assert_eq!((code, message.contains("logic:read")), (23, true));
}

#[tokio::test]
async fn ids_and_names_of_one_tenant_say_nothing_in_another() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let (integration, _) = desk.create_incoming("acme", "hook").await;
    let logic = desk.create_logic("acme", "mine", "CORE").await;
    let application = desk
        .ok(Some("acme"), "mutation { registerApplication(in: {name: \"a\"}) { id } }", json!({}))
        .await["registerApplication"]["id"]
        .clone();
    desk.ok(
        Some("acme"),
        "mutation { createObject(objectType: \"Order\", id: \"1\", data: {a: 1}) { id } }",
        json!({}),
    )
    .await;

    let reads = json!({ "i": integration, "l": logic, "a": application });
    let read = "query($i: ID!, $l: ID!, $a: ID!) {
        integration(id: $i) { id } logic(id: $l) { id } application(id: $a) { id } object(objectType: \"Order\", id: \"1\") { id }
        integrations { totalCount } logics { totalCount } applications { totalCount } objectTypes { id }
    }";
    let seen = desk.ok(Some("other"), read, reads.clone()).await;
    assert_eq!(
        seen,
        json!({
            "integration": null, "logic": null, "application": null, "object": null, "objectTypes": [],
            "integrations": { "totalCount": 0 }, "logics": { "totalCount": 0 }, "applications": { "totalCount": 0 },
        })
    );
    let own = desk.ok(Some("acme"), read, reads).await;
    assert_eq!(own["integration"]["id"], json!(integration));

    let refusals = [
        (20, "mutation($i: ID!) { deleteIntegration(id: $i) { id } }", json!({ "i": integration })),
        (27, "mutation($i: ID!) { regenerateWebhookUrls(ids: [$i]) { id } }", json!({ "i": integration })),
        (20, "mutation($i: ID!) { deleteLogic(id: $i) { id } }", json!({ "i": logic })),
        (20, "mutation($i: ID!) { updateLogic(id: $i, in: {source: \"x\"}) { id } }", json!({ "i": logic })),
        (20, "mutation($i: ID!) { unregisterApplication(id: $i) { id } }", json!({ "i": application })),
        (
            20,
            "mutation($i: ID!) { requestClientCredentialsForApplication(id: $i) { id } }",
            json!({ "i": application }),
        ),
        (20, "mutation { deleteObject(objectType: \"Order\", id: \"1\") { id } }", json!({})),
        (
            22,
            "mutation($i: ID!) { createIntegration(in: {name: \"n\", type: INCOMING, httpMethod: GET, coreLogicID: $i}) { id } }",
            json!({ "i": logic }),
        ),
    ];
    for (code, mutation, variables) in refusals {
        let unknown = json!({ "i": "0195f3a0-0000-7000-8000-000000000000" });
        let (got, message) = desk.refused(Some("other"), mutation, variables.clone()).await;
        assert_eq!(got, code, "{mutation}: {message}");
        if let Some(id) = variables["i"].as_str() {
            let (_, about_unknown) = desk.refused(Some("other"), mutation, unknown.clone()).await;
            assert_eq!(
                message.replace(id, ""),
                about_unknown.replace(unknown["i"].as_str().unwrap(), ""),
                "another tenant's id reads like one that never was"
            );
        }
    }
    assert_eq!(
        desk.ask_as(ADMIN, Some("acme"), "{ integrations { totalCount } }", json!({})).await.data()["integrations"]["totalCount"],
        1
    );
}
